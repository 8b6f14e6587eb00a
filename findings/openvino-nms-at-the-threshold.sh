#!/usr/bin/env bash
# Detectors that are exported with their NonMaxSuppression: by ONNX, a box goes when it overlaps a better one by more than
# iou_threshold.
#
# Expected: of two boxes that overlap by exactly the threshold, both stay, in every runtime.
# Seen: both stay in ONNX Runtime 1.32 and ONNX's own reference. In OpenVINO 2026.4 the second goes. Boxes of whole pixels,
# such as those of a grid of anchors, meet a threshold of 0.5 exactly: the number of answers depends on the runtime.
# What helps: a threshold that no pair of boxes can meet exactly, such as 0.5 and a little.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    openvino==2026.4.1
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

BOXES = np.array([[[0, 0, 20, 10], [0, 0, 10, 10], [50, 50, 60, 60]]], np.float32)  # the second is half of the first
SCORES = np.array([[[0.9, 0.8, 0.7]]], np.float32)
limits = [numpy_helper.from_array(np.array([10]), "most"), numpy_helper.from_array(np.float32([0.5]), "iou")]
node = helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "iou"], ["kept"])
given = [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, BOXES.shape)]
given += [helper.make_tensor_value_info("scores", TensorProto.FLOAT, SCORES.shape)]
kept = helper.make_tensor_value_info("kept", TensorProto.INT64, [None, 3])
graph = helper.make_graph([node], "nms", given, [kept], limits)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
data, inputs = model.SerializeToString(), {"boxes": BOXES, "scores": SCORES}

session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
compiled = openvino.compile_model(openvino.Core().read_model(data), "CPU")
found = {
    "ONNX Runtime": session.run(None, inputs)[0],
    "ONNX's reference": ReferenceEvaluator(model).run(None, inputs)[0],
    "OpenVINO": next(iter(compiled(inputs).values())),
}
for name, rows in found.items():
    print(f"{name}: boxes {rows[:, 2].tolist()} stay")
assert [rows[:, 2].tolist() for rows in found.values()] == [[0, 1, 2], [0, 1, 2], [0, 2]]
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
