"""What the workflow knows of each engine before it runs: its name, its options and its files."""

import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from castsearch.errors import InputError
from castsearch.faces import engines
from castsearch.faces.engines import insightface, retinaface_arcface, yunet_sface

JOBS_ONLY = {"insightface", "onnx", "onnxruntime", "onnx2torch", "torch"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory, and a home without packs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def touch(*paths):
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_an_engine_is_known_by_the_name_of_its_module():
    assert {"insightface", "retinaface_arcface", "yunet_sface"} <= set(engines.available())
    assert engines.load("yunet_sface") is yunet_sface


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="'nosuch': unknown; there are: insightface, "):
        engines.load("nosuch")


@pytest.mark.parametrize("name", engines.available())
def test_an_engine_is_planned_without_the_packages_that_only_its_jobs_have(name):
    program = f"import sys; from castsearch.faces import engines; engines.load({name!r}); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert JOBS_ONLY.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("name", engines.available())
def test_an_engine_describes_each_option_and_its_defaults_are_valid(name):
    for option, description in engines.load(name).OPTIONS.items():
        Draft202012Validator.check_schema(description)
        assert description["description"], option
        if "default" in description:
            Draft202012Validator(description).validate(description["default"])


def test_an_engine_whose_files_come_with_a_package_has_its_options():
    files = yunet_sface.plan({"detector": None, "recogniser": None}, "models")
    assert files.detection == {"detector": None}
    assert files.embedding == {"detector": None, "recogniser": None}
    assert files.detection_files == files.embedding_files == ()


PAIR = {"detector": {"prefix": "mx/R50", "epoch": 0}, "recogniser": "arc.onnx", "pyramid": [500]}


def test_a_checkpoint_is_imported_and_an_onnx_file_taken():
    touch("mx/R50-symbol.json", "mx/R50-0000.params", "arc.onnx")
    files = retinaface_arcface.plan(PAIR, "models")
    imported = "models/detector/R50-0000.onnx"
    assert files.checkpoints == {imported: ("mx/R50-symbol.json", "mx/R50-0000.params")}
    assert files.embedding == {"detector": imported, "recogniser": "arc.onnx", "pyramid": [500]}
    assert files.embedding_files == (imported, "arc.onnx")


def test_detection_does_not_depend_on_the_recogniser():
    touch("mx/R50-symbol.json", "mx/R50-0000.params", "arc.onnx", "other.onnx")
    one, other = (retinaface_arcface.plan(PAIR | {"recogniser": f"{name}.onnx"}, "models") for name in ("arc", "other"))
    assert one.detection == other.detection
    assert one.detection_files == other.detection_files
    assert one.embedding != other.embedding


@pytest.mark.parametrize("missing", ["mx/R50-symbol.json", "mx/R50-0000.params", "arc.onnx"])
def test_a_missing_file_is_named_with_its_option_and_remedy(missing):
    touch("mx/R50-symbol.json", "mx/R50-0000.params", "arc.onnx")
    Path(missing).unlink()
    with pytest.raises(InputError, match=rf"^(detector|recogniser): {missing}: .* missing; .*docs/face-models"):
        retinaface_arcface.plan(PAIR, "models")


PACK = {"pack": "buffalo_l", "recogniser": None, "side": 640}


def test_a_pack_that_is_not_here_is_downloaded():
    files = insightface.plan(PACK, "models")
    assert files.detection == {"pack": "models/buffalo_l", "side": 640}
    assert files.detection_files == ("models/buffalo_l",)


@pytest.mark.parametrize("place", ["buffalo_l", "home/.insightface/models/buffalo_l"])
def test_a_pack_that_is_here_is_not_downloaded(place):
    touch(f"{place}/det.onnx", f"{place}/rec.onnx", f"{place}/._det.onnx")
    Path(place, "folder.onnx").mkdir()
    files = insightface.plan(PACK, "models")
    assert [Path(path).name for path in files.detection_files] == ["det.onnx", "rec.onnx"]


def test_an_own_recogniser_does_not_concern_detection():
    touch("buffalo_l/det.onnx", "ada.onnx")
    files = insightface.plan(PACK | {"recogniser": {"file": "ada.onnx", "size": 112}}, "models")
    assert "recogniser" not in files.detection
    assert files.embedding_files == ("buffalo_l/det.onnx", "ada.onnx")


def test_a_folder_that_is_missing_is_no_pack():
    with pytest.raises(InputError, match=r"^pack: my/models: there is no such folder"):
        insightface.plan(PACK | {"pack": "my/models"}, "models")
