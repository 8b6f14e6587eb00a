#!/usr/bin/env bash
# Until opset 12, ONNX's Softmax flattens its input into a matrix at `axis` and normalises whole rows; since opset 13 it
# normalises along `axis` alone. Files of opset 11 are still what many detectors and classifiers come as.
#
# Expected: a runtime that reads opset 11 computes what opset 11 says.
# Seen: ONNX Runtime 1.32 does. ONNX 1.23's own reference, OpenVINO 2026.4 and the dnn module of OpenCV 5.0 compute opset
# 13's, without a word. The sums over what opset 11 makes one row are 3, where they are 1.
# What helps: convert the file by onnx.version_converter, or flatten before Softmax as the exporters for opset 13 do.
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
from onnx.reference import ReferenceEvaluator

SCORES = np.random.default_rng(0).normal(size=(1, 2, 3)).astype(np.float32)
shape = helper.make_tensor_value_info("scores", TensorProto.FLOAT, SCORES.shape)
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, SCORES.shape)
node = helper.make_node("Softmax", ["scores"], ["answer"], axis=1)
graph = helper.make_graph([node], "softmax", [shape], [answer])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)

network = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
network.setInput(SCORES)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
compiled = openvino.compile_model(openvino.Core().read_model(model.SerializeToString()), "CPU")
sums = {
    "ONNX Runtime": session.run(None, {"scores": SCORES})[0].sum(),
    "ONNX's reference": ReferenceEvaluator(model).run(None, {"scores": SCORES})[0].sum(),
    "OpenVINO": next(iter(compiled([SCORES]).values())).sum(),
    "OpenCV": network.forward().sum(),
}
for name, total in sums.items():
    print(f"{name}: the sum of a row of 2 x 3 is {total:.2f}")
assert [round(float(total)) for total in sums.values()] == [1, 3, 3, 3]
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
