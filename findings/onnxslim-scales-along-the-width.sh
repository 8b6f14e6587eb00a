#!/usr/bin/env bash
# OnnxSlim makes networks smaller: a Mul behind a Conv goes into the weights of the Conv, if it scales channels.
#
# Expected: a Mul that scales columns or rows stays, or the result is the same.
# Seen (onnxslim 0.1.98, ONNX Runtime 1.32): if there are as many columns, rows or pictures of a batch as channels, here four,
# the scale goes into the channels, and the network computes something else. With five columns the Mul stays, and all is
# right. Nothing is said. onnxsim 0.8.1 leaves the Mul alone.
# What helps: model_check=True, which compares both networks, or onnxsim.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    onnxslim==0.1.98 onnxsim==0.8.1
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
import onnxruntime
import onnxsim
import onnxslim
from onnx import TensorProto, checker, helper, numpy_helper

RANDOM = np.random.default_rng(0)


def network(shape, scale_shape):
    """A Conv with four channels and a Mul behind it."""
    weights = RANDOM.normal(size=(4, 3, 3, 3)).astype(np.float32)
    scale = np.arange(1, 1 + np.prod(scale_shape), dtype=np.float32).reshape(scale_shape)
    conv = helper.make_node("Conv", ["picture", "weights"], ["maps"], pads=[1, 1, 1, 1])
    mul = helper.make_node("Mul", ["maps", "scale"], ["scaled"])
    given = helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)
    scaled = helper.make_tensor_value_info("scaled", TensorProto.FLOAT, [shape[0], 4, *shape[2:]])
    constants = [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(scale, "scale")]
    graph = helper.make_graph([conv, mul], "scales", [given], [scaled], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    checker.check_model(model)
    return model


def answer(model, picture):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"picture": picture})[0]


def compared(name, shape, scale_shape):
    """Whether OnnxSlim leaves the Mul, and whether the answers of OnnxSlim and of onnxsim are right."""
    model = network(shape, scale_shape)
    picture = RANDOM.normal(size=shape).astype(np.float32)
    slim, simple = onnxslim.slim(model), onnxsim.simplify(model)[0]
    kept = "Mul" in {node.op_type for node in slim.graph.node}
    right = [bool(np.allclose(answer(made, picture), answer(model, picture), atol=1e-4)) for made in (slim, simple)]
    print(f"a scale for each {name}: OnnxSlim keeps the Mul {kept}, OnnxSlim is right {right[0]}, onnxsim is right {right[1]}")
    return kept, *right


assert compared("channel", (1, 3, 4, 4), (1, 4, 1, 1)) == (False, True, True)
assert compared("of five columns", (1, 3, 5, 5), (1, 1, 1, 5)) == (True, True, True)
assert compared("of four columns", (1, 3, 4, 4), (1, 1, 1, 4)) == (False, False, True)
assert compared("of four rows", (1, 3, 4, 4), (1, 1, 4, 1)) == (False, False, True)
assert compared("of four pictures", (4, 3, 4, 4), (4, 1, 1, 1)) == (False, False, True)
PYTHON
"$room/venv/bin/python" -W ignore show.py 2>/dev/null
