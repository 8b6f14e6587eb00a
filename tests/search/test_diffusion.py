from dataclasses import replace

import numpy as np
import pytest

from castsearch.search import diffusion
from castsearch.search.neighbors import l2_normalize
from castsearch.search.search_input import SearchInput
from castsearch.search.similarity import best_portrait, face_similarity, without_faceless


def movie(*, num_cast=3, n=60, faceless=0.4):
    """Features clustered by person; the last person is no cast member."""
    rng = np.random.default_rng(1)
    identity = np.concatenate([np.arange(num_cast), rng.integers(0, num_cast + 1, n)])
    face, body = (1.5 * rng.normal(size=(num_cast + 1, 32))[identity] for _ in range(2))
    face = face + rng.normal(size=face.shape)
    body = (body + rng.normal(size=body.shape))[num_cast:]
    frames = [f"{frame:04d}" for frame in rng.integers(0, max(1, n // 2), n)]
    return face, body, frames, rng.random(n) >= faceless, num_cast, identity[num_cast:]


def rank(face, body, frames, has_face, num_cast):
    similarity = without_faceless(face_similarity(face, num_cast), has_face)
    return diffusion.rank(similarity, face[num_cast:], body, frames=frames, has_face=has_face).order


def precision(ranking, identity):
    """Mean R-precision."""
    rights = [identity[row[: np.count_nonzero(identity == person)]] == person for person, row in enumerate(ranking)]
    return np.mean([right.mean() for right in rights])


@pytest.mark.parametrize(
    "options",
    [{"faceless": 0.0}, {"faceless": 1.0}, {"n": 0}, {"n": 1}, {"n": 2}, {"n": 9}, {"num_cast": 0}, {"num_cast": 1}],
)
def test_every_ranking_is_complete(options):
    face, body, frames, has_face, num_cast, _ = movie(**options)
    for bodies in (body, None):
        ranking = rank(face, bodies, frames, has_face, num_cast)
        assert ranking.dtype == np.int32
        assert np.sort(ranking, axis=1).tolist() == [list(range(len(frames)))] * num_cast


def test_bodies_find_those_without_a_face():
    face, body, frames, has_face, num_cast, identity = movie()
    with_bodies = precision(rank(face, body, frames, has_face, num_cast), identity)
    assert with_bodies > 0.85
    assert with_bodies > precision(rank(face, None, frames, has_face, num_cast), identity) + 0.15


def test_a_portrait_of_other_years_finds_whom_it_resembles_most():
    rng = np.random.default_rng(0)
    identity = np.repeat(np.arange(3), 10)
    similarity = rng.uniform(-0.15, 0.15, (3, 30)).astype(np.float32)
    similarity[[1, 2]] += 0.6 * (identity == np.array([[1], [2]]))
    similarity[0, identity == 0] = 0.15  # no more than a stranger may reach
    face = np.eye(3, 32)[identity] + rng.normal(0, 0.1, (30, 32))
    frames = [f"{number:04d}" for number in range(30)]
    ranking = diffusion.rank(similarity, face, None, frames=frames, has_face=np.ones(30, bool)).order
    assert sorted(ranking[0, :10]) == list(range(10))


def test_no_faces_leave_candidate_order():
    face, body, frames, has_face, num_cast, _ = movie(faceless=1)
    assert rank(face, body, frames, has_face, num_cast).tolist() == [list(range(60))] * 3


def test_the_order_of_candidates_does_not_matter():
    face, body, frames, has_face, num_cast, _ = movie()
    order = np.random.default_rng(0).permutation(60)
    shuffled = np.vstack([face[:num_cast], face[num_cast:][order]])
    ranking = rank(shuffled, body[order], [frames[index] for index in order], has_face[order], num_cast)
    plain = rank(face, body, frames, has_face, num_cast)
    assert np.mean(order[ranking] == plain) > 0.9  # rounding may swap those who are as good as equal


def test_images_that_are_all_alike_are_ranked():
    alike = np.ones((8, 4))
    assert rank(alike, alike[2:], list("aabbcd"), np.ones(6, bool), 2).shape == (2, 6)


def test_a_lone_portrait_is_found_where_it_is_most_of_the_movie():
    rng = np.random.default_rng(1)
    identity = np.array([0] * 61 + [1, 2, 3, 4] * 7)  # the portrait, its 60 candidates, and 28 of others
    face, body = (1.5 * rng.normal(size=(5, 32))[identity] + rng.normal(size=(89, 32)) for _ in range(2))
    frames = [str(number) for number in [*range(60), *range(28)]]  # each of the others stands beside the person
    ranking = rank(face, body[1:], frames, rng.random(88) >= 0.2, 1)
    assert precision(ranking, identity[1:]) > 0.95


def test_places_in_a_frame_are_given_together():
    # Each for itself, both would be the first candidate; together, the second cast member yields.
    scores = np.array([[0.9, 0.1, 0.5], [0.8, 0.7, 0.5]])
    settled = diffusion.settle_frames(scores, np.array([4, 4, 5]))
    np.testing.assert_allclose(settled, [[0.9, 0.01, 0.5], [0.08, 0.7, 0.5]])


def test_a_place_that_nobody_has_is_ruled_out_as_far_as_another_is_likelier():
    settled = diffusion.settle_frames(np.array([[0.8, 0.4, 0.8]]), np.zeros(3, int))
    np.testing.assert_allclose(settled, [[0.8, 0.2, 0.8]])


def test_whom_nothing_reaches_stands_between_who_is_the_cast_member_and_who_is_another():
    face = np.eye(8)[[0, 1, 0, 0, 0, 1, 1, 1, 2, 3]]  # two portraits with three candidates each; two without a face
    has_face = np.array([True] * 6 + [False] * 2)
    ranking = rank(face, None, list("abcdefgh"), has_face, 2)
    assert ranking.tolist() == [[0, 1, 2, 6, 7, 3, 4, 5], [3, 4, 5, 6, 7, 0, 1, 2]]
    # In one frame with somebody who is the cast member, nobody else is.
    assert rank(face, None, list("abcdefah"), has_face, 2)[0].tolist()[:5] == [0, 1, 2, 7, 6]


def test_whom_only_strangers_reach_comes_after_whom_nothing_reaches():
    face = np.eye(8)[[0, 0, 0, 1, 1, 2, 2]]  # a portrait with two candidates; two strangers; two without a face
    body = np.eye(8)[[0, 0, 1, 1, 1, 2]]  # the first without a face is dressed as the strangers are
    has_face = np.array([True] * 4 + [False] * 2)
    ranking = rank(face, body, list("abcdef"), has_face, 1)[0].tolist()
    assert ranking[:3] == [0, 1, 5]
    assert ranking[3] == 4  # and before those whose face is another's


def test_a_face_that_turns_away_tells_half_as_much_of_strangers():
    face = np.eye(8)[[0, 0, 0, 0, 1, 1]]  # a portrait with three candidates, and two faces that are like nobody
    seen = {"frames": list("abcde"), "has_face": np.ones(5, bool)}
    strange, turned = (
        diffusion.gather(face_similarity(face, 1), face[1:], None, **seen, frontal=np.array([1, 1, 1, own, own])).labels
        for own in (1, 0)
    )
    np.testing.assert_allclose(turned[1], strange[1] / 2, rtol=1e-5)
    np.testing.assert_array_equal(turned[0], strange[0])


def test_portraits_of_one_person_do_not_compete():
    face = np.eye(8)[[0, 0, 1, 0, 2, 3, 0, 1, 2]]  # three portraits, the first two of one person, and six candidates
    similarity = without_faceless(face_similarity(face, 3), np.ones(6, bool))
    seen = {"frames": list("aaabcd"), "has_face": np.ones(6, bool)}
    apart = diffusion.rank(similarity, face[3:], None, **seen).order
    assert sorted(apart[:2, 0]) == [0, 3]  # one of the two has the place in frame a, and the other has not
    together = diffusion.rank(best_portrait(similarity, np.array([0, 0, 1])), face[3:], None, **seen).order
    assert together[0, :2].tolist() == [0, 3]


def test_shapes_that_do_not_fit_are_refused():
    face, body, frames, has_face, num_cast, _ = movie()
    similarity = without_faceless(face_similarity(face, num_cast), has_face)
    face = face[num_cast:]
    for arguments in ((face[:-1], body, frames), (face, body[:-1], frames), (face, body, frames[:-1])):
        with pytest.raises(ValueError, match="fit"):
            diffusion.rank(similarity, *arguments[:2], frames=arguments[2], has_face=has_face)


def test_faces_are_averaged_with_the_most_similar_ones_of_other_frames():
    face = np.eye(4)[[0, 1, 1, 2]] + [[0, 0, 0, 0], [1, 0, 0, 0], [0.5, 0, 0, 0], [0, 0, 0, 0]]
    portrait = np.array([[1, 0, 0, 0]])
    similarity = portrait @ l2_normalize(face).T
    has_face = np.array([True, True, True, False])
    by_person, averages = diffusion.average_faces(similarity, face, list("aabc"), has_face)
    first, second, third, unseen = l2_normalize(face)
    # The first two are of one frame; each is averaged with the third, and nobody with whose face is not seen.
    for own, other, average in ((first, third, averages[0]), (second, third, averages[1])):
        np.testing.assert_allclose(average, l2_normalize([own + (own @ other) ** 2 * other])[0], rtol=1e-5)
    np.testing.assert_array_equal(averages[3], unseen)
    np.testing.assert_allclose(by_person, portrait @ averages.T, rtol=1e-5)


def test_a_face_without_features_stays_as_it_is_when_faces_are_averaged():
    face = np.array([[0, 0], [1, 0]], np.float32)
    by_person, averages = diffusion.average_faces(np.ones((1, 2), np.float32), face, list("ab"), np.ones(2, bool))
    np.testing.assert_array_equal(averages, face)
    np.testing.assert_array_equal(by_person, [[1, 1]])


def test_the_others_count_as_much_as_is_said_when_faces_are_averaged():
    face = l2_normalize(np.array([[1, 0], [1, 1]], np.float32))
    _, averages = diffusion.average_faces(np.ones((1, 2), np.float32), face, list("ab"), np.ones(2, bool), 0.5)
    np.testing.assert_allclose(averages[0], l2_normalize([face[0] + 0.5 * 0.5 * face[1]])[0], rtol=1e-5)


def test_the_less_faces_stand_out_from_strangers_the_more_they_are_averaged(monkeypatch):
    shares = []
    monkeypatch.setattr(diffusion, "average_faces", lambda *given: shares.append(given[-1]) or given[:2])
    own = np.arange(12) % 3 == np.arange(3)[:, None]
    strangers = np.random.default_rng(0).normal(0, 0.1, own.shape)
    seen = {"frames": list("abcdefghijkl"), "has_face": np.ones(12, bool)}
    for reached in (0.9, 0.4, 0.2):
        similarity = np.where(own, reached, strangers).astype(np.float32)
        diffusion.gather(similarity, np.eye(12), None, **seen)
    partly, wholly = shares  # nothing is averaged where faces stand out
    assert 0 < partly < 1
    assert wholly == 1


def test_nobody_is_named_where_no_face_is_more_like_a_portrait_than_strangers_are():
    rng = np.random.default_rng(0)
    face = l2_normalize(rng.normal(size=(43, 64)))
    seen = {"frames": [str(number) for number in range(40)], "has_face": np.ones(40, bool)}
    strangers = diffusion.rank(face[:3] @ face[3:].T, face[3:], None, **seen).share
    face[3] = l2_normalize((face[0] + face[3])[None])[0]
    known = diffusion.rank(face[:3] @ face[3:].T, face[3:], None, **seen).share
    assert strangers.max() < 0.5
    assert known[0, 0] > 0.9


@pytest.mark.parametrize(("alike", "named"), [(0.25, False), (0.5, True)])
def test_whoever_is_a_little_like_a_lone_portrait_is_not_named_after_it(alike, named):
    rng = np.random.default_rng(0)
    portrait, stranger, *others = np.linalg.qr(rng.normal(size=(64, 40)))[0].T
    often = alike * portrait + np.sqrt(1 - alike**2) * l2_normalize(stranger + np.stack(others[:10]))
    face = np.concatenate([often, others[10:]])
    seen = {"frames": [str(number) for number in range(len(face))], "has_face": np.ones(len(face), bool)}
    share = diffusion.rank(portrait[None] @ face.T, face, None, **seen).share
    assert (share[0, :10] > 0.5).all() == named


@pytest.mark.parametrize(("alike", "named"), [(0.25, False), (0.5, True)])
def test_a_stranger_is_not_named_after_one_of_the_cast_who_is_a_little_like_them(alike, named):
    rng = np.random.default_rng(0)
    present, absent, *others = np.linalg.qr(rng.normal(size=(64, 40)))[0].T
    own = 0.6 * present + 0.8 * np.stack(others[:10])
    little = alike * absent + np.sqrt(1 - alike**2) * np.sqrt(0.5) * (others[10] + np.stack(others[11:21]))
    face = np.concatenate([own, little, others[21:]])
    seen = {"frames": [str(number) for number in range(len(face))], "has_face": np.ones(len(face), bool)}
    share = diffusion.rank(np.stack([present, absent]) @ face.T, face, None, **seen).share
    assert (share[0, :10] > 0.5).all()
    assert (share[1, 10:20] > 0.5).all() == named


def test_whether_somebody_of_the_cast_is_seen_does_not_depend_on_how_faces_are_reranked():
    rng = np.random.default_rng(0)
    portrait, *others = np.linalg.qr(rng.normal(size=(64, 30)))[0].T
    face = np.concatenate([0.8 * portrait + 0.6 * np.stack(others[:10]), others[10:]])
    seen = {"frames": [str(number) for number in range(len(face))], "has_face": np.ones(len(face), bool)}
    given = SearchInput(
        face_similarity=0.4 * portrait[None] @ face.T,
        cast_face=portrait[None],
        face=face,
        body=None,
        body_similarity=None,
        frontal=np.ones(len(face)),
        person=np.zeros(1, int),
        cast_movies=np.zeros(1, int),
        **seen,
    )
    found = {reranked: diffusion.search(replace(given, reranked=reranked)).share[0, 0] for reranked in (True, False)}
    assert found[True] > 0.9 > found[False]
