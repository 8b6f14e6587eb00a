#!/usr/bin/env bash
# An ONNX convolution or pooling with auto_pad gets the odd row and column of padding at the end (SAME_UPPER, what
# TensorFlow does) or at the beginning (SAME_LOWER). OpenCV's dnn module reads both, but chooses the side by itself.
#
# Expected: OpenCV gives what ONNX Runtime gives, or refuses the file.
# Seen: OpenCV 4.14 pads at the end always, so SAME_LOWER is wrong. OpenCV 5.0 pads at the beginning for odd kernels and at
# the end for even ones, whatever the file says: a TensorFlow network with 3 by 3 kernels and a stride of 2 on even sizes,
# right in OpenCV 4, is wrong in OpenCV 5. Nothing is said in either.
# What helps: write the padding out as `pads` before the file is given to OpenCV.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
cd "$room"
cat > show.py <<'PYTHON'
import cv2
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

CASES = [(kernel, side) for kernel in (2, 3) for side in ("SAME_UPPER", "SAME_LOWER")]


def differs(kernel, side):
    size = 8 if kernel == 3 else 7  # so that one row and one column are left over
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, size, size])
    pooled = helper.make_tensor_value_info("pooled", TensorProto.FLOAT, [1, 1, 4, 4])
    node = helper.make_node("MaxPool", ["image"], ["pooled"], kernel_shape=[kernel] * 2, strides=[2, 2], auto_pad=side)
    graph = helper.make_graph([node], "pool", [image], [pooled])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    pixels = np.arange(size * size, dtype=np.float32).reshape(1, 1, size, size)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    network = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    network.setInput(pixels)
    return not np.array_equal(session.run(None, {"image": pixels})[0], network.forward())


seen = [case for case in CASES if differs(*case)]
print(f"OpenCV {cv2.__version__} differs from ONNX Runtime for", *(f"{k} by {k} {side}," for k, side in seen))
lower = [(2, "SAME_LOWER"), (3, "SAME_LOWER")]
assert seen == {"4": lower, "5": [(2, "SAME_LOWER"), (3, "SAME_UPPER")]}[cv2.__version__[0]]
PYTHON
for opencv in 4.14.0.94 5.0.0.93; do
    python3 -m venv "$room/$opencv"
    "$room/$opencv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
        "opencv-python-headless==$opencv"
    "$room/$opencv/bin/python" show.py
done
