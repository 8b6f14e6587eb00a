"""The kinds of body networks: which module describes people by each.

Such a module defines `open_describer(path, options, threads)`, which returns a `features.Describer`.
"""

MODULES = {
    "triplet": "castsearch.reid.torch_features",
    "mgn": "castsearch.reid.torch_features",
    "pretrained": "castsearch.reid.torch_features",
    "onnx": "castsearch.reid.onnx_features",
}

ONNX_OPTIONS = ("height", "width", "channels", "mean", "std")
"""What has to be said of a network in an ONNX file, see `onnx_features.open_describer`."""
