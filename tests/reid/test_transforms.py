import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from castsearch.errors import InputError
from castsearch.reid import transforms

STILL = {"flip": 0, "pad": 0, "erasing": 0, "erasing_area": (0.02, 0.4), "erasing_aspect": (0.3, 3.3)}


def jpeg(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture
def photo():
    """Blurred noise in colour: as smooth as a photograph, and different everywhere."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 20, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize((180, 400), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("size", [(256, 128), (64, 32), (500, 300)])
def test_resizing_is_pillows_bicubic(photo, size):
    encoded = jpeg(photo)
    decoded = Image.open(io.BytesIO(encoded)).resize(size[::-1], Image.Resampling.BICUBIC)

    found = transforms.decode_image(encoded, size)

    assert found.shape == (*size, 3)
    assert found.flags.c_contiguous
    difference = np.abs(found.astype(int) - np.asarray(decoded))
    assert difference.max() <= 4
    assert difference.mean() < 0.5


def test_decoding_once_gives_the_same_pixels_and_leaves_no_file(photo, tmp_path):
    encoded = [jpeg(photo), jpeg(photo[::-1]), jpeg(photo[:, ::-1])]
    decoded = [transforms.decode_image(each, (64, 32)) for each in encoded]
    found = transforms.decode_once(decoded.__getitem__, 3, (64, 32), folder=tmp_path, threads=2)
    assert np.array_equal([found(number) for number in range(3)], decoded)
    assert list(tmp_path.iterdir()) == []


def test_decoding_once_leaves_the_disk_some_room(tmp_path, monkeypatch):
    monkeypatch.setattr(transforms.shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 64 * 32 * 5))
    with pytest.raises(OSError, match="leave too little room"):
        transforms.decode_once(None, 3, (64, 32), folder=tmp_path, threads=1)


def test_decoding_once_stops_at_what_cannot_be_decoded(tmp_path):
    def load(number):
        raise InputError(f"image {number} is broken")

    with pytest.raises(InputError, match=r"^image 0 is broken$"):
        transforms.decode_once(load, 3, (64, 32), folder=tmp_path, threads=2)


MEMORY = Path("/dev/shm")  # noqa: S108 - nothing is written there


@pytest.mark.skipif(not MEMORY.is_dir(), reason="needs a file system in memory")
def test_a_folder_in_memory_is_told_from_one_on_a_disk():
    assert transforms.in_memory(MEMORY)
    assert not transforms.in_memory(Path(__file__).parent)


@pytest.mark.parametrize("encoded", [b"", b"not an image"])
def test_what_is_not_an_image_is_none(encoded):
    assert transforms.decode_image(encoded, (8, 8)) is None


def augment(batch, **chances):
    variations = transforms.draw_variations(len(batch), batch.shape[1:3], np.random.default_rng(0), **chances)
    return transforms.augment(batch, variations)


def test_without_chances_nothing_changes(photo):
    batch = np.stack([photo, photo[::-1]])
    assert np.array_equal(augment(batch, **STILL), batch)


def test_the_layout_in_memory_makes_no_difference(photo):
    chances = STILL | {"flip": 0.5, "pad": 5, "erasing": 0.5}
    batch = np.stack([photo] * 8)
    planar = np.ascontiguousarray(batch.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    found, expected = (augment(each, **chances) for each in (planar, batch))
    assert np.array_equal(found, expected)


def test_flip_mirrors_about_its_share_of_the_images(photo):
    batch = np.repeat(photo[None, :20, :10], 400, axis=0)
    varied = augment(batch, **STILL | {"flip": 0.5})
    mirrored = (varied == batch[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (varied == batch).all(axis=(1, 2, 3))).all()
    assert 160 < mirrored.sum() < 240


def test_padding_shifts_each_image_on_its_own():
    batch = np.full((200, 30, 20, 3), 255, np.uint8)
    varied = augment(batch, **STILL | {"pad": 3})
    black_rows = (varied[:, :, 10] == 0).all(axis=2).sum(axis=1)
    black_columns = (varied[:, 15] == 0).all(axis=2).sum(axis=1)
    assert set(black_rows) == set(black_columns) == {0, 1, 2, 3}
    assert len({varied[index].tobytes() for index in range(200)}) == 7 * 7


@pytest.mark.parametrize("shift", [(2, 0), (-2, 0), (0, 1), (0, -1), (3, -2), (9, 0), (0, -9)])
def test_a_shift_moves_the_picture_up_and_to_the_left_and_leaves_black(shift):
    picture = np.arange(1, 4 * 3 * 3 + 1, dtype=np.uint8).reshape(4, 3, 3)
    framed = np.pad(picture, ((9, 9), (9, 9), (0, 0)))
    expected = framed[9 + shift[0] : 13 + shift[0], 9 + shift[1] : 12 + shift[1]]
    [found] = transforms.augment(picture[None], [transforms.Variation(False, shift, None)])
    assert np.array_equal(found, expected)


def test_erasing_fills_a_rectangle_of_the_asked_area_with_the_mean_colour():
    batch = np.zeros((300, 128, 64, 3), np.uint8)
    varied = augment(batch, **STILL | {"erasing": 0.5})
    grey = (varied == [124, 116, 104]).all(axis=3)
    assert (varied[~grey] == 0).all()
    assert 120 < grey.any(axis=(1, 2)).sum() < 180
    for mask in grey[grey.any(axis=(1, 2))]:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert mask.sum() == height * width
        assert 0.018 < height * width / mask.size < 0.41
        assert 0.25 < height / width < 3.8


def test_input_is_normalised_with_imagenets_statistics():
    pixels = torch.tensor([[[[255, 0, 124]]]], dtype=torch.uint8)
    found = transforms.to_input(pixels, torch.device("cpu"))
    expected = [(1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (124 / 255 - 0.406) / 0.225]
    assert found.shape == (1, 3, 1, 1)
    torch.testing.assert_close(found.flatten(), torch.tensor(expected), rtol=1e-5, atol=1e-6)


def test_the_statistics_are_copied_to_a_device_once(monkeypatch):
    pixels = torch.zeros((1, 2, 7, 3), dtype=torch.uint8)
    expected = transforms.to_input(pixels, torch.device("cpu"))
    monkeypatch.delattr(torch, "tensor")
    assert torch.equal(transforms.to_input(pixels, torch.device("cpu")), expected)
