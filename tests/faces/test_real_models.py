"""Real trained networks, as they lie on people's disks; they are not part of this project."""

from pathlib import Path

import numpy as np
import pytest

from castsearch.faces.engines.retinaface_arcface import RetinaFaceArcFaceEngine
from castsearch.faces.files import model_file
from castsearch.faces.mxnet.checkpoints import TRIAL_SHAPES
from castsearch.faces.mxnet.importing import import_checkpoint
from castsearch.faces.mxnet.verifying import check_errors, largest_errors
from castsearch.faces.networks import onnx_network

PYTHON = Path(__file__).parents[2] / ".venv-mxnet/bin/python"
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


@pytest.fixture(scope="module")
def mnet25(tmp_path_factory):
    """The real RetinaFace on MobileNet0.25, imported from its MXNet checkpoint."""
    path = tmp_path_factory.mktemp("mnet25") / "mnet.25.onnx"
    import_checkpoint(MODELS / "mnet.25-symbol.json", MODELS / "mnet.25-0000.params", path)
    return path


def test_the_imported_detector_finds_the_six_faces_of_a_group(mnet25, group):
    (faces,) = RetinaFaceArcFaceEngine(mnet25, pyramid=[500]).detect([group])
    lefts = np.sort(faces.boxes[faces.scores > 0.9][:, 0])
    assert len(lefts) == 6
    assert (np.diff(lefts) > 100).all()


@pytest.mark.skipif(not PYTHON.is_file(), reason="MXNet's own environment is not here: make mxnet")
def test_mxnet_confirms_the_import_of_the_detector(mnet25):
    sources = (MODELS / "mnet.25-symbol.json", MODELS / "mnet.25-0000.params")
    errors = largest_errors(PYTHON, *sources, mnet25, TRIAL_SHAPES["detector"])
    assert len(errors) == 9
    check_errors("mnet.25", errors)
