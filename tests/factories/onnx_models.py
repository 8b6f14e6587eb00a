"""Small ONNX networks with the inputs and outputs of insightface's, and faces that they see: red squares on black."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# In cells from a cell's corner: x, y of eyes, nose and corners of the mouth.
LANDMARKS = np.array([(0.25, 0.25), (0.75, 0.25), (0.5, 0.5), (0.25, 0.75), (0.75, 0.75)], np.float32)


def save(path, nodes, weights, inputs, outputs, opset=17):
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write_detector(path: Path) -> None:
    """Write a network of SCRFD's form, with two anchors a cell and landmarks.

    A cell of 32 pixels is a face if it is red; but where more than 20,000 pixels are red, nothing is, as SCRFD does not
    see what is too large for its anchors.
    """
    nodes = [
        helper.make_node("Conv", ["image", "red", "half"], ["redness"]),
        helper.make_node("ReduceSum", ["redness", "sides"], ["area"]),
        helper.make_node("Sub", ["area", "most"], ["excess"]),
        helper.make_node("Relu", ["excess"], ["positive"]),
        helper.make_node("Mul", ["positive", "many"], ["penalty"]),
    ]
    weights = {
        "red": np.float32([0.5, 0, 0]).reshape(1, 3, 1, 1),  # of values from -1 to 1, so that it counts red pixels
        "half": np.float32([0.5]),
        "sides": np.int64([2, 3]),
        "most": np.float32(20_000),
        "many": np.float32(1000),
    }
    outputs = {}

    def convolve(name: str, kernel: np.ndarray, bias: list[float]) -> str:
        weights.update({f"{name}_kernel": kernel, f"{name}_bias": np.float32(bias)})
        side = kernel.shape[-1]
        inputs = ["image", f"{name}_kernel", f"{name}_bias"]
        nodes.append(
            helper.make_node("Conv", inputs, [f"{name}_maps"], strides=[side, side], kernel_shape=[side, side])
        )
        return f"{name}_maps"

    def output(name: str, maps: str, width: int) -> None:
        weights[f"{name}_shape"] = np.int64([-1, width])
        outputs[name] = ["cells", width]
        nodes.append(helper.make_node("Transpose", [maps], [f"{name}_last"], perm=[0, 2, 3, 1]))
        nodes.append(helper.make_node("Reshape", [f"{name}_last", f"{name}_shape"], [name]))

    for stride in (8, 16, 32):
        kernel = np.zeros((2, 3, stride, stride), np.float32)  # only the first anchor sees anything
        kernel[0] = np.float32([4, -4, -4]).reshape(3, 1, 1) / stride**2
        maps = convolve(f"score{stride}", kernel, [-8 if stride == 32 else -99, -99])
        nodes.append(helper.make_node("Sub", [maps, "penalty"], [f"seen{stride}"]))
        nodes.append(helper.make_node("Sigmoid", [f"seen{stride}"], [f"probability{stride}"]))
        output(f"score{stride}", f"probability{stride}", 1)
    for kind, values in (("box", [0, 0, 1, 1]), ("points", LANDMARKS.ravel().tolist())):
        for stride in (8, 16, 32):
            kernel = np.zeros((2 * len(values), 3, stride, stride), np.float32)
            output(f"{kind}{stride}", convolve(f"{kind}{stride}", kernel, values * 2), len(values))
    save(path, nodes, weights, {"image": [1, 3, "height", "width"]}, outputs)


def write_recogniser(
    path: Path, batch: int | str = "batch", side: int = 112, dimension: int = 8, channels: int = 3
) -> None:
    """Write a network from an image to a feature, which is linear in it."""
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(4, channels, 16, 16)).astype(np.float32) / 50
    matrix = rng.normal(size=(dimension, 4 * (side // 16) ** 2)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["maps"], strides=[16, 16], kernel_shape=[16, 16]),
        helper.make_node("Flatten", ["maps"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix"], ["feature"], transB=1),
    ]
    save(
        path,
        nodes,
        {"kernel": kernel, "matrix": matrix},
        {"image": [batch, channels, side, side]},
        {"feature": [batch, dimension]},
    )


def halve(path: Path) -> None:
    """Write a network again in half precision."""
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    for weight in model.graph.initializer:
        array = numpy_helper.to_array(weight)
        half = array.astype(np.float16) if array.dtype == np.float32 else array
        weight.CopyFrom(numpy_helper.from_array(half, weight.name))
    onnx.save(model, path)


def write_maps(path: Path) -> None:
    """Write a network with nine outputs that are maps, as those of an MXNet RetinaFace are."""
    names = [f"map{index}" for index in range(9)]
    nodes = [helper.make_node("Identity", ["image"], [name]) for name in names]
    save(path, nodes, {}, {"image": [1, 3, "height", "width"]}, {name: [1, 3, "height", "width"] for name in names})


def write_pack(folder: Path) -> Path:
    """Write a pack as insightface's: a detector, a recogniser and the two networks that nobody needs here."""
    write_detector(folder / "det_10g.onnx")
    write_recogniser(folder / "w600k_r50.onnx")
    write_recogniser(folder / "genderage.onnx", side=96, dimension=3)
    write_recogniser(folder / "1k3d68.onnx", side=192, dimension=3309)
    return folder


def with_face(height: int, width: int, x: int, y: int, side: int) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    image[y : y + side, x : x + side, 0] = 255
    return image
