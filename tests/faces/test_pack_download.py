import zipfile

import pytest
from factories.onnx_models import write_pack
from insightface.utils import storage

from castsearch.errors import InputError
from castsearch.faces.engines import insightface
from castsearch.faces.packs.download import download_pack


@pytest.fixture
def published(tmp_path, monkeypatch):
    """The folder that packs are downloaded from."""
    folder = tmp_path / "published"
    folder.mkdir()
    monkeypatch.setattr(storage, "MODEL_ZOO_RELEASE_DOWNLOAD_URL", f"{folder.as_uri()}/")
    return folder


def test_pack_is_unpacked_into_its_folder(tmp_path, published):
    source = write_pack(tmp_path / "source")
    with zipfile.ZipFile(published / "small.zip", "w") as archive:
        for file in source.iterdir():
            archive.write(file, f"small/{file.name}")  # some packs have a folder inside
    download_pack("small", tmp_path / "models/small")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["small"]
    assert len(insightface.make({"pack": tmp_path / "models/small"}).models) == 2


def test_pack_that_cannot_be_had_is_refused_with_the_remedy(tmp_path, published):
    with pytest.raises(InputError, match=r"small\.zip: cannot be downloaded: .*; get small\.zip where there is"):
        download_pack("small", tmp_path / "models/small")
    assert list((tmp_path / "models").iterdir()) == []


def test_pack_that_is_no_archive_is_refused_with_the_remedy(tmp_path, published):
    (published / "small.zip").write_text("Sign in")
    with pytest.raises(InputError, match=r"small: this pack cannot be unpacked \(.*\); get small\.zip where there is"):
        download_pack("small", tmp_path / "models/small")
    assert list((tmp_path / "models").iterdir()) == []
