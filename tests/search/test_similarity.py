import numpy as np
import pytest

from castsearch.search import similarity


def test_a_face_similarity_is_the_cosine_of_a_portrait_and_a_candidate():
    face = np.array([[2, 0], [0, 1], [3, 3]])
    np.testing.assert_allclose(similarity.face_similarity(face, 1), [[0, np.sqrt(0.5)]], rtol=1e-6)


def test_candidates_without_a_face_are_less_similar_than_any_other():
    shown = similarity.without_faceless(np.array([[0.5, -1.0]]), np.array([False, True]))
    assert shown.tolist() == [[similarity.FACELESS, -1.0]]
    assert similarity.FACELESS < -1


def test_re_ranked_bodies_take_the_place_of_the_cosine():
    body = np.random.default_rng(0).normal(size=(12, 4))
    gain = similarity.body_similarity(body, np.ones((12, 12))) - similarity.body_similarity(body, np.zeros((12, 12)))
    np.testing.assert_allclose(gain, 0.5, atol=1e-6)


def test_body_similarity_smooths_over_nine_neighbours():
    body = np.random.default_rng(0).normal(size=(30, 8))
    unit = body / np.linalg.norm(body, axis=1, keepdims=True)
    cosine = unit @ unit.T
    smoothed = np.empty_like(unit)
    for row in range(30):
        nearest = np.argsort(-cosine[row])[:9]
        weights = np.exp(cosine[row, nearest])
        smoothed[row] = weights @ unit[nearest] / weights.sum()
    smoothed /= np.linalg.norm(smoothed, axis=1, keepdims=True)
    np.testing.assert_allclose(similarity.body_similarity(body), (cosine + smoothed @ smoothed.T) / 2, atol=1e-5)


def test_concatenation_weighs_networks_alike():
    one, other = np.random.default_rng(0).normal(size=(2, 10, 4))
    joined = similarity.concatenate([100 * one, other])
    np.testing.assert_allclose(np.linalg.norm(joined, axis=1), 1, rtol=1e-6)
    cosines = [similarity.cosine_similarity(features) for features in (one, other)]
    np.testing.assert_allclose(similarity.cosine_similarity(joined), np.mean(cosines, axis=0), atol=1e-6)


def test_faces_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="fit"):
        similarity.face_similarity(np.ones((2, 4)), 3)
    with pytest.raises(ValueError, match="fit"):
        similarity.without_faceless(np.ones((2, 4)), np.ones(3, bool))
