import numpy as np
import pytest
import torch

from castsearch.search import rerank


def distances_of(features):
    features = rerank.l2_normalize(features)
    return np.sqrt(rerank.squared_distance(np.clip(features @ features.T, -1, 1)))


def clusters(seed, groups=8, size=6, dimension=16):
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(size=(groups, dimension)), size, axis=0)
    return (centres + 0.6 * rng.normal(size=centres.shape)).astype(np.float32)


@pytest.mark.parametrize("case", range(5))
def test_k_reciprocal_equals_the_reference(golden, case):
    with np.load(golden / "rerank.npz") as data:
        given = {name: data[f"kr{case}_{name}"] for name in ("distances", "features", "reranked")}
        options = [data[f"kr{case}_{name}"].item() for name in ("num_query", "k1", "k2", "lambda")]
    for result in (
        rerank.k_reciprocal(given["distances"], *options),
        rerank.k_reciprocal_from_features(given["features"], *options),
    ):
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, given["reranked"], atol=1e-5)


@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (5, 2), (7, 9), (60, 3)])
def test_distances_and_features_agree(k1, k2):
    features = clusters(0)
    from_distances = rerank.k_reciprocal(distances_of(features), 10, k1, k2)
    from_features = rerank.k_reciprocal_from_features(features, 10, k1, k2)
    np.testing.assert_allclose(from_features, from_distances, atol=1e-5)


def test_all_pairs_hold_what_queries_get():
    features = clusters(1)
    every = rerank.k_reciprocal_all(features)
    assert every.shape == (48, 48)
    np.testing.assert_allclose(every[:7, 7:], rerank.k_reciprocal_from_features(features, 7), atol=1e-6)


def test_blocks_change_nothing(monkeypatch):
    features = clusters(2)
    whole = rerank.k_reciprocal_from_features(features, 20)
    whole_distances = rerank.k_reciprocal(distances_of(features), 20)
    whole_neighborhoods = rerank.expanded_cross_neighborhood(features, 20)
    monkeypatch.setattr(rerank, "_BLOCK_ROWS", 7)
    monkeypatch.setattr(rerank, "_BLOCK_PAIRS", 100)
    np.testing.assert_allclose(rerank.k_reciprocal_from_features(features, 20), whole, atol=1e-6)
    np.testing.assert_array_equal(rerank.k_reciprocal(distances_of(features), 20), whole_distances)
    np.testing.assert_allclose(rerank.expanded_cross_neighborhood(features, 20), whole_neighborhoods, atol=1e-5)


def test_the_order_of_the_gallery_does_not_matter():
    features = clusters(3)
    order = np.concatenate([np.arange(6), 6 + np.random.default_rng(0).permutation(42)])
    result = rerank.k_reciprocal_from_features(features[order], 6)
    np.testing.assert_allclose(result, rerank.k_reciprocal_from_features(features, 6)[:, order[6:] - 6], atol=1e-5)


def test_encodings_are_distributions_and_similar_to_themselves():
    weights = rerank.encode(rerank.l2_normalize(clusters(4))).weights
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    similarity = rerank.jaccard_similarity(weights, weights.T.tocsr()).toarray()
    np.testing.assert_allclose(np.diag(similarity), 1, rtol=1e-5)
    np.testing.assert_allclose(similarity, similarity.T, atol=1e-6)


def test_jaccard_similarity_is_the_sum_of_minima_over_the_sum_of_maxima():
    weights = rerank.encode(rerank.l2_normalize(clusters(5))).weights
    similarity = rerank.jaccard_similarity(weights[:9], weights[9:].T.tocsr()).toarray()
    dense = weights.toarray()
    minima = np.minimum(dense[:9, None], dense[None, 9:]).sum(axis=2)
    maxima = np.maximum(dense[:9, None], dense[None, 9:]).sum(axis=2)
    np.testing.assert_allclose(similarity, minima / maxima, atol=1e-6)


def test_of_equally_near_neighbours_the_lower_index_is_nearer():
    features = np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 0, 0]]
    indices, cosines, lowest = rerank.nearest_neighbors(features, 5)
    assert indices.tolist() == [[0, 2, 4, 5, 1], [1, 3, 0, 2, 4]] * 2 + [[0, 2, 4, 5, 1]] * 2
    assert cosines[0].tolist() == [1, 1, 1, 1, 0]
    assert lowest.tolist() == [0] * 6


def test_images_present_twice_are_tied_exactly():
    features = rerank.l2_normalize(clusters(9, groups=20, size=5, dimension=512)[:99])
    indices, _, _ = rerank.nearest_neighbors(np.vstack([features, features]), 20)
    first, second = indices[:, ::2], indices[:, 1::2]
    np.testing.assert_array_equal(second, first + 99)


def test_torch_finds_the_same_neighbours():
    # Small whole numbers, whose products are exact everywhere, with ties in every row and copies.
    features = np.random.default_rng(0).integers(-2, 3, (300, 4)).astype(np.float32)
    for expected, found in zip(
        rerank.nearest_neighbors(features, 20), rerank._nearest_by_torch(features, 20, "cpu"), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.fixture
def torch_instead(monkeypatch):
    """Torch takes the GPU's place, on the CPU and for few images."""
    by_torch, devices = rerank._nearest_by_torch, []

    def nearest(features, k, device):
        devices.append(device)
        return by_torch(features, k, "cpu")

    monkeypatch.setattr(rerank, "_GPU_ROWS", 10)
    monkeypatch.setattr(rerank, "torch_has_gpu", lambda: True)
    monkeypatch.setattr(rerank, "_nearest_by_torch", nearest)
    return devices


def test_many_rows_go_to_the_gpu_and_give_the_same(monkeypatch, torch_instead):
    features = rerank.l2_normalize(clusters(10))
    expected = rerank._nearest_by_numpy(features, 7)
    monkeypatch.setattr(rerank, "_GPU_VALUES", 100)  # two rows a block
    np.testing.assert_array_equal(rerank.nearest_neighbors(features, 7)[0], expected[0])
    assert torch_instead == ["cuda"]
    rerank.nearest_neighbors(features[:9], 7)
    assert torch_instead == ["cuda"]


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError, torch.AcceleratorError])
def test_a_full_gpu_leaves_the_work_to_the_cpu(monkeypatch, torch_instead, capsys, error):
    def full(features, k, device):
        raise error("CUDA error: out of memory\nand advice")

    features = rerank.l2_normalize(clusters(10))
    monkeypatch.setattr(rerank, "_nearest_by_torch", full)
    for found, expected in zip(
        rerank.nearest_neighbors(features, 7), rerank._nearest_by_numpy(features, 7), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    assert "48 images on the CPU: the GPU said: CUDA error: out of memory\n" in capsys.readouterr().err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
def test_the_gpu_finds_the_same_neighbours():
    features = np.random.default_rng(0).integers(-2, 3, (5000, 4)).astype(np.float32)  # with ties and copies
    for found, expected in zip(
        rerank.nearest_neighbors(features, 20), rerank._nearest_by_numpy(features, 20), strict=True
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
    assert rerank._smallest(values, 4).tolist() == [[0, 1, 2, 3], [5000, 0, 1, 2], [0, 1, 2, 3]]
    assert sorted_values[0] < 20


def test_ties_in_distances_follow_the_same_rule():
    distances = np.array([[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]], np.float32)
    # With k1 = 1, image 0 and 1 are each other's nearest; 2 and 3 have 0 as theirs, which 0 does not return.
    result = rerank.k_reciprocal(distances, 1, k1=1, k2=1, lambda_value=0)
    assert result[0, 0] < 1
    assert result[0, 1:].tolist() == [1, 1]


@pytest.mark.parametrize("case", range(2))
def test_expanded_cross_neighborhood_equals_the_reference(golden, case):
    with np.load(golden / "rerank.npz") as data:
        features, expected = data[f"ecn{case}_features"], data[f"ecn{case}_reranked"]
        options = [data[f"ecn{case}_{name}"].item() for name in ("num_query", "t", "q")]
    result = rerank.expanded_cross_neighborhood(features, *options)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_all_expanded_cross_neighborhoods_hold_what_queries_get():
    features = clusters(1)
    every = rerank.expanded_cross_neighborhood_all(features)
    np.testing.assert_allclose(every[:7, 7:], rerank.expanded_cross_neighborhood(features, 7), atol=1e-6)
    np.testing.assert_allclose(every, every.T, atol=1e-5)


def test_expanded_cross_neighborhood_on_a_line():
    # t = q = 1: 0 and 1 have each other, 5 has 7, 7 has 5; a neighbourhood is the nearest image and its nearest.
    features = np.array([[0], [1], [5], [7]])
    expected = [[(1 + 0) / 4 + (0 + 1) / 4, (4 + 5) / 4 + (7 + 5) / 4, (6 + 7) / 4 + (5 + 7) / 4]]
    np.testing.assert_allclose(rerank.expanded_cross_neighborhood(features, 1, t=1, q=1), expected)


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_few_images(n):
    features = clusters(6)[:n]
    assert rerank.k_reciprocal_from_features(features, 0).shape == (0, n)
    assert rerank.k_reciprocal_from_features(features, n).shape == (n, 0)
    assert np.isfinite(rerank.k_reciprocal_all(features)).all()
    assert rerank.k_reciprocal(distances_of(features), n // 2).shape == (n // 2, n - n // 2)
    assert np.isfinite(rerank.expanded_cross_neighborhood(features, n // 2)).all()
    assert np.isfinite(rerank.expanded_cross_neighborhood_all(features)).all()


def test_a_row_of_zeros_stays_finite():
    features = clusters(7)
    features[3] = 0
    assert np.isfinite(rerank.k_reciprocal_from_features(features, 5)).all()


@pytest.mark.parametrize(
    "options",
    [{"num_query": 49}, {"num_query": -1}, {"k1": 0}, {"k2": 0}, {"lambda_value": 1.5}, {"lambda_value": -0.1}],
)
def test_impossible_options_are_refused(options):
    features = clusters(8)
    options = {"num_query": 3} | options
    with pytest.raises(ValueError, match="must be"):
        rerank.k_reciprocal_from_features(features, **options)
    with pytest.raises(ValueError, match="must be"):
        rerank.k_reciprocal(distances_of(features), **options)


def test_impossible_shapes_are_refused():
    with pytest.raises(ValueError, match="square"):
        rerank.k_reciprocal(np.zeros((3, 4)), 1)
    for function in (rerank.k_reciprocal_from_features, rerank.expanded_cross_neighborhood):
        with pytest.raises(ValueError, match="matrix"):
            function(np.zeros(3), 1)
        with pytest.raises(ValueError, match="finite"):
            function(np.full((3, 2), np.nan), 1)
    for options in ({"num_query": 4}, {"t": 0}, {"q": 0}):
        with pytest.raises(ValueError, match="must be"):
            rerank.expanded_cross_neighborhood(np.zeros((3, 2)), **{"num_query": 1} | options)
