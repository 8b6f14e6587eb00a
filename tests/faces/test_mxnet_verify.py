import os
import sys
from pathlib import Path

import pytest
from factories.mxnet_checkpoints import write_params, write_recogniser

from castsearch.errors import InputError
from castsearch.faces.mxnet import verifying
from castsearch.faces.mxnet.importing import import_checkpoint, read_params
from castsearch.faces.mxnet.verifying import check_errors, largest_errors, write_errors

SHAPES = [(1, 3, 112, 112), (2, 3, 112, 112)]
MXNET = Path(os.environ.get("MXNET_PYTHON", Path(__file__).parents[2] / ".venv-mxnet/bin/python"))


@pytest.fixture
def checkpoint(tmp_path):
    sources = write_recogniser(tmp_path)
    import_checkpoint(*sources, tmp_path / "out.onnx", (112, 112))
    return *sources, tmp_path / "out.onnx"


@pytest.mark.skipif(not MXNET.exists(), reason="MXNet's own environment is not here: make mxnet")
def test_mxnet_confirms_a_right_import_and_no_other(checkpoint):
    assert max(largest_errors(MXNET, *checkpoint, SHAPES).values()) < 1e-5
    params = checkpoint[1]
    arrays = read_params(params)
    arrays["fc_bias"] = arrays["fc_bias"] + 0.1
    write_params(params, {f"arg:{name}": array for name, array in arrays.items()})
    assert largest_errors(MXNET, *checkpoint, SHAPES)["fc_output"] > 1e-3


@pytest.mark.parametrize("error", [1.1e-4, float("inf"), float("nan")])
def test_an_output_that_is_off_is_refused_by_name(error):
    with pytest.raises(InputError, match=r"model-0000\.params: its import is off by .* at wrong_output"):
        check_errors("model-0000.params", {"right_output": 1e-6, "wrong_output": error, "last_output": 1e-5})


def test_outputs_within_the_tolerance_pass():
    check_errors("model-0000.params", {"one_output": 1e-6, "other_output": 9e-5})


def test_missing_environment_is_named_with_its_remedy(checkpoint, tmp_path):
    with pytest.raises(InputError, match=r"none/bin/python: cannot be started .*; `make mxnet` sets it up"):
        largest_errors(tmp_path / "none/bin/python", *checkpoint, SHAPES)


def test_a_comparison_that_hangs_is_not_waited_for(checkpoint, tmp_path, monkeypatch):
    (tmp_path / "python").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(verifying, "SECONDS_FOR_MXNET", 0.1)
    with pytest.raises(InputError, match=r"did not compare .*small-0000\.params with .* within 0\.1 seconds"):
        largest_errors(tmp_path / "python", *checkpoint, SHAPES)


def test_environment_without_mxnet_is_refused_with_the_reason(checkpoint):
    with pytest.raises(InputError, match=r"could not compare .*small-0000\.params.*No module named 'mxnet'"):
        largest_errors(sys.executable, *checkpoint, SHAPES)


def test_errors_become_a_table(tmp_path):
    write_errors(tmp_path / "errors.tsv", {"fc_output": 1.23456e-6})
    assert (tmp_path / "errors.tsv").read_text() == "output\tlargest_relative_error\nfc_output\t1.23e-06\n"
