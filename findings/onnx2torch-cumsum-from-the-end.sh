#!/usr/bin/env bash
# onnx2torch turns an ONNX file into a torch module. Detectors with transformers count rows and columns by CumSum to know
# where a pixel is, and look for what a mask leaves by NonZero.
#
# Expected: an operator that is converted computes what ONNX says, or conversion is refused.
# Seen (onnx2torch 1.5.15): CumSum without options sums from the end, which is ONNX's reverse=1. NonZero gives a row a
# place, (n, axes) as in torch, where ONNX gives a column, (axes, n). Both without a warning; ONNX Runtime is right.
# What helps: compare the module's outputs with ONNX Runtime's once, on an input that is not symmetric.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    torch==2.14.1 torchvision==0.29.2 onnx2torch==1.5.15
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
import onnx2torch
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper


def both(name, values, kind, shape, *more):
    """What ONNX Runtime and onnx2torch make of one operator."""
    node = helper.make_node(name, ["values", *(tensor.name for tensor in more)], ["answer"])
    given = helper.make_tensor_value_info("values", TensorProto.FLOAT, values.shape)
    graph = helper.make_graph([node], name, [given], [helper.make_tensor_value_info("answer", kind, shape)], more)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    in_torch = onnx2torch.convert(model)(torch.from_numpy(values)).numpy()
    answers = session.run(None, {"values": values})[0].tolist(), in_torch.tolist()
    print(f"{name}: ONNX Runtime {answers[0]}, onnx2torch {answers[1]}")
    return answers


axis = numpy_helper.from_array(np.array(0), "axis")
sums = both("CumSum", np.float32([1, 2, 3]), TensorProto.FLOAT, [3], axis)
places = both("NonZero", np.float32([[1, 0, 1, 1]]), TensorProto.INT64, [2, None])
assert sums == ([1, 3, 6], [6, 5, 3]), sums
assert places == ([[0, 0, 0], [0, 2, 3]], [[0, 0], [0, 2], [0, 3]]), places
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
