"""Whether an imported network computes what MXNet computes, asked of MXNet itself in an environment of its own."""

import json
import logging
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from castsearch.errors import InputError
from castsearch.faces.mxnet import comparing
from castsearch.files import write_text

TOLERANCE = 1e-4
SECONDS_FOR_MXNET = 1800  # the largest network takes seconds

logger = logging.getLogger(__name__)


def largest_errors(
    python: str | Path, symbol: str | Path, params: str | Path, onnx: str | Path, shapes: Sequence[Sequence[int]]
) -> dict[str, float]:
    """Run an MXNet checkpoint and its ONNX file side by side in MXNet's environment.

    Args:
        python: the interpreter of an environment made from `envs/mxnet.txt`.
        symbol: `prefix-symbol.json`.
        params: `prefix-0000.params`.
        onnx: the imported file.
        shapes: (batch, 3, height, width) of the inputs to try.

    Returns:
        For each output the largest difference, relative to the output's largest absolute value.

    Raises:
        InputError: there is no such interpreter, or it could not run both, or not in time.
    """
    files = {"symbol": str(symbol), "params": str(params), "onnx": str(onnx)}
    command = [str(python), "-P", comparing.__file__, json.dumps(files | {"shapes": shapes})]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS_FOR_MXNET)
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{python}: did not compare {params} with {onnx} within {SECONDS_FOR_MXNET} seconds; try it again, or do "
            "without it, by faces.mxnet.verify: false"
        ) from None
    except OSError as error:
        raise InputError(f"{python}: cannot be started ({error.strerror}); `make mxnet` sets it up") from None
    logger.info("%s", done.stderr.strip())
    if done.returncode != 0:
        reason = " ".join(done.stderr.split()[-20:]) or f"exit code {done.returncode}"
        raise InputError(f"{python}: could not compare {params} with {onnx} ({reason}); `make mxnet` sets it up")
    largest = json.loads(done.stdout.splitlines()[-1])
    for output, difference in largest.items():
        logger.info("%s: off by %.3g", output, difference)
    return largest


def check_errors(source: str | Path, errors: Mapping[str, float]) -> None:
    """Check that every output agrees.

    Args:
        source: of the network, for the message.
        errors: relative error by output.

    Raises:
        InputError: an error is above 1e-4, or no number.
    """
    output = max(errors, key=lambda name: (errors[name] != errors[name], errors[name]))  # NaN first
    if not errors[output] <= TOLERANCE:
        raise InputError(
            f"{source}: its import is off by {errors[output]:.1e} at {output}, more than {TOLERANCE:.0e}; "
            "please report the network, and do not use the import"
        )


def write_errors(path: str | Path, errors: Mapping[str, float]) -> None:
    """Write a table with a row per output, of what `largest_errors` returned."""
    rows = "".join(f"{output}\t{error:.3g}\n" for output, error in errors.items())
    write_text(path, f"output\tlargest_relative_error\n{rows}")
