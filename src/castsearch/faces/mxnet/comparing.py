"""A program for MXNet's own environment: an MXNet checkpoint and its ONNX file, run side by side.

It needs mxnet, onnxruntime and numpy, and nothing else of this package, which does not run there.
"""

import json
import sys

import numpy as np


def compare(symbol: str, params: str, onnx: str, shapes: list[list[int]]) -> dict[str, float]:
    """Run both on random images.

    Args:
        symbol: `prefix-symbol.json`.
        params: `prefix-0000.params`.
        onnx: the imported file.
        shapes: (batch, 3, height, width) of the inputs to try.

    Returns:
        For each output the largest difference over the shapes, relative to the output's largest absolute value.
    """
    import mxnet  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415

    graph = mxnet.sym.load(symbol)
    arrays = {name.split(":", 1)[-1]: array for name, array in mxnet.nd.load(params).items()}
    states = {name: arrays.pop(name) for name in graph.list_auxiliary_states()}
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    if names != graph.list_outputs():
        raise SystemExit(f"{onnx}: its outputs are {names}, those of {symbol} {graph.list_outputs()}")
    errors = dict.fromkeys(names, 0.0)
    for shape in shapes:
        images = np.random.RandomState(0).randint(0, 256, shape).astype(np.float32)
        # Labels, which are not among the arrays, are bound as well; nothing depends on them.
        bound = graph.simple_bind(mxnet.cpu(), grad_req="null", data=tuple(shape))
        bound.copy_params_from(arrays, states, allow_extra_params=True)
        expected = [output.asnumpy() for output in bound.forward(is_train=False, data=mxnet.nd.array(images))]
        for name, one, other in zip(names, session.run(None, {"data": images}), expected, strict=True):
            error = np.abs(one - other).max() / np.abs(other).max() if one.shape == other.shape else np.inf
            errors[name] = float(np.maximum(errors[name], error))  # which keeps NaN
    return errors


if __name__ == "__main__":
    print(json.dumps(compare(**json.loads(sys.argv[1]))))
