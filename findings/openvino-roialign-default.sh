#!/usr/bin/env bash
# Detectors with a second stage cut features out of a map by RoiAlign. Its sampling_ratio is 0 if the file does not say
# otherwise: each cell of the answer is the mean of as many samples as it is map cells high and wide, rounded up.
#
# Expected: a file that leaves sampling_ratio out gives what the same file with sampling_ratio 0 gives.
# Seen: of squares 0, 1, 4, 9 ... in a row, a box of 7 cells pooled into 2 gives 2.67 and 23.69 by ONNX Runtime 1.32, ONNX's own
# reference and the dnn module of OpenCV 5.0, with and without the attribute. OpenVINO 2026.4 gives these with it, and
# 1.75 and 22.75 without: it takes 1, a single sample a cell.
# What helps: write the 0 into the file.
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

GIVEN = {
    "map": np.tile(np.arange(8, dtype=np.float32) ** 2, (1, 1, 8, 1)),
    "box": np.array([[0, 0, 7, 7]], np.float32),
    "picture": np.array([0]),
}


def answers(**options):
    """The two features of the upper row, by each runtime."""
    node = helper.make_node("RoiAlign", list(GIVEN), ["features"], output_height=2, output_width=2, **options)
    types = [TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.INT64]
    inputs = [helper.make_tensor_value_info(name, kind, GIVEN[name].shape) for name, kind in zip(GIVEN, types)]
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, 1, 2, 2])
    graph = helper.make_graph([node], "align", inputs, [features])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    check_model(model)
    data = model.SerializeToString()
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    for name, value in GIVEN.items():
        network.setInput(value, name)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    compiled = openvino.compile_model(openvino.Core().read_model(data), "CPU")
    found = {
        "ONNX Runtime": session.run(None, GIVEN)[0],
        "ONNX's reference": ReferenceEvaluator(model).run(None, GIVEN)[0],
        "OpenCV": network.forward(),
        "OpenVINO": next(iter(compiled(GIVEN).values())),
    }
    for name, values in found.items():
        print(f"{options or 'no sampling_ratio'}, {name}: {values[0, 0, 0].astype(float).round(2).tolist()}")
    return [values[0, 0, 0] for values in found.values()]


many, single = [2.671875, 23.6875], [1.75, 22.75]
assert np.allclose(answers(sampling_ratio=0), [many] * 4)
assert np.allclose(answers(), [many, many, many, single])
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
