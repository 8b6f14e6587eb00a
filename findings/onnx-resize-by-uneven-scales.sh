#!/usr/bin/env bash
# ONNX's Resize by a scale of 1.5 makes 4 pixels of 3, as 4.5 is cut off. Where a pixel comes from follows from the scale, and
# so computes torch's interpolate(scale_factor=1.5), whose exporter writes such a Resize.
#
# Expected: runtimes use the scale of the file. With align_corners the last pixel is the old last pixel.
# Seen, for 0, 1 and 2: with half_pixel, ONNX Runtime 1.32, OpenVINO 2026.4 and ONNX's own reference say 0, 0.5, 1.17
# and 1.83. The dnn module of OpenCV 5.0 says 0, 0.62, 1.37 and 2: it divides the lengths, 4 by 3. With align_corners the
# reference of onnx 1.23.2 says 0, 0.57, 1.14 and 1.71: it counts with a length of 4.5, and meets no corner; all others end
# with 2.
# What helps: sizes in place of scales, by which all agree.
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
from onnx.checker import check_model
from onnx.reference import ReferenceEvaluator

PICTURE = np.tile(np.array([0, 1, 2], np.float32), (1, 1, 4, 1))
SCALES = numpy_helper.from_array(np.array([1, 1, 1, 1.5], np.float32), "how")
SIZES = numpy_helper.from_array(np.array([1, 1, 4, 4]), "how")


def answers(how, mode):
    """Four pixels by each runtime: ONNX Runtime, OpenVINO, ONNX's reference, OpenCV, in this order."""
    inputs = ["picture", "", "how"] if how is SCALES else ["picture", "", "", "how"]
    node = helper.make_node("Resize", inputs, ["wide"], mode="linear", coordinate_transformation_mode=mode)
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, PICTURE.shape)
    wide = helper.make_tensor_value_info("wide", TensorProto.FLOAT, [1, 1, 4, 4])
    graph = helper.make_graph([node], "resize", [picture], [wide], [how])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    check_model(model)
    data = model.SerializeToString()
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    network.setInput(PICTURE)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    compiled = openvino.compile_model(openvino.Core().read_model(data), "CPU")
    found = {
        "ONNX Runtime": session.run(None, {"picture": PICTURE})[0],
        "OpenVINO": next(iter(compiled([PICTURE]).values())),
        "ONNX's reference": ReferenceEvaluator(model).run(None, {"picture": PICTURE})[0],
        "OpenCV": network.forward(),
    }
    for name, pixels in found.items():
        print(f"{'scale' if how is SCALES else 'size'}, {mode}, {name}: {pixels[0, 0, 0].astype(float).round(2).tolist()}")
    return [pixels[0, 0, 0] for pixels in found.values()]


def same(found, expected):
    return np.allclose(found, expected, atol=0.01)


by_scale, by_lengths = [0, 0.5, 7 / 6, 11 / 6], [0, 0.625, 1.375, 2]
corners, no_corner = [0, 2 / 3, 4 / 3, 2], [0, 4 / 7, 8 / 7, 12 / 7]
assert same(answers(SCALES, "half_pixel"), [by_scale, by_scale, by_scale, by_lengths])
assert same(answers(SCALES, "align_corners"), [corners, corners, no_corner, corners])
assert same(answers(SIZES, "half_pixel"), [by_lengths] * 4)
assert same(answers(SIZES, "align_corners"), [corners] * 4)
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
