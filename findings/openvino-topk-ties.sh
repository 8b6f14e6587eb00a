#!/usr/bin/env bash
# Detectors keep their best boxes by TopK, and scores that a sigmoid has brought to 1 are equal. ONNX says which of equal
# values comes first: the one with the lower index.
#
# Expected: of ten scores, of which those at 3, 4, 5 and 6 are 1 and the others 0, the best is 3, and the best two are 3 and 4.
# Seen: so say ONNX Runtime 1.32, ONNX's own reference and the dnn module of OpenCV 5.0. OpenVINO 2026.4 says 4 for the best one,
# though it says 3 and 4 for the best two.
# What helps: a trifle taken off each score by its place, before TopK.
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


def best(scores, count):
    """The places of the best scores, by each runtime."""
    scores = np.array([scores], np.float32)
    node = helper.make_node("TopK", ["scores", "count"], ["best", "places"])
    given = helper.make_tensor_value_info("scores", TensorProto.FLOAT, scores.shape)
    outputs = [helper.make_tensor_value_info("best", TensorProto.FLOAT, [1, count])]
    outputs += [helper.make_tensor_value_info("places", TensorProto.INT64, [1, count])]
    graph = helper.make_graph([node], "best", [given], outputs, [numpy_helper.from_array(np.array([count]), "count")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    check_model(model)
    data = model.SerializeToString()
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    network.setInput(scores)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    compiled = openvino.compile_model(openvino.Core().read_model(data), "CPU")
    found = {
        "ONNX Runtime": session.run(["places"], {"scores": scores})[0],
        "ONNX's reference": ReferenceEvaluator(model).run(["places"], {"scores": scores})[0],
        "OpenCV": network.forward(["best", "places"])[1],
        "OpenVINO": compiled([scores])[compiled.output("places")],
    }
    for name, places in found.items():
        print(f"best {count} of {scores.size}, {name}: {places[0].tolist()}")
    return [places[0].tolist() for places in found.values()]


four = [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]
assert best(four, 1) == [[3], [3], [3], [4]]
assert best(four, 2) == [[3, 4]] * 4
PYTHON
"$room/venv/bin/python" show.py 2>/dev/null
