#!/usr/bin/env bash
# A file of ONNX names its opset. A new one may give an old operator an option: SpaceToDepth, with which some detectors begin,
# has had a `mode` since opset 28, as DepthToSpace has had for long: "CRD" keeps the pixels of a channel together.
#
# Expected: a runtime that does not know opset 28, or not this option, refuses the file.
# Seen, for a channel of 0 to 3 and one of 4 to 7: with "CRD" ONNX Runtime 1.32 and ONNX's own reference give 0, 1, 2 ... 7.
# OpenVINO 2026.4 and the dnn module of OpenCV 5.0 open the file, and give 0, 4, 1, 5, 2, 6, 3, 7, which is the other mode.
# Nothing is said: the detector finds nothing, or something else.
# What helps: export at the lowest opset that has what the network needs.
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
from onnx.reference import ReferenceEvaluator

PIXELS = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)


def answers(mode):
    """The eight channels of one pixel, by each runtime."""
    node = helper.make_node("SpaceToDepth", ["pixels"], ["depth"], blocksize=2, mode=mode)
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, PIXELS.shape)
    depth = helper.make_tensor_value_info("depth", TensorProto.FLOAT, [1, 8, 1, 1])
    graph = helper.make_graph([node], "depth", [pixels], [depth])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 28)], ir_version=13)
    check_model(model)
    data = model.SerializeToString()
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    network.setInput(PIXELS)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    compiled = openvino.compile_model(openvino.Core().read_model(data), "CPU")
    found = {
        "ONNX Runtime": session.run(None, {"pixels": PIXELS})[0],
        "ONNX's reference": ReferenceEvaluator(model).run(None, {"pixels": PIXELS})[0],
        "OpenVINO": next(iter(compiled([PIXELS]).values())),
        "OpenCV": network.forward(),
    }
    for name, channels in found.items():
        print(f"mode {mode}, {name}: {channels.ravel().astype(int).tolist()}")
    return [channels.ravel().tolist() for channels in found.values()]


together, apart = [0, 1, 2, 3, 4, 5, 6, 7], [0, 4, 1, 5, 2, 6, 3, 7]
assert answers("DCR") == [apart] * 4
assert answers("CRD") == [together, together, apart, apart]
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
