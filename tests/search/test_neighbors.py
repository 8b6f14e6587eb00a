import numpy as np
import pytest
import torch

from castsearch.search import neighbors


def clusters(seed, groups=8, size=6, dimension=16):
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(size=(groups, dimension)), size, axis=0)
    return (centres + 0.6 * rng.normal(size=centres.shape)).astype(np.float32)


def test_of_equally_near_neighbours_the_lower_index_is_nearer():
    features = np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 0, 0]]
    indices, cosines, lowest = neighbors.nearest_neighbors(features, 5)
    assert indices.tolist() == [[0, 2, 4, 5, 1], [1, 3, 0, 2, 4]] * 2 + [[0, 2, 4, 5, 1]] * 2
    assert cosines[0].tolist() == [1, 1, 1, 1, 0]
    assert lowest.tolist() == [0] * 6


def test_images_present_twice_are_tied_exactly():
    features = neighbors.l2_normalize(clusters(9, groups=20, size=5, dimension=512)[:99])
    indices, _, _ = neighbors.nearest_neighbors(np.vstack([features, features]), 20)
    first, second = indices[:, ::2], indices[:, 1::2]
    np.testing.assert_array_equal(second, first + 99)


def test_torch_finds_the_same_neighbours():
    # Small whole numbers, whose products are exact everywhere, with ties in every row and copies.
    features = np.random.default_rng(0).integers(-2, 3, (300, 4)).astype(np.float32)
    for expected, found in zip(
        neighbors.nearest_neighbors(features, 20), neighbors._nearest_by_torch(features, 20, "cpu"), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.fixture
def torch_instead(monkeypatch):
    """Torch takes the GPU's place, on the CPU and for few images."""
    by_torch, devices = neighbors._nearest_by_torch, []

    def nearest(features, k, device):
        devices.append(device)
        return by_torch(features, k, "cpu")

    monkeypatch.setattr(neighbors, "_GPU_ROWS", 10)
    monkeypatch.setattr(neighbors, "torch_has_gpu", lambda: True)
    monkeypatch.setattr(neighbors, "_nearest_by_torch", nearest)
    return devices


def test_many_rows_go_to_the_gpu_and_give_the_same(monkeypatch, torch_instead):
    features = neighbors.l2_normalize(clusters(10))
    expected = neighbors._nearest_by_numpy(features, 7)
    monkeypatch.setattr(neighbors, "_GPU_VALUES", 100)  # two rows a block
    np.testing.assert_array_equal(neighbors.nearest_neighbors(features, 7)[0], expected[0])
    assert torch_instead == ["cuda"]
    neighbors.nearest_neighbors(features[:9], 7)
    assert torch_instead == ["cuda"]


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError, torch.AcceleratorError])
def test_a_full_gpu_leaves_the_work_to_the_cpu(monkeypatch, torch_instead, caplog, error):
    def full(features, k, device):
        raise error("CUDA error: out of memory\nand advice")

    features = neighbors.l2_normalize(clusters(10))
    monkeypatch.setattr(neighbors, "_nearest_by_torch", full)
    for found, expected in zip(
        neighbors.nearest_neighbors(features, 7), neighbors._nearest_by_numpy(features, 7), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    assert "48 images are found on the CPU: the GPU said: CUDA error: out of memory" in caplog.messages[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
def test_the_gpu_finds_the_same_neighbours():
    features = np.random.default_rng(0).integers(-2, 3, (5000, 4)).astype(np.float32)  # with ties and copies
    for found, expected in zip(
        neighbors.nearest_neighbors(features, 20), neighbors._nearest_by_numpy(features, 20), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_of_many_equal_values_few_are_sorted(monkeypatch):
    lexsort, sorted_values = np.lexsort, []

    def counting(keys):
        sorted_values.append(len(keys[0]))
        return lexsort(keys)

    monkeypatch.setattr(np, "lexsort", counting)
    values = np.ones((3, 10_000), np.float32)
    values[1, 5000] = 0
    assert neighbors.smallest(values, 4).tolist() == [[0, 1, 2, 3], [5000, 0, 1, 2], [0, 1, 2, 3]]
    assert sorted_values[0] < 20
