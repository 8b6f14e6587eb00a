import zipfile
from pathlib import Path

import pytest
import requests
from factories.onnx_models import write_pack
from insightface.utils import storage

from castsearch.errors import InputError
from castsearch.faces.engines import insightface
from castsearch.faces.packs.download import download_pack


def test_pack_is_unpacked_into_its_folder(tmp_path, monkeypatch):
    source = write_pack(tmp_path / "source")

    def download(url, path, **_):
        assert url.endswith("/small.zip")
        Path(path).parent.mkdir()
        with zipfile.ZipFile(path, "w") as archive:
            for file in source.iterdir():
                archive.write(file, f"small/{file.name}")  # some packs have a folder inside

    monkeypatch.setattr(storage, "download_file", download)
    (tmp_path / "models").mkdir()
    download_pack("small", tmp_path / "models/small")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["small"]
    assert len(insightface.make({"pack": tmp_path / "models/small"}).models) == 2


@pytest.mark.parametrize(
    "error",
    [requests.ConnectionError("no route"), RuntimeError("Failed downloading url"), OSError("No space left on device")],
)
def test_pack_that_cannot_be_had_is_refused_with_the_remedy(tmp_path, monkeypatch, error):
    def download(*_, **__):
        raise error

    monkeypatch.setattr(storage, "download_file", download)
    with pytest.raises(InputError, match=rf"small: this pack could not be downloaded \({error}\); get small\.zip"):
        download_pack("small", tmp_path / "small")
    assert list(tmp_path.iterdir()) == []
