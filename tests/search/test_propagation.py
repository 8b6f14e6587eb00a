import numpy as np
import pytest
from factories.searches import search_input

from castsearch.search import propagation, similarity


def load(golden, case, *names):
    with np.load(golden / "propagation.npz") as data:
        return [data[f"ppcc{case}_{name}"] for name in names]


def chain():
    """Cast members 0 and 1; candidate 2 looks like 0, 3 like 1, 4 only like 2 and a little like 3."""
    affinity = np.zeros((5, 5))
    for one, other, strength in [(0, 2, 0.9), (1, 3, 0.9), (2, 4, 0.8), (3, 4, 0.3)]:
        affinity[one, other] = affinity[other, one] = strength
    return affinity


@pytest.mark.parametrize("case", range(2))
def test_competitive_consensus_equals_the_reference(golden, case):
    names = ("affinity", "num_cast", "steps", "init_fraction", "temperature", "scores")
    affinity, num_cast, steps, init_fraction, temperature, expected = load(golden, case, *names)
    scores = propagation.competitive_consensus(
        affinity, int(num_cast), int(steps), float(init_fraction), float(temperature)
    )
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("case", range(2))
def test_label_propagation_equals_the_reference(golden, case):
    affinity, num_cast, expected = load(golden, case, "affinity", "num_cast", "label_propagation")
    np.testing.assert_allclose(propagation.label_propagation(affinity, int(num_cast)), expected, rtol=1e-5)


def test_labels_reach_candidates_that_no_portrait_is_linked_to():
    scores = propagation.competitive_consensus(chain(), num_cast=2)
    assert scores.shape == (2, 3)
    assert np.argmax(scores, axis=0).tolist() == [0, 1, 0]


def test_a_negative_link_repels():
    affinity = chain()
    affinity[2, 4] = affinity[4, 2] = -1
    scores = propagation.competitive_consensus(affinity, num_cast=2)
    assert np.argmax(scores, axis=0).tolist() == [0, 1, 1]


def test_a_frozen_label_stays():
    affinity = chain()
    once = propagation.competitive_consensus(affinity, num_cast=2, steps=1, init_fraction=1)
    later = propagation.competitive_consensus(affinity, num_cast=2, steps=9, init_fraction=1)
    np.testing.assert_allclose(later, once, atol=1e-3)  # weak labels are dropped on the way


def test_the_order_of_candidates_does_not_matter():
    rng = np.random.default_rng(0)
    affinity = rng.random((23, 23))
    affinity = (affinity + affinity.T) / 2
    order = np.concatenate([np.arange(3), 3 + rng.permutation(20)])
    for propagate in (propagation.competitive_consensus, propagation.label_propagation):
        shuffled = propagate(affinity[np.ix_(order, order)], 3)
        np.testing.assert_allclose(shuffled, propagate(affinity, 3)[:, order[3:] - 3], rtol=1e-9)


@pytest.mark.parametrize(("n", "num_cast"), [(0, 0), (1, 0), (1, 1), (4, 0), (4, 4), (2, 1)])
def test_small_graphs(n, num_cast):
    affinity = np.ones((n, n))
    for propagate in (propagation.competitive_consensus, propagation.label_propagation):
        scores = propagate(affinity, num_cast)
        assert scores.shape == (num_cast, n - num_cast)
        assert np.isfinite(scores).all()


def test_strong_links_do_not_overflow():
    assert np.isfinite(propagation.competitive_consensus(1000 * chain(), num_cast=2)).all()


@pytest.mark.parametrize(
    "options", [{"num_cast": 6}, {"num_cast": -1}, {"steps": 0}, {"init_fraction": 1.1}, {"temperature": 0}]
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match="must be"):
        propagation.competitive_consensus(chain(), **{"num_cast": 2} | options)


def test_a_matrix_that_is_not_square_is_refused():
    for propagate in (propagation.competitive_consensus, propagation.label_propagation):
        with pytest.raises(ValueError, match="square"):
            propagate(np.zeros((3, 4)), 1)


def linked(*, body=True):
    """Affinities of one cast member and three candidates, the last without a face, the first two in one frame."""
    face_cosine = np.array([[1, 0.2, 0.9], [0.2, 1, 0.9], [0.9, 0.9, 1]])
    bodies = np.array([[1, 0.3, 0.6], [0.3, 1, 0.4], [0.8, 0.4, 1]])
    return propagation.link_movie(
        np.array([[0.7, 0.1, -2]]),
        face_cosine,
        bodies if body else None,
        frames=["a", "a", "b"],
        has_face=np.array([True, True, False]),
    )


def test_a_movie_is_linked_by_what_can_be_seen():
    np.testing.assert_allclose(linked(), [[1, 0.7, 0.1, 0], [0.7, 1, -1, 0.7], [0.1, -1, 1, 0.4], [0, 0.7, 0.4, 1]])
    np.testing.assert_allclose(linked(body=False)[1:, 1:], [[1, -1, 0], [-1, 1, 0], [0, 0, 1]])


def test_faces_and_bodies_count_alike_where_both_are_seen():
    half = np.full((2, 2), 0.5)
    affinity = propagation.link_movie(np.zeros((1, 2)), half, half / 5, frames=["a", "b"], has_face=np.ones(2, bool))
    assert affinity[1, 2] == pytest.approx(0.3)


def test_a_ranking_puts_whom_consensus_reaches_before_others():
    assert propagation.rank(chain(), 2)[0][0].tolist() == [0, 2, 1]


def test_a_lone_cast_member_competes_with_nobody():
    assert propagation.rank(linked(), 1)[0].tolist() == [[0, 1, 2]]  # by portrait


@pytest.mark.parametrize("bodies", [False, True])
def test_the_workflow_searches_by_the_links_of_a_movie(bodies):
    rng = np.random.default_rng(0)
    who = np.concatenate([np.arange(3), rng.integers(0, 4, 40)])
    face, body = (rng.normal(size=(4, 16))[who] + 0.5 * rng.normal(size=(43, 16)) for _ in range(2))
    body, frames, has_face = body[3:] if bodies else None, rng.integers(0, 20, 40), rng.random(40) < 0.7
    by_body = similarity.body_similarity(body) if bodies else None
    cosine = similarity.cosine_similarity(face[3:])
    affinity = propagation.link_movie(
        similarity.face_similarity(face, 3), cosine, by_body, frames=frames, has_face=has_face
    )
    expected, scores = propagation.rank(affinity, 3)
    found = propagation.search(search_input(face, body, frames, has_face, 3))
    np.testing.assert_array_equal(found.order, expected)
    np.testing.assert_allclose(found.score, scores, rtol=1e-5)


def test_links_that_do_not_fit_are_refused():
    for n in (2, 4):
        with pytest.raises(ValueError, match="fit"):
            propagation.link_movie(np.zeros((1, 3)), np.eye(n), None, frames=["a", "b", "c"], has_face=np.ones(3, bool))
