#!/usr/bin/env bash
# Networks that come from Caffe or MXNet pool with ceil_mode=1, so that a window may reach over the edge. By ONNX since opset
# 19, as in PyTorch, a window that would begin in the padding on the right is left out, and an average counts padding but not
# what lies beyond it.
#
# Expected: runtimes agree on the shape, and no window is empty.
# Seen: ONNX Runtime 1.32 and ONNX's own reference leave the window out. ONNX's own shape inference counts it. OpenVINO 2026.4
# (maximum) and the dnn module of OpenCV 5.0 (maximum and average) compute it: one row and one column more, filled with
# -3.4e38 or NaN. Averages that count padding differ at the edge: 9 by the first two, 4 by the other two.
# What helps: write the padding out as a Pad, and pool without ceil_mode.
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
from onnx.shape_inference import infer_shapes


def pool(operator, size, kernel, stride, **options):
    """The number of columns that ONNX infers, and the last row that each runtime makes of 1, 2, 3 … as a picture."""
    shape = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [1] * 4, "ceil_mode": 1}
    node = helper.make_node(operator, ["image"], ["pooled"], **shape, **options)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, size, size])
    pooled = helper.make_tensor_value_info("pooled", TensorProto.FLOAT, [1, 1, None, None])
    graph = helper.make_graph([node], "pool", [image], [pooled])
    model = infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9))
    columns = model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    pixels = 1 + np.arange(size * size, dtype=np.float32).reshape(1, 1, size, size)
    network = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
    network.setInput(pixels)
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    compiled = openvino.compile_model(openvino.Core().read_model(model.SerializeToString()), "CPU")
    answers = {
        "ONNX Runtime": session.run(None, {"image": pixels})[0],
        "ONNX's reference": ReferenceEvaluator(model).run(None, {"image": pixels})[0],
        "OpenVINO": next(iter(compiled([pixels]).values())),
        "OpenCV": network.forward(),
    }
    return columns, {name: answer[0, 0, -1] for name, answer in answers.items()}


inferred, largest = pool("MaxPool", size=4, kernel=2, stride=3)
_, average = pool("AveragePool", size=4, kernel=2, stride=3)
_, counted = pool("AveragePool", size=6, kernel=3, stride=2, count_include_pad=1)
print(f"columns by ONNX's shape inference: {inferred}")
for name in largest:
    print(f"{name}: maximum {largest[name]}, average {average[name]}, average with padding {counted[name]}")
assert inferred == 3
assert [len(row) for row in largest.values()] == [2, 2, 3, 3]
assert [len(row) for row in average.values()] == [2, 2, 2, 3]
assert all((row < -3e38).all() for name, row in largest.items() if name in ("OpenVINO", "OpenCV"))
assert np.isnan(average["OpenCV"]).all()
assert [round(float(row[-1])) for row in counted.values()] == [9, 9, 4, 4]
PYTHON
"$room/venv/bin/python" show.py
