from pathlib import Path

import pytest

from castsearch.errors import InputError
from castsearch.workflow import face_models
from castsearch.workflow.face_models import plan


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory, and an empty folder of packs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(face_models, "PACKS", str(tmp_path / "home"))
    return tmp_path


def touch(*paths):
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


PAIR = {"detector": {"prefix": "mx/R50", "epoch": 0}, "recogniser": "arc.onnx", "pyramid": [500]}


def test_engine_without_files_has_its_options():
    models = plan("dlib", {"upsample": 1})
    assert models.detection == models.embedding == {"upsample": 1}
    assert models.gpus == 0
    assert models.detection_files == models.embedding_files == ()


def test_checkpoint_is_imported_and_onnx_file_taken():
    touch("mx/R50-symbol.json", "mx/R50-0000.params", "arc.onnx")
    models = plan("retinaface_arcface", PAIR)
    imported = "results/models/detector/R50-0000.onnx"
    assert models.checkpoints == {imported: ("mx/R50-symbol.json", "mx/R50-0000.params")}
    assert models.embedding == {"detector": imported, "recogniser": "arc.onnx", "pyramid": [500]}
    assert models.embedding_files == (imported, "arc.onnx")


def test_detection_does_not_depend_on_the_recogniser():
    touch("mx/R50-symbol.json", "mx/R50-0000.params", "arc.onnx", "other.onnx")
    one, other = (plan("retinaface_arcface", PAIR | {"recogniser": f"{name}.onnx"}) for name in ("arc", "other"))
    assert one.detection == other.detection
    assert one.detection_files == other.detection_files
    assert one.embedding != other.embedding


@pytest.mark.parametrize("missing", ["mx/R50-symbol.json", "mx/R50-0000.params", "arc.onnx"])
def test_missing_file_is_named_with_its_key_and_remedy(missing):
    touch("mx/R50-symbol.json", "mx/R50-0000.params", "arc.onnx")
    Path(missing).unlink()
    with pytest.raises(InputError, match=rf"faces\.retinaface_arcface\.\w+: {missing}: .* missing; .*docs/face-models"):
        plan("retinaface_arcface", PAIR)


PACK = {"pack": "buffalo_l", "recogniser": None, "side": 640}


def test_pack_that_is_not_here_is_downloaded():
    models = plan("insightface", PACK)
    assert models.pack == "buffalo_l"
    assert models.detection == {"pack": "results/models/buffalo_l", "side": 640}
    assert models.detection_files == ("results/models/buffalo_l",)


@pytest.mark.parametrize("place", ["buffalo_l", "home/buffalo_l"])
def test_pack_that_is_here_is_not_downloaded(place):
    touch(f"{place}/det.onnx", f"{place}/rec.onnx")
    Path(place, "folder.onnx").mkdir()
    models = plan("insightface", PACK)
    assert models.pack is None
    assert [Path(path).name for path in models.detection_files] == ["det.onnx", "rec.onnx"]


def test_own_recogniser_does_not_concern_detection():
    touch("buffalo_l/det.onnx", "ada.onnx")
    models = plan("insightface", PACK | {"recogniser": {"file": "ada.onnx", "size": 112}})
    assert "recogniser" not in models.detection
    assert models.embedding_files == ("buffalo_l/det.onnx", "ada.onnx")


def test_folder_that_is_missing_is_no_pack():
    with pytest.raises(InputError, match=r"faces\.insightface\.pack: my/models: there is no such folder"):
        plan("insightface", PACK | {"pack": "my/models"})
