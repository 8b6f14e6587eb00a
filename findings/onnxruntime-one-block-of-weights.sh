#!/usr/bin/env bash
# ONNX Runtime opens a network whose weights are quantised in blocks, and fails when it runs, if a vector of weights is one
# block: its scale then has one element, and is taken for a scale of the whole tensor, which must not have a block size.
#
# Expected: 8 weights with 2 scales, and 4 weights with 1 scale, in blocks of 4, become numbers by the same rule (ONNX
# operator DequantizeLinear, opset 21: the scale has the rank of the weights, and per axis one element a block).
# Seen (onnxruntime 1.32.0): the checker accepts both, the reference of onnx 1.23.2 computes both, and ONNX Runtime computes
# the first; the second opens without a word and fails at run time: "block_size must be 0 for per-tensor quantization".
# Real networks have it: the biases of the YuNet in 8 bits of OpenCV's model zoo are vectors of one block.
# What helps: turn the weights into numbers in the file.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$room/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

settings = onnxruntime.SessionOptions()
settings.log_severity_level = 4
results = []
for length in (8, 4):
    scales = length // 4
    node = helper.make_node("DequantizeLinear", ["stored", "scale"], ["number"], axis=0, block_size=4)
    given = [
        helper.make_tensor_value_info("stored", TensorProto.INT8, [length]),
        helper.make_tensor_value_info("scale", TensorProto.FLOAT, [scales]),
    ]
    made = [helper.make_tensor_value_info("number", TensorProto.FLOAT, [length])]
    graph = helper.make_graph([node], "blocks", given, made)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    values = {"stored": np.arange(length, dtype=np.int8), "scale": np.arange(1, scales + 1, dtype=np.float32)}
    expected = ReferenceEvaluator(model).run(None, values)[0]
    session = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    try:
        results.append(np.array_equal(session.run(None, values)[0], expected))
    except Exception as error:
        results.append(str(error).rpartition("was false. ")[2])
    print(f"onnxruntime {onnxruntime.__version__}: {scales} blocks: {results[-1]}")
assert results[0] is True and "block_size must be 0" in results[1]
PYTHON
