#!/usr/bin/env bash
# A 0 in the shape of ONNX's Reshape stands for the length that the input has at this place. onnxoptimizer makes one Reshape of
# two that follow each other.
#
# Expected: networks have the same answer afterwards. The 0 of the second Reshape is a length that the first one has made.
# Seen (onnxoptimizer 0.4.2, ONNX Runtime 1.32): the first Reshape is dropped, and the 0 stands for a length of its input. Two
# frames with three crops of four numbers, put together as six crops, and these cut into halves, are (6, 2, 2) before, and
# (2, 2, 6) afterwards. With (0, 4) in place of (0, 2, -1) the network fails when it runs. Nothing is said, and onnx's
# checker accepts both.
# What helps: all passes but eliminate_consecutive_idempotent_ops, or lengths in place of 0.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    onnxoptimizer==0.4.2
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
import onnxruntime
import onnxoptimizer
from onnx import TensorProto, checker, helper, numpy_helper

CROPS = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
PASSES = onnxoptimizer.get_fuse_and_elimination_passes()  # the default


def network(first, second):
    shapes = [numpy_helper.from_array(np.array(shape), name) for shape, name in ((first, "first"), (second, "second"))]
    nodes = [
        helper.make_node("Reshape", ["crops", "first"], ["together"]),
        helper.make_node("Reshape", ["together", "second"], ["answer"]),
    ]
    given = helper.make_tensor_value_info("crops", TensorProto.FLOAT, CROPS.shape)
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None] * len(second))
    graph = helper.make_graph(nodes, "shapes", [given], [answer], shapes)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    checker.check_model(model)
    return model


def shape(model):
    checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    try:
        return session.run(None, {"crops": CROPS})[0].shape
    except Exception as error:
        return type(error).__name__


def before_and_after(first, second, passes=PASSES):
    model = network(first, second)
    found = shape(model), shape(onnxoptimizer.optimize(model, passes))
    print(f"(2, 3, 4) by {first} and {second}: {found[0]}, optimised {found[1]}")
    return found


assert before_and_after([-1, 4], [0, 2, -1]) == ((6, 2, 2), (2, 2, 6))
assert before_and_after([-1, 4], [0, -1]) == ((6, 4), (2, 12))
assert before_and_after([-1, 4], [0, 4]) == ((6, 4), "Fail")
assert before_and_after([-1, 4], [-1, 2, 2]) == ((6, 2, 2), (6, 2, 2))
others = [name for name in PASSES if name != "eliminate_consecutive_idempotent_ops"]
assert before_and_after([-1, 4], [0, 2, -1], others) == ((6, 2, 2), (6, 2, 2))
PYTHON
"$room/venv/bin/python" show.py
