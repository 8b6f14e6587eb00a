#!/usr/bin/env bash
# Opset 11 of ONNX gave Resize a coordinate_transformation_mode, "half_pixel" if it is left out. Until opset 10 a resized
# pixel's place is its number divided by the scale, which opset 11 calls "asymmetric". Detectors with a pyramid of maps were
# often exported at opset 10.
#
# Expected: a file of opset 10 keeps its meaning: 0 and 10, twice as wide, are 0, 5, 10 and 10. ONNX's own converter of
# versions writes mode "asymmetric" into the file of opset 11 that it makes.
# Seen: so compute ONNX Runtime 1.32 and OpenVINO 2026.4. The dnn module of OpenCV 5.0 gives 0, 2.5, 7.5 and 10, which
# is half_pixel. The converter of onnx 1.23.2 writes no mode, so that the same file means half_pixel afterwards
# in each runtime. Nothing is said.
# What helps: set coordinate_transformation_mode to "asymmetric" after the conversion.
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
from onnx import TensorProto, helper, numpy_helper, version_converter
from onnx.checker import check_model

PICTURE = np.tile(np.array([0, 10], np.float32), (1, 1, 4, 1))


def by_onnxruntime(model):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"picture": PICTURE})[0]


def by_openvino(model):
    compiled = openvino.compile_model(openvino.Core().read_model(model.SerializeToString()), "CPU")
    return next(iter(compiled([PICTURE]).values()))


def by_opencv(model):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
    network.setInput(PICTURE)
    return network.forward()


scales = numpy_helper.from_array(np.array([1, 1, 1, 2], np.float32), "scales")
node = helper.make_node("Resize", ["picture", "scales"], ["wide"], mode="linear")
picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, PICTURE.shape)
wide = helper.make_tensor_value_info("wide", TensorProto.FLOAT, [1, 1, 4, 4])
graph = helper.make_graph([node], "resize", [picture], [wide], [scales])
old = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 10)], ir_version=5)
check_model(old)
new = version_converter.convert_version(old, 11)
found = {
    "ONNX Runtime": by_onnxruntime(old),
    "OpenVINO": by_openvino(old),
    "OpenCV": by_opencv(old),
    "ONNX Runtime, converted to opset 11": by_onnxruntime(new),
    "OpenVINO, converted to opset 11": by_openvino(new),
}
for name, answer in found.items():
    print(f"{name}: {answer[0, 0, 0].astype(float).round(2).tolist()}")
asymmetric, half_pixel = [0, 5, 10, 10], [0, 2.5, 7.5, 10]
expected = [asymmetric, asymmetric, half_pixel, half_pixel, half_pixel]
assert all(np.allclose(answer, row, atol=0.01) for answer, row in zip(found.values(), expected, strict=True))
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
