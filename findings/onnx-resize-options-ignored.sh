#!/usr/bin/env bash
# Networks that bring their own resizing, so that they take pictures of any size, are written with ONNX's Resize of opset 18:
# antialias=1 looks at all pixels when a picture shrinks, and keep_aspect_ratio_policy fits it into a box.
#
# Expected: a runtime that does not know an option refuses the file.
# Seen: ONNX Runtime 1.32 and ONNX's own reference do what the options say. OpenVINO 2026.4 and the dnn module of OpenCV 5.0
# shrink as if antialias were 0, without a word: of a chequered picture they see one colour. OpenVINO also ignores
# keep_aspect_ratio_policy: it stretches a tall picture into the whole box. OpenCV refuses that one.
# What helps: resize before the network.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    openvino==2026.4.1 opencv-python-headless==5.0.0.93
cd "$room"
cat > show.py <<'PYTHON'
import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


def resizing(images, size, **options):
    """A file that resizes to a shape."""
    node = helper.make_node("Resize", ["images", "", "", "size"], ["answer"], mode="linear", **options)
    given = helper.make_tensor_value_info("images", TensorProto.FLOAT, images.shape)
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [1, 1, None, None])
    graph = helper.make_graph([node], "resize", [given], [answer], [numpy_helper.from_array(np.array(size), "size")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def answers(model, images):
    """What four runtimes make of it; None where one refuses."""
    data = model.SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    compiled = openvino.compile_model(openvino.Core().read_model(data), "CPU")
    found = {
        "ONNX Runtime": session.run(None, {"images": images})[0],
        "ONNX's reference": ReferenceEvaluator(model).run(None, {"images": images})[0],
        "OpenVINO": next(iter(compiled([images]).values())),
    }
    try:
        network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
        network.setInput(images)
        found["OpenCV"] = network.forward()
    except cv2.error:
        found["OpenCV"] = None
    return found


chequered = np.zeros((1, 1, 9, 9), np.float32)
chequered[..., 1::3, 1::3] = 9
smaller = answers(resizing(chequered, [1, 1, 3, 3], antialias=1), chequered)
for name, found in smaller.items():
    print(f"{name}: one pixel of nine is 9, and the middle of the smaller picture is {found[0, 0, 1, 1]:.2f}")
tall = np.ones((1, 1, 8, 4), np.float32)
fitted = answers(resizing(tall, [16, 16], keep_aspect_ratio_policy="not_larger", axes=[2, 3]), tall)
for name, found in fitted.items():
    print(f"{name}: 8 x 4 fitted into 16 x 16 is", "refused" if found is None else f"{found.shape[2]} x {found.shape[3]}")
middles = [float(found[0, 0, 1, 1]) for found in smaller.values()]
assert np.allclose(middles[:2], middles[0]) and middles[0] < 2 and middles[2:] == [9, 9], middles
shapes = [None if found is None else found.shape[2:] for found in fitted.values()]
assert shapes == [(16, 8), (16, 8), (16, 16), None], shapes
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
