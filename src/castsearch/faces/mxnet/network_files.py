"""Networks that are an ONNX file or an MXNet checkpoint: what the workflow needs to know to import the latter."""

from collections.abc import Mapping
from pathlib import Path

from castsearch.faces.engine_files import PATH, existing_file

NETWORK = {
    "oneOf": [
        {"type": "string", "pattern": "[.]onnx$"},
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["prefix", "epoch"],
            "properties": {"prefix": PATH, "epoch": {"type": "integer", "minimum": 0}},
        },
    ]
}
"""An ONNX file or an MXNet checkpoint as a JSON schema."""

INPUT_SIZES = {"detector": None, "recogniser": (112, 112)}
"""Height and width of a network's input, None for any, by what the network is for."""

TRIAL_SHAPES = {
    "detector": [(1, 3, 160, 128), (2, 3, 211, 173)],
    "recogniser": [(1, 3, 112, 112), (3, 3, 112, 112)],
}
"""Inputs to compare an import on: one, several, and for the detector sides that no stride divides."""


def find_network(part: str, source: str | Mapping, folder: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """Find the file of a network.

    Args:
        part: "detector" or "recogniser".
        source: an ONNX file, or `prefix` and `epoch` of an MXNet checkpoint.
        folder: where imported files are put.

    Returns:
        The ONNX file; and if it is to be imported, its symbol and its params file by the file's name.

    Raises:
        InputError: a file is missing.
    """
    if isinstance(source, str):
        return existing_file(part, source, "name an ONNX file, or an MXNet checkpoint to import"), {}
    prefix, epoch = source["prefix"], f"{source['epoch']:04d}"
    remedy = "an MXNet checkpoint is two files, PREFIX-symbol.json and PREFIX-EPOCH.params"
    symbol, params = (existing_file(part, f"{prefix}-{rest}", remedy) for rest in ("symbol.json", f"{epoch}.params"))
    imported = f"{folder}/{part}/{Path(prefix).name}-{epoch}.onnx"
    return imported, {imported: (symbol, params)}
