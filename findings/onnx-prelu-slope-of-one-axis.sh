#!/usr/bin/env bash
# A slope of PRelu in ONNX is broadcast to the input from the last axis. Networks that come from MXNet or PyTorch have one
# slope a channel, and some converters write it with one axis, (channels,), where (channels, 1, 1) is meant. Where the width
# equals the number of channels, such a file runs everywhere.
#
# Expected: all runtimes read the file alike.
# Seen: ONNX Runtime 1.32 and ONNX's own reference take the slope along the width, as the standard says. OpenVINO 2026.4 and
# the dnn module of OpenCV 5.0 take it along the channels.
# What helps: write slopes as (channels, 1, 1), which all four read alike.
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

SLOPES = np.array([0.1, 0.2, 0.3], np.float32)
IMAGE = -np.ones((1, 3, 3, 3), np.float32)


def model(slopes):
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, IMAGE.shape)
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, IMAGE.shape)
    node = helper.make_node("PRelu", ["image", "slopes"], ["answer"])
    graph = helper.make_graph([node], "prelu", [image], [answer], [numpy_helper.from_array(slopes, "slopes")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)


def by_opencv(graph):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(graph.SerializeToString(), np.uint8))
    network.setInput(IMAGE)
    return network.forward()


def by_openvino(graph):
    compiled = openvino.compile_model(openvino.Core().read_model(graph.SerializeToString()), "CPU")
    return next(iter(compiled([IMAGE]).values()))


def by_onnxruntime(graph):
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"image": IMAGE})[0]


RUNTIMES = {
    "ONNX Runtime": by_onnxruntime,
    "ONNX's reference": lambda graph: ReferenceEvaluator(graph).run(None, {"image": IMAGE})[0],
    "OpenVINO": by_openvino,
    "OpenCV": by_opencv,
}


def axis(answer):
    along_width = -np.broadcast_to(SLOPES, IMAGE.shape)
    along_channels = -np.broadcast_to(SLOPES[:, None, None], IMAGE.shape)
    if np.allclose(answer, along_width, atol=1e-2):
        return "width"
    return "channels" if np.allclose(answer, along_channels, atol=1e-2) else "neither"


seen = {name: axis(run(model(SLOPES))) for name, run in RUNTIMES.items()}
clear = {name: axis(run(model(SLOPES[:, None, None]))) for name, run in RUNTIMES.items()}
for name in RUNTIMES:
    print(f"{name}: a slope of shape (3,) along the {seen[name]}, of shape (3, 1, 1) along the {clear[name]}")
assert list(seen.values()) == ["width", "width", "channels", "channels"]
assert set(clear.values()) == {"channels"}
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
