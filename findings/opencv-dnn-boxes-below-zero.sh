#!/usr/bin/env bash
# Detectors that are exported with their NonMaxSuppression may give it raw scores, before any sigmoid, which are below 0 for
# what is less likely than not. Its input score_threshold can be left out, and then every score counts.
#
# Expected: three boxes that do not touch, with scores 2, -1 and -3, all stay.
# Seen: they do in ONNX Runtime 1.32, OpenVINO 2026.4 and ONNX's own reference. The dnn module of OpenCV 5.0 gives the first
# alone, without a word: what is missing is 0 for it. A threshold of -2 in the file is an error there.
# What helps: a sigmoid before the operator, with the threshold changed likewise.
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
from onnx import TensorProto, helper, numpy_helper
from onnx.checker import check_model
from onnx.reference import ReferenceEvaluator

BOXES = np.array([[[0, 0, 10, 10], [20, 20, 30, 30], [40, 40, 50, 50]]], np.float32)
SCORES = np.array([[[2, -1, -3]]], np.float32)
GIVEN = {"boxes": BOXES, "scores": SCORES}
limits = [numpy_helper.from_array(np.array([10]), "most"), numpy_helper.from_array(np.float32([0.5]), "iou")]
node = helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "iou"], ["kept"])
inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in GIVEN.items()]
kept = helper.make_tensor_value_info("kept", TensorProto.INT64, [None, 3])
graph = helper.make_graph([node], "nms", inputs, [kept], limits)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
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
    "OpenVINO": next(iter(compiled(GIVEN).values())),
    "OpenCV": network.forward(),
}
for name, rows in found.items():
    print(f"{name}: boxes {rows[:, 2].tolist()} stay")
assert [rows[:, 2].tolist() for rows in found.values()] == [[0, 1, 2], [0, 1, 2], [0, 1, 2], [0]]
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
