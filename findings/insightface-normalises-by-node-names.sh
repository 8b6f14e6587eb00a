#!/usr/bin/env bash
# The Python package insightface decides by the names of a graph's first eight nodes whether a face recogniser normalises
# its input itself. Names have no meaning in ONNX, and many tools drop them: the same network is then normalised twice.
#
# Expected: two ONNX files that differ in the names of their nodes alone give the same features.
# Seen (insightface 2.1): the network with named nodes gets values of 0 to 255, the one without names gets values of
# -1 to 1, from which it subtracts 127.5 once more. Two different images then have features with a cosine above 0.99.
# What helps: name the nodes Sub_… and Mul_…, or set `input_mean` and `input_std` of the loaded model.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
pip() { "$room/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 opencv-python-headless==5.0.0.93 requests==2.34.2 \
    scikit-image==0.26.0 tqdm==4.70.1
pip --no-deps insightface==2.1
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
import onnx
from insightface.model_zoo import ArcFaceONNX
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
WEIGHTS = {
    "mean": np.float32(127.5),
    "scale": np.float32(1 / 127.5),
    "matrix": rng.normal(size=(3 * 112 * 112, 16)).astype(np.float32),
}


def write(path, names):
    nodes = [
        helper.make_node("Sub", ["image", "mean"], ["centred"], names[0]),
        helper.make_node("Mul", ["centred", "scale"], ["scaled"], names[1]),
        helper.make_node("Flatten", ["scaled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["feature"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 112, 112])
    feature = helper.make_tensor_value_info("feature", TensorProto.FLOAT, ["n", 16])
    weights = [numpy_helper.from_array(array, name) for name, array in WEIGHTS.items()]
    graph = helper.make_graph(nodes, "recogniser", [image], [feature], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def cosine(model):
    one, other = model.get_feat(list(rng.integers(0, 256, (2, 112, 112, 3), np.uint8)))
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


named = ArcFaceONNX(write("named.onnx", ["Sub_0", "Mul_1"]))
nameless = ArcFaceONNX(write("nameless.onnx", ["", ""]))
for label, model in (("named", named), ("nameless", nameless)):
    print(f"{label}: mean {model.input_mean}, std {model.input_std}, two random images have cosine {cosine(model):.3f}")
assert (named.input_mean, nameless.input_mean) == (0, 127.5)
assert cosine(nameless) > 0.99
PYTHON
echo "insightface 2.1:"
"$room/venv/bin/python" show.py
