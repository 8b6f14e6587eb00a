#!/usr/bin/env bash
# Whoever writes a runtime or a converter for ONNX compares with the reference implementation that the package onnx brings,
# since the standard's own people wrote it.
#
# Expected: the reference computes what the standard says of an operator, or raises an error.
# Seen (onnx 1.23.2), each without a word, and each right in ONNX Runtime 1.32:
# - ConvTranspose with groups, as networks enlarge maps channel by channel: every group gets the bias of the first one.
# - LRN: the sum of squares is taken for as many channels as the batch has pictures; the other channels are not normalised.
# - LpNormalization with p=1 divides by the sum of values, not of absolute values.
# - RNN, GRU and LSTM ignore sequence_lens: a sequence goes on behind its end, where the standard says zeros.
# What helps: two judges, such as ONNX Runtime beside the reference.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.checker import check_model
from onnx.reference import ReferenceEvaluator


def both(operator, values, constants=(), **options):
    """What ONNX Runtime and the reference make of one operator; a constant of None is an input left out."""
    values = np.array(values, np.float32)
    names = ["" if constant is None else f"c{number}" for number, constant in enumerate(constants)]
    node = helper.make_node(operator, ["values", *names], ["answer"], **options)
    given = helper.make_tensor_value_info("values", TensorProto.FLOAT, values.shape)
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None] * 4)
    weights = [numpy_helper.from_array(constant, name) for constant, name in zip(constants, names) if name]
    graph = helper.make_graph([node], "one", [given], [answer], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7)
    check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = session.run(None, {"values": values})[0], ReferenceEvaluator(model).run(None, {"values": values})[0]
    runtime, reference = (answer.ravel().astype(float).round(3).tolist() for answer in answers)
    print(f"{operator}: ONNX Runtime {runtime}, reference {reference}")
    return runtime, reference


ones = np.ones((2, 1, 1, 1), np.float32)
found = both("ConvTranspose", np.zeros((1, 2, 1, 1)), [ones, np.float32([10, 20])], group=2)
assert found == ([10, 20], [10, 10])
found = both("LRN", np.ones((1, 3, 1, 1)), size=1, alpha=1.0, beta=1.0, bias=1.0)
assert found == ([0.5, 0.5, 0.5], [0.5, 1, 1])
found = both("LpNormalization", [[[[3, -1]]]], p=1)
assert found == ([0.75, -0.25], [1.5, -0.5])
one, length = np.ones((1, 1, 1), np.float32), np.array([1], np.int32)
found = both("RNN", np.ones((2, 1, 1)), [one, one, None, length], hidden_size=1)
assert found == ([0.762, 0], [0.762, 0.943])
PYTHON
"$room/venv/bin/python" show.py
