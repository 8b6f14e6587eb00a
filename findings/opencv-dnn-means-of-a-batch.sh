#!/usr/bin/env bash
# A mean, sum or maximum over pictures, rows and columns, as statistics a channel need it: axes 0, 2 and 3 of a batch.
#
# Expected: the dnn module of OpenCV 5 reduces over the axes that the file names, like every other runtime.
# Seen (OpenCV 5.0.0): it does so for batches of one and of two pictures. From three on, other values are added up: of
# 0, 1, 2 ... in three pictures of 4 channels and 2 x 2 pixels, the first channel's sum is 146 in place of 210. No error.
# Axes 2 and 3, 0 and 2, or 0 alone are right.
# What helps: two nodes, one for axes 2 and 3, then one for axis 0.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    opencv-python-headless==5.0.0.93
cd "$room"
cat > show.py <<'PYTHON'
import cv2
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def network(shape, *steps):
    """A file that sums over the axes of each step, one after the other."""
    names = ["images", *(f"sum{number}" for number in range(len(steps)))]
    nodes = [
        helper.make_node("ReduceSum", [names[number], f"axes{number}"], [names[number + 1]], keepdims=1)
        for number in range(len(steps))
    ]
    axes = [numpy_helper.from_array(np.array(step), f"axes{number}") for number, step in enumerate(steps)]
    given = helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)
    answer = helper.make_tensor_value_info(names[-1], TensorProto.FLOAT, (1, shape[1], 1, 1))
    graph = helper.make_graph(nodes, "sums", [given], [answer], axes)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


def sums(model, images):
    """What ONNX Runtime and OpenCV make of the first channel."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    in_opencv = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    in_opencv.setInput(images)
    return [float(np.ravel(found)[0]) for found in (session.run(None, {"images": images})[0], in_opencv.forward())]


seen = []
for pictures in (1, 2, 3):
    images = np.arange(pictures * 16, dtype=np.float32).reshape(pictures, 4, 2, 2)
    seen.append(sums(network(images.shape, [0, 2, 3]), images))
    print(f"batch of {pictures}, axes 0, 2, 3: ONNX Runtime {seen[-1][0]:g}, OpenCV {cv2.__version__} {seen[-1][1]:g}")
seen.append(sums(network(images.shape, [2, 3], [0]), images))
print(f"batch of 3, axes 2, 3 and then 0: ONNX Runtime {seen[-1][0]:g}, OpenCV {seen[-1][1]:g}")
assert seen == [[6, 6], [76, 76], [210, 146], [210, 210]], seen
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
