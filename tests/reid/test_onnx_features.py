"""A network in ONNX describes as it was trained to, in whatever batches its file allows."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from factories.onnx_models import save
from onnx import helper

from castsearch.errors import InputError
from castsearch.reid import onnx_features

REAL = Path(__file__).parents[3] / "shared/models/person-reidentification-retail-0277.onnx"
OPTIONS = {"height": 8, "width": 4, "channels": "rgb", "mean": 0, "std": 1}
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 4, 3), np.uint8)


def write_means(path, batch="n", output=("n", 3), shape=(-1, 3)):
    """A network whose feature is the mean colour of an image."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["means"]),
        helper.make_node("Reshape", ["means", "shape"], ["feature"]),
    ]
    save(path, nodes, {"shape": np.int64(shape)}, {"images": [batch, 3, 8, 4]}, {"feature": list(output)})
    return path


def described(path, **options):
    return onnx_features.open_describer(path, OPTIONS | options, 1).describe(IMAGES)


def test_an_image_has_one_feature(tmp_path):
    describer = onnx_features.open_describer(write_means(tmp_path / "n.onnx"), OPTIONS, 1)
    assert describer.size == (8, 4)
    assert describer.feature_size == 3
    np.testing.assert_allclose(describer.describe(IMAGES), IMAGES.mean(axis=(1, 2))[:, None], rtol=1e-5)


def test_channels_are_ordered_then_normalised_each_by_its_own(tmp_path):
    path = write_means(tmp_path / "n.onnx")
    found = described(path, channels="bgr", mean=[1, 2, 3], std=[4, 5, 6])
    expected = (IMAGES.mean(axis=(1, 2))[:, ::-1] - [1, 2, 3]) / [4, 5, 6]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize(
    "form",
    [
        {"batch": 1, "output": (1, 3)},
        {"batch": 4, "output": (4, 3)},
        {"output": ("n", 3, 1, 1), "shape": (-1, 3, 1, 1)},
        {"shape": (1, 3)},  # promises any batch, and takes one image
    ],
    ids=["one", "four", "trailing ones", "one, not as promised"],
)
def test_whatever_batch_a_file_has_each_image_gets_its_own_feature(form, tmp_path):
    found = described(write_means(tmp_path / "n.onnx", **form))
    np.testing.assert_allclose(found, IMAGES.mean(axis=(1, 2))[:, None], rtol=1e-5)


def test_a_network_that_mixes_the_images_of_a_batch_gets_them_one_by_one(tmp_path):
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["means"]),
        helper.make_node("ReduceMean", ["means"], ["mixed"], axes=[0], keepdims=1),
        helper.make_node("Add", ["means", "mixed"], ["sum"]),
        helper.make_node("Flatten", ["sum"], ["feature"]),
    ]
    save(tmp_path / "n.onnx", nodes, {}, {"images": ["n", 3, 8, 4]}, {"feature": ["n", 3]})
    found = described(tmp_path / "n.onnx")
    np.testing.assert_allclose(found, 2 * IMAGES.mean(axis=(1, 2))[:, None], rtol=1e-5)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), "the model file is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:40]), "not a file that fails with"),
        (lambda path: path.write_text("<html>"), "is a page of HTML"),
        (lambda path: write_means(path, output=("n", 3, 1, 2), shape=(-1, 3, 1, 1)), "was expected"),
    ],
)
def test_a_file_that_is_no_such_network_is_refused_by_name(spoil, reason, tmp_path):
    path = write_means(tmp_path / "n.onnx")
    spoil(path)
    with pytest.raises(InputError, match=f"^{path}: .*{reason}"):
        described(path)


def test_images_of_another_size_are_refused(tmp_path):
    path = write_means(tmp_path / "n.onnx")
    with pytest.raises(InputError, match=r"from 16x4 pixels to one feature .* not of .*8, 4"):
        described(path, height=16)


def test_weights_in_other_files_are_refused(tmp_path):
    model = onnx.load(write_means(tmp_path / "n.onnx"))
    onnx.save(model, tmp_path / "n.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(InputError, match=r"weights are in weights\.bin beside it"):
        described(tmp_path / "n.onnx")


@pytest.mark.skipif(not REAL.is_file(), reason="the real networks are not here: ../shared/models")
def test_a_real_network_describes_any_number_of_images():
    options = {"height": 256, "width": 128, "channels": "bgr", "mean": 0, "std": 1}
    describer = onnx_features.open_describer(REAL, options, 1)
    images = np.random.default_rng(0).integers(0, 256, (3, 256, 128, 3), np.uint8)
    together = describer.describe(images)
    assert together.shape == (3, 1, 256)
    np.testing.assert_allclose(together[2:], describer.describe(images[2:]), rtol=1e-4, atol=1e-4)
