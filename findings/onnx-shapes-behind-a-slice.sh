#!/usr/bin/env bash
# A network that adds two maps of a pyramid cuts the larger one to the other's size: Slice with an end that comes from Shape.
# With an input of fixed size, all sizes behind it follow from the file.
#
# Expected: ONNX's own shape inference with data_prop=True, which is meant for such numbers, finds them.
# Seen (onnx 1.23.2): height and width behind the Slice stay open, and so do those of all layers that follow. Who counts
# multiplications by these shapes leaves those layers out, without a word. The symbolic inference that comes with ONNX
# Runtime 1.32 finds them.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 sympy==1.14.0
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
from onnx import TensorProto, helper, numpy_helper, shape_inference
from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference

nodes = [
    helper.make_node("Shape", ["small"], ["size"], start=2),
    helper.make_node("Slice", ["large", "start", "size", "axes"], ["cut"]),
    helper.make_node("Conv", ["cut", "kernel"], ["answer"], pads=[1, 1, 1, 1]),
]
constants = {"start": np.array([0, 0]), "axes": np.array([2, 3]), "kernel": np.ones((1, 1, 3, 3), np.float32)}
given = [helper.make_tensor_value_info("small", TensorProto.FLOAT, [1, 1, 5, 7])]
given += [helper.make_tensor_value_info("large", TensorProto.FLOAT, [1, 1, 6, 8])]
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [1, 1, None, None])
tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
graph = helper.make_graph(nodes, "pyramid", given, [answer], tensors)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def size(inferred):
    """Height and width behind the Slice; None where they are open."""
    (cut,) = [value for value in inferred.graph.value_info if value.name == "cut"]
    return [length.dim_value if length.HasField("dim_value") else None for length in cut.type.tensor_type.shape.dim[2:]]


by_onnx = size(shape_inference.infer_shapes(model, strict_mode=True, data_prop=True))
by_runtime = size(SymbolicShapeInference.infer_shapes(model))
print(f"onnx: {by_onnx}; ONNX Runtime's symbolic inference: {by_runtime}")
assert by_onnx == [None, None] and by_runtime == [5, 7]
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
