#!/usr/bin/env bash
# MNN runs networks on phones. Its converter takes ONNX files, in which Pad with negative numbers cuts a border off
# (as torch's pad exports it), GridSample looks up pixels at any place, and Resize can be cubic.
#
# Expected: the converted network computes what ONNX Runtime does, or the converter refuses.
# Seen (MNN 3.6.1, ONNX Runtime 1.32.0), each without a word:
# - Pad that cuts 2 columns on the left and 1 on the right gives the first columns, as if all 3 were cut on the right:
#   1, 2, 3 of 1 to 6 in place of 3, 4, 5. One that cuts on the left and adds on the right is right.
# - GridSample with padding_mode "reflection" repeats the border: beyond a row's end it says 0, its first pixel, where
#   the reflected place half way between 0 and 1 is 0.5. Its bicubic mode is linear.
# - Resize ignores cubic_coeff_a, by which Pillow's cubic (-0.5) differs from torch's (-0.75): -0.5 gives what
#   -0.75 gives.
# What helps: Slice in place of such a Pad; a comparison with ONNX Runtime once, on an input that is not symmetric.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 MNN==3.6.1
export PATH="$room/venv/bin:$PATH"
cd "$room"
cat > show.py <<'PYTHON'
import subprocess

import MNN.expr as F
import MNN.nn
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def answers(operator, row, given, **options):
    """What ONNX Runtime and MNN compute of a row of pixels; `given` are the operator's other inputs."""
    names = [f"other{number}" if len(values) else "" for number, values in enumerate(given)]
    pixels = np.array([[[row]]], np.float32)
    graph = helper.make_graph(
        [helper.make_node(operator, ["row", *names], ["answer"], **options)],
        "one operator",
        [helper.make_tensor_value_info("row", TensorProto.FLOAT, pixels.shape)],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(values, name) for name, values in zip(names, given, strict=True) if name],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, "network.onnx")
    (one,) = onnxruntime.InferenceSession("network.onnx").run(None, {"row": pixels})
    command = ["mnnconvert", "-f", "ONNX", "--modelFile", "network.onnx", "--MNNModel", "network.mnn", "--bizCode", "x"]
    subprocess.run(command, check=True, capture_output=True)
    network = MNN.nn.load_module_from_file("network.mnn", ["row"], ["answer"])
    (other,) = network.forward([F.const(pixels.copy(), list(pixels.shape), F.NCHW, F.float)])
    both = [np.array(values, float).round(3).ravel().tolist() for values in (one, F.convert(other, F.NCHW).read())]
    print(f"{operator} {options}: ONNX Runtime {both[0][:6]}, MNN {both[1][:6]}")
    return both


def pads(left, right):
    return [np.array([0, 0, 0, left, 0, 0, 0, right])]


def places(*columns):
    """A grid at these columns of a row of 8 pixels, which begins at -1 and ends at 1."""
    return [np.array([[[[(2 * column + 1) / 8 - 1, 0] for column in columns]]], np.float32)]


assert answers("Pad", range(1, 7), pads(-2, 1)) == [[3, 4, 5, 6, 0]] * 2
assert answers("Pad", range(1, 7), pads(-2, -1)) == [[3, 4, 5], [1, 2, 3]]
row = [0, 1, 2, 3, 8, 2, 0, 1]
assert answers("GridSample", row, places(3.5, -1.5, 8.5), padding_mode="reflection") == [[5.5, 0.5, 0.5], [5.5, 0, 1]]
cubic, linear = answers("GridSample", row, places(3.5), mode="bicubic")
assert (cubic, linear) == ([6.156], [5.5])
options = {"mode": "cubic", "coordinate_transformation_mode": "half_pixel"}
none = np.array([], np.float32)
double = [none, np.array([1, 1, 1, 2], np.float32)]
steep, flat = answers("Resize", row, double, **options), answers("Resize", row, double, **options, cubic_coeff_a=-0.5)
inner = slice(2, -2)
assert np.allclose(steep[0][inner], steep[1][inner], atol=2e-3) and steep[1] == flat[1]
assert max(abs(np.subtract(flat[0][inner], flat[1][inner]))) > 0.1
PYTHON
"$room/venv/bin/python" -W ignore show.py | grep Runtime
