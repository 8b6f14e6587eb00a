import numpy as np
import pytest

from castsearch.search import cross_neighborhood, k_reciprocal, rerank
from castsearch.search.neighbors import l2_normalize


def distances_of(features):
    features = l2_normalize(features)
    return np.sqrt(k_reciprocal.squared_distance(np.clip(features @ features.T, -1, 1)))


def from_features(features, num_query, k1=20, k2=6, lambda_value=0.3):
    """k-reciprocal re-ranking of the first features, the queries, and the others."""
    split = slice(num_query), slice(num_query, None)
    return k_reciprocal.k_reciprocal_from_features(features, *split, k1=k1, k2=k2, lambda_value=lambda_value)


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
        k_reciprocal.k_reciprocal(given["distances"], *options),
        from_features(given["features"], *options),
    ):
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, given["reranked"], atol=1e-5)


@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (5, 2), (7, 9), (60, 3)])
def test_distances_and_features_agree(k1, k2):
    features = clusters(0)
    from_distances = k_reciprocal.k_reciprocal(distances_of(features), 10, k1, k2)
    np.testing.assert_allclose(from_features(features, 10, k1, k2), from_distances, atol=1e-5)


def test_all_pairs_hold_what_queries_get():
    features = clusters(1)
    every = k_reciprocal.k_reciprocal_from_features(features, slice(None), slice(None))
    assert every.shape == (48, 48)
    np.testing.assert_allclose(every[:7, 7:], from_features(features, 7), atol=1e-6)


def test_blocks_change_nothing(monkeypatch):
    features = clusters(2)
    whole = from_features(features, 20)
    whole_distances = k_reciprocal.k_reciprocal(distances_of(features), 20)
    whole_neighborhoods = cross_neighborhood.expanded_cross_neighborhood(features, 20)
    for module in (k_reciprocal, cross_neighborhood):
        monkeypatch.setattr(module, "BLOCK_ROWS", 7)
    monkeypatch.setattr(k_reciprocal, "BLOCK_PAIRS", 100)
    np.testing.assert_allclose(from_features(features, 20), whole, atol=1e-6)
    np.testing.assert_array_equal(k_reciprocal.k_reciprocal(distances_of(features), 20), whole_distances)
    np.testing.assert_allclose(
        cross_neighborhood.expanded_cross_neighborhood(features, 20), whole_neighborhoods, atol=1e-5
    )


def test_the_order_of_the_gallery_does_not_matter():
    features = clusters(3)
    order = np.concatenate([np.arange(6), 6 + np.random.default_rng(0).permutation(42)])
    result = from_features(features[order], 6)
    np.testing.assert_allclose(result, from_features(features, 6)[:, order[6:] - 6], atol=1e-5)


def test_encodings_are_distributions_and_similar_to_themselves():
    weights = k_reciprocal.encode(l2_normalize(clusters(4))).weights
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    similarity = k_reciprocal.jaccard_similarity(weights, weights.T.tocsr()).toarray()
    np.testing.assert_allclose(np.diag(similarity), 1, rtol=1e-5)
    np.testing.assert_allclose(similarity, similarity.T, atol=1e-6)


def test_jaccard_similarity_is_the_sum_of_minima_over_the_sum_of_maxima():
    weights = k_reciprocal.encode(l2_normalize(clusters(5))).weights
    similarity = k_reciprocal.jaccard_similarity(weights[:9], weights[9:].T.tocsr()).toarray()
    dense = weights.toarray()
    minima = np.minimum(dense[:9, None], dense[None, 9:]).sum(axis=2)
    maxima = np.maximum(dense[:9, None], dense[None, 9:]).sum(axis=2)
    np.testing.assert_allclose(similarity, minima / maxima, atol=1e-6)


def test_ties_in_distances_follow_the_same_rule():
    distances = np.array([[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]], np.float32)
    # With k1 = 1, image 0 and 1 are each other's nearest; 2 and 3 have 0 as theirs, which 0 does not return.
    result = k_reciprocal.k_reciprocal(distances, 1, k1=1, k2=1, lambda_value=0)
    assert result[0, 0] < 1
    assert result[0, 1:].tolist() == [1, 1]


@pytest.mark.parametrize("case", range(2))
def test_expanded_cross_neighborhood_equals_the_reference(golden, case):
    with np.load(golden / "rerank.npz") as data:
        features, expected = data[f"ecn{case}_features"], data[f"ecn{case}_reranked"]
        options = [data[f"ecn{case}_{name}"].item() for name in ("num_query", "t", "q")]
    result = cross_neighborhood.expanded_cross_neighborhood(features, *options)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_all_expanded_cross_neighborhoods_hold_what_queries_get():
    features = clusters(1)
    every = cross_neighborhood.expanded_cross_neighborhood_between(features, slice(None), slice(None))
    np.testing.assert_allclose(every[:7, 7:], cross_neighborhood.expanded_cross_neighborhood(features, 7), atol=1e-6)
    np.testing.assert_allclose(every, every.T, atol=1e-5)


def test_expanded_cross_neighborhood_on_a_line():
    # t = q = 1: 0 and 1 have each other, 5 has 7, 7 has 5; a neighbourhood is the nearest image and its nearest.
    features = np.array([[0], [1], [5], [7]])
    expected = [[(1 + 0) / 4 + (0 + 1) / 4, (4 + 5) / 4 + (7 + 5) / 4, (6 + 7) / 4 + (5 + 7) / 4]]
    np.testing.assert_allclose(cross_neighborhood.expanded_cross_neighborhood(features, 1, t=1, q=1), expected)


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_few_images(n):
    features = clusters(6)[:n]
    assert from_features(features, 0).shape == (0, n)
    assert from_features(features, n).shape == (n, 0)
    assert np.isfinite(k_reciprocal.k_reciprocal_from_features(features, slice(None), slice(None))).all()
    assert k_reciprocal.k_reciprocal(distances_of(features), n // 2).shape == (n // 2, n - n // 2)
    assert np.isfinite(cross_neighborhood.expanded_cross_neighborhood(features, n // 2)).all()
    assert np.isfinite(cross_neighborhood.expanded_cross_neighborhood_between(features, slice(None), slice(None))).all()


def test_a_row_of_zeros_stays_finite():
    features = clusters(7)
    features[3] = 0
    assert np.isfinite(from_features(features, 5)).all()


@pytest.mark.parametrize("options", [{"k1": 0}, {"k2": 0}, {"lambda_value": 1.5}, {"lambda_value": -0.1}])
def test_impossible_options_are_refused(options):
    features = clusters(8)
    with pytest.raises(ValueError, match="must be"):
        from_features(features, 3, **options)
    with pytest.raises(ValueError, match="must be"):
        k_reciprocal.k_reciprocal(distances_of(features), 3, **options)


@pytest.mark.parametrize("num_query", [49, -1])
def test_an_impossible_number_of_queries_is_refused(num_query):
    with pytest.raises(ValueError, match="must be"):
        k_reciprocal.k_reciprocal(distances_of(clusters(8)), num_query)
    with pytest.raises(ValueError, match="must be"):
        cross_neighborhood.expanded_cross_neighborhood(clusters(8), num_query)


def test_impossible_shapes_are_refused():
    with pytest.raises(ValueError, match="square"):
        k_reciprocal.k_reciprocal(np.zeros((3, 4)), 1)
    for function in (from_features, cross_neighborhood.expanded_cross_neighborhood):
        with pytest.raises(ValueError, match="matrix"):
            function(np.zeros(3), 1)
        with pytest.raises(ValueError, match="finite"):
            function(np.full((3, 2), np.nan), 1)
    for options in ({"num_query": 4}, {"t": 0}, {"q": 0}):
        with pytest.raises(ValueError, match="must be"):
            cross_neighborhood.expanded_cross_neighborhood(np.zeros((3, 2)), **{"num_query": 1} | options)


def test_every_re_ranking_gives_similarities_on_the_scale_of_cosines():
    features = 3 * clusters(11)
    for name, rerank_by in rerank.RERANKINGS.items():
        between = rerank_by(features, slice(8), slice(8, None))
        assert between.shape == (8, 40), name
        assert np.abs(between).max() <= 1.01, name
        np.testing.assert_allclose(rerank_by(features, slice(None), slice(None))[:8, 8:], between, atol=1e-5)


def test_the_similarity_by_ecn_is_the_cosine_at_its_distance():
    features = l2_normalize(clusters(12))
    distance = cross_neighborhood.expanded_cross_neighborhood(features, 6, t=4, q=3)
    found = rerank.RERANKINGS["ecn"](5 * features, slice(6), slice(6, None), t=4, q=3)
    np.testing.assert_allclose(found, 1 - distance**2 / 2, atol=1e-5)
