import numpy as np
import pytest
import torch

from castsearch.search import neighbors, torch_neighbors


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


def test_a_row_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match=r"row 1 of 3 is not of finite numbers; .* has a row of zeros"):
        neighbors.l2_normalize(np.array([[0.0, 1], [np.nan, 1], [0, 0]]))


def test_images_present_twice_are_tied_exactly():
    features = neighbors.l2_normalize(clusters(9, groups=20, size=5, dimension=512)[:99])
    indices, _, _ = neighbors.nearest_neighbors(np.vstack([features, features]), 20)
    first, second = indices[:, ::2], indices[:, 1::2]
    np.testing.assert_array_equal(second, first + 99)


def whole_numbers(n):
    """Features of small whole numbers, whose products are exact everywhere, with ties in every row and copies."""
    return np.random.default_rng(0).integers(-2, 3, (n, 4)).astype(np.float32)


def assert_same_neighbors(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_torch_finds_the_same_neighbours():
    features = whole_numbers(600)  # more than one block
    assert_same_neighbors(
        torch_neighbors.nearest_neighbors(features, 20, "cpu"), neighbors.numpy_neighbors(features, 20)
    )


@pytest.mark.parametrize(("n", "devices"), [(neighbors.GPU_ROWS - 1, []), (neighbors.GPU_ROWS, ["cuda"])])
def test_many_rows_go_to_the_gpu(monkeypatch, n, devices):
    asked = []

    def nearest(features, k, device):
        asked.append(device)
        return neighbors.numpy_neighbors(features, k)

    monkeypatch.setattr(neighbors, "torch_has_gpu", lambda: True)
    monkeypatch.setattr(torch_neighbors, "nearest_neighbors", nearest)
    neighbors.nearest_neighbors(whole_numbers(n), 3)
    assert asked == devices


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError, torch.AcceleratorError])
def test_a_full_gpu_leaves_the_work_to_the_cpu(monkeypatch, caplog, error):
    def full(features, k, device):
        raise error("CUDA error: out of memory\nand advice")

    features = whole_numbers(neighbors.GPU_ROWS)
    monkeypatch.setattr(neighbors, "torch_has_gpu", lambda: True)
    monkeypatch.setattr(torch_neighbors, "nearest_neighbors", full)
    assert_same_neighbors(neighbors.nearest_neighbors(features, 3), neighbors.numpy_neighbors(features, 3))
    assert "4000 images are found on the CPU: the GPU said: CUDA error: out of memory" in caplog.messages[0]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
def test_the_gpu_finds_the_same_neighbours():
    features = whole_numbers(5000)
    assert_same_neighbors(neighbors.nearest_neighbors(features, 20), neighbors.numpy_neighbors(features, 20))


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
