#!/usr/bin/env bash
# tract runs ONNX networks without a runtime of hundreds of megabytes, and has a package for Python.
#
# Expected: it computes what ONNX says, as ONNX Runtime does, or refuses a network.
# Seen (tract 0.23.9, ONNX Runtime 1.32.0), each without a word:
# - Celu with alpha=0.5 gives -0.998 for -3, where 0.5 * (exp(-3 / 0.5) - 1) is -0.499: alpha is missing in front.
#   With the default 1 all is right.
# - GlobalLpPool with p=2 takes the mean of the squares, not their sum: 2.74 in place of 5.48 for 1, 2, 3 and 4. With
#   p=1 it adds values, not absolute values: -0.5 in place of 10 for 1, -2, 3 and -4.
# - ConvTranspose with an output_shape that leaves an odd row and column: ONNX drops them at the beginning, where
#   auto_pad is not SAME_UPPER; tract drops them at the end. A map that is enlarged so lies one pixel further to the
#   right and down.
# What helps: compare the outputs with ONNX Runtime's once; `pads` in place of output_shape.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
import tract
from onnx import TensorProto, helper, numpy_helper


def answers(operator, given, weights=(), **options):
    """What ONNX Runtime and tract compute."""
    names = [f"weights{number}" for number in range(len(weights))]
    node = helper.make_node(operator, ["given", *names], ["answer"], **options)
    graph = helper.make_graph(
        [node],
        "one operator",
        [helper.make_tensor_value_info("given", TensorProto.FLOAT, given.shape)],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None] * given.ndim)],
        [numpy_helper.from_array(values, name) for name, values in zip(names, weights, strict=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, "network.onnx")
    (one,) = onnxruntime.InferenceSession("network.onnx").run(None, {"given": given})
    (other,) = tract.onnx().load("network.onnx").into_model().into_runnable().run([given])
    both = np.round(one, 3), np.round(other.to_numpy(), 3)
    print(f"{operator} {options}: ONNX Runtime {both[0].ravel()[:4]}, tract {both[1].ravel()[:4]}")
    return [values.ravel().tolist() for values in both]


def picture(*rows):
    return np.array([[rows]], np.float32)


right, wrong = answers("Celu", np.array([-3, -1, 2], np.float32), alpha=0.5)
assert np.allclose(right, [0.5 * (np.exp(-6) - 1), 0.5 * (np.exp(-2) - 1), 2], atol=1e-3)
assert np.allclose(wrong, [np.exp(-6) - 1, np.exp(-2) - 1, 2], atol=1e-3)
right, wrong = answers("Celu", np.array([-3, -1, 2], np.float32))
assert right == wrong

right, wrong = answers("GlobalLpPool", picture([1, -2], [3, -4]), p=2)
assert np.allclose([*right, *wrong], [30**0.5, 7.5**0.5], atol=1e-3)
assert answers("GlobalLpPool", picture([1, -2], [3, -4]), p=1) == [[10], [-0.5]]

given, kernel = picture([1, 10], [100, 1000]), np.ones((1, 1, 3, 3), np.float32)
whole, same = answers("ConvTranspose", given, [kernel], strides=[2, 2])  # 5 by 5
assert whole == same
whole = np.reshape(whole, (5, 5))
right, wrong = answers("ConvTranspose", given, [kernel], strides=[2, 2], output_shape=[4, 4])
assert right == whole[1:, 1:].ravel().tolist() and wrong == whole[:-1, :-1].ravel().tolist()
PYTHON
"$room/venv/bin/python" -W ignore show.py | grep tract
