#!/usr/bin/env bash
# Networks that straighten a face or a body before they look at it end with torch's grid_sample, which is ONNX's GridSample.
# Its cubic mode is called "bicubic" in opset 16, and "cubic" since opset 20.
#
# Expected: both words mean the same in a runtime that reads both; a word that is not known is refused.
# Seen: of pixels 0, 1, 2, 3, 8, 2, 0 and 1, the value half way between 3 and 8 is 6.16 by ONNX Runtime 1.32 and OpenVINO
# 2026.4, at both opsets. The dnn module of OpenCV 5.0 agrees at opset 16. At opset 20 it says 5.5, which is linear. Nothing is
# said.
# What helps: export at opset 16 to 19.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    openvino==2026.4.1 opencv-python-headless==5.0.0.93
cd "$room"
cat > show.py <<'PYTHON'
import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper
from onnx.checker import check_model

PIXELS = np.tile(np.array([0, 1, 2, 3, 8, 2, 0, 1], np.float32), (1, 1, 3, 1))
PLACE = np.zeros((1, 1, 1, 2), np.float32)  # the middle of the picture: between the fourth and the fifth pixel


def answers(opset, mode):
    """The pixel in the middle, by three runtimes."""
    node = helper.make_node("GridSample", ["pixels", "place"], ["answer"], mode=mode, padding_mode="border")
    given = {"pixels": PIXELS, "place": PLACE}
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in given.items()]
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [1, 1, 1, 1])
    graph = helper.make_graph([node], "sample", inputs, [answer])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    check_model(model)
    data = model.SerializeToString()
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    for name, value in given.items():
        network.setInput(value, name)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    compiled = openvino.compile_model(openvino.Core().read_model(data), "CPU")
    found = {
        "ONNX Runtime": session.run(None, given)[0],
        "OpenVINO": next(iter(compiled(given).values())),
        "OpenCV": network.forward(),
    }
    for name, value in found.items():
        print(f'opset {opset}, "{mode}", {name}: {value.item():.2f}')
    return [round(value.item(), 2) for value in found.values()]


assert answers(16, "bicubic") == [6.16, 6.16, 6.16]
assert answers(20, "cubic") == [6.16, 6.16, 5.5]
assert answers(20, "linear") == [5.5, 5.5, 5.5]
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
