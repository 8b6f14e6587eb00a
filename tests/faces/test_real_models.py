"""Real trained networks, as they lie on people's disks; they are not part of this project."""

from pathlib import Path

import pytest

from castsearch.faces.files import model_file
from castsearch.faces.networks import onnx_network

MODELS = Path(__file__).parents[3] / "shared/models"

pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason="the real networks of ../shared/models are not here")


def test_weights_among_the_inputs_are_one_line_in_the_log(caplog, capfd):
    caplog.set_level("INFO")
    model = model_file(MODELS / "nanodet_m.onnx", "")
    session = onnx_network.open_session(model, threads=1, expected="a detector", remedy="")
    onnx_network.log_session(model, session)
    assert [record.getMessage() for record in caplog.records] == [
        "nanodet_m.onnx: in ONNX Runtime, on the CPU",
        "nanodet_m.onnx: 158 weights are listed among its inputs, which makes it slower",
    ]
    assert capfd.readouterr().err == ""
