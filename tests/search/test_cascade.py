import numpy as np
import pytest
from factories.searches import search_input

from castsearch.search import cascade, similarity
from castsearch.search.rerank import RERANKINGS


def load(golden, case):
    with np.load(golden / f"fusion_{case}.npz") as data:
        given = {name: data[name] for name in data.files}
    options = given["options"].tolist()
    keywords = {"face_rerank": "--face_rerank" in options, "body_rerank": "--body_rerank" in options}
    if "--thres" in options:
        keywords["thresholds"] = [float(value) for value in options[options.index("--thres") + 1 :]]
    arguments = (given["face"], given["body"], given["frames"], ~given["no_face"], int(given["num_cast"]))
    return arguments, keywords, given["ranking"], given["identity"]


def mean_average_precision(ranking, identity):
    num_cast = len(ranking)
    precisions = []
    for person, row in zip(identity, ranking, strict=False):
        ranks = 1 + np.flatnonzero(identity[num_cast:][row] == person)
        if len(ranks):
            precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    return np.mean(precisions)


def people(num_cast, n):
    """Who is who, cast first; the last person is no cast member."""
    return np.concatenate([np.arange(num_cast), np.random.default_rng(0).integers(0, num_cast + 1, n)])


def movie(*, num_cast=3, n=60, faceless=0.4, separation=1.5):
    """Features clustered by person."""
    rng = np.random.default_rng(1)
    identity = people(num_cast, n)
    face, body = (separation * rng.normal(size=(num_cast + 1, 32))[identity] for _ in range(2))
    face = face + rng.normal(size=face.shape)
    body = (body + rng.normal(size=body.shape))[num_cast:]
    frames = [f"{frame:04d}" for frame in rng.integers(0, max(1, n // 2), n)]
    return face, body, frames, rng.random(n) >= faceless, num_cast


def assert_complete(ranking, num_cast, n):
    assert ranking.shape == (num_cast, n)
    assert ranking.dtype == np.int64
    np.testing.assert_array_equal(np.sort(ranking, axis=1), np.tile(np.arange(n), (num_cast, 1)))


@pytest.mark.parametrize("case", [0, 1, 4])
def test_equals_the_reference(golden, case):
    arguments, keywords, expected, _ = load(golden, case)
    np.testing.assert_array_equal(cascade.rank_candidates(*arguments, **keywords), expected)


@pytest.mark.parametrize("rerank", [False, True])
@pytest.mark.parametrize("bodies", [False, True])
def test_the_workflow_searches_by_what_is_compared_with_the_reference(bodies, rerank):
    face, body, frames, has_face, num_cast = movie()
    body, fields = body if bodies else None, {}
    if rerank:
        by_rank = RERANKINGS["k_reciprocal"]
        fields["face_similarity"] = by_rank(face, slice(num_cast), slice(num_cast, None))
        if bodies:
            fields["body_similarity"] = similarity.body_similarity(body, by_rank(body, slice(None), slice(None)))
    given = search_input(face, body, frames, has_face, num_cast, thresholds=cascade.REFERENCE_THRESHOLDS, **fields)
    expected = cascade.rank_candidates(face, body, frames, has_face, num_cast, face_rerank=rerank, body_rerank=rerank)
    np.testing.assert_array_equal(cascade.search(given).order, expected)


@pytest.mark.parametrize("case", [2, 3])
def test_body_reranking_equals_the_reference_up_to_its_ties(golden, case):
    # The reference ranks the undecided with everyone of them present twice, so that their order hangs on exact ties.
    arguments, keywords, expected, identity = load(golden, case)
    face, _, _, has_face, num_cast = arguments
    if keywords["face_rerank"]:
        by_face = RERANKINGS["k_reciprocal"](face, slice(num_cast), slice(num_cast, None))
    else:
        by_face = similarity.face_similarity(face, num_cast)
    lists = cascade.match_faces(
        similarity.without_faceless(by_face, has_face),
        similarity.cosine_similarity(face[num_cast:]),
        has_face,
        (0.5, 0.4, 0.3, 0.25),
    )
    ranking = cascade.rank_candidates(*arguments, **keywords)
    for row, reference, listed in zip(ranking, expected, lists, strict=True):
        np.testing.assert_array_equal(row[: len(listed)], reference[: len(listed)])
    difference = mean_average_precision(ranking, identity) - mean_average_precision(expected, identity)
    assert abs(difference) < 0.01


@pytest.mark.parametrize("face_rerank", [False, True])
@pytest.mark.parametrize("body_rerank", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"faceless": 0.0},
        {"faceless": 1.0},
        {"n": 0},
        {"n": 1},
        {"n": 1, "faceless": 1.0},
        {"n": 2},
        {"n": 9},
        {"n": 9, "faceless": 0.8},
        {"num_cast": 0},
        {"num_cast": 0, "n": 0},
        {"num_cast": 1},
    ],
)
def test_every_ranking_is_complete(options, face_rerank, body_rerank):
    face, body, frames, has_face, num_cast = movie(**options)
    for bodies in (body, None):
        ranking = cascade.rank_candidates(
            face, bodies, frames, has_face, num_cast, face_rerank=face_rerank, body_rerank=body_rerank
        )
        assert_complete(ranking, num_cast, len(frames))


def test_everyone_matched():
    face, body, frames, has_face, num_cast = movie(faceless=0)
    ranking = cascade.rank_candidates(face, body, frames, has_face, num_cast, thresholds=(-1.5,))
    assert_complete(ranking, num_cast, len(frames))
    by_face = similarity.without_faceless(similarity.face_similarity(face, num_cast), has_face)
    np.testing.assert_array_equal(ranking, np.argsort(-by_face, axis=1, kind="stable"))


def test_no_faces_leaves_candidate_order():
    face, body, frames, has_face, num_cast = movie(faceless=1)
    ranking = cascade.rank_candidates(face, body, frames, has_face, num_cast)
    np.testing.assert_array_equal(ranking, np.tile(np.arange(len(frames)), (num_cast, 1)))


def test_rows_of_zeros_are_ranked():
    face, body, frames, has_face, num_cast = movie()
    has_face[4] = False
    face[num_cast + 4] = 0
    body[4] = 0
    for reranked in (False, True):
        ranking = cascade.rank_candidates(
            face, body, frames, has_face, num_cast, face_rerank=reranked, body_rerank=reranked
        )
        assert_complete(ranking, num_cast, len(frames))


def test_ranking_finds_the_cast_by_face_and_body():
    face, body, frames, has_face, num_cast = movie(n=200)
    identity = people(num_cast, 200)
    with_bodies = cascade.rank_candidates(face, body, frames, has_face, num_cast)
    faces_only = cascade.rank_candidates(face, None, frames, has_face, num_cast)
    gain = mean_average_precision(with_bodies, identity) - mean_average_precision(faces_only, identity)
    assert gain > 0.1


def matrices(face, n):
    """Inputs of `rank` for one cast member with these similarities, where nothing else is alike."""
    return {
        "face": np.array([face], np.float32),
        "face_cosine": np.eye(n, dtype=np.float32),
        "body": np.eye(n, dtype=np.float32),
        "body_cosine": np.eye(n, dtype=np.float32),
        "frames": [str(index) for index in range(n)],
        "has_face": np.ones(n, bool),
        "thresholds": (0.5,),
    }


def test_faceless_candidates_are_not_forced_into_the_list():
    given = matrices([similarity.FACELESS, 0.3, similarity.FACELESS, 0.4], 4)
    given["has_face"] = np.array([False, True, False, True])
    assert cascade.rank(**given).tolist() == [[3, 1, 0, 2]]


def test_a_list_grows_by_its_mean_face_cosine():
    given = matrices([0.9, 0.8, 0.7, 0.6, 0.55, 0.1, 0.1, 0.1], 8)
    given["face_cosine"][:5, 6] = 0.6
    given["face_cosine"][:5, 7] = 0.7
    given["thresholds"] = (0.5, 0.4)
    given["body"][0, 5] = 0.1
    assert cascade.rank(**given)[0].tolist() == [0, 1, 2, 3, 4, 7, 6, 5]


def test_whoever_shares_a_frame_with_a_listed_candidate_follows_at_the_end():
    given = matrices([0.9, 0.9, 0.9, 0.9, 0.9, 0.4, 0.3, 0.2], 8)
    given["body"][0, 5:] = 0.9, 0.8, 0.7
    given["frames"][5] = given["frames"][0]
    assert cascade.rank(**given)[0].tolist() == [0, 1, 2, 3, 4, 6, 7, 5]


def test_candidates_that_others_listed_come_last_by_body_cosine():
    given = matrices([0.9] * 5 + [0.1] * 7, 12)
    given["face"] = np.array([[0.9] * 5 + [0.1] * 7, [0.1] * 5 + [0.9] * 5 + [0.1] * 2], np.float32)
    given["body_cosine"][2, 5:10] = 0.1, 0.5, 0.3, 0.4, 0.2
    given["body"][0, 11] = 0.5
    assert cascade.rank(**given)[0].tolist() == [0, 1, 2, 3, 4, 11, 10, 6, 8, 7, 9, 5]


def test_undecided_candidates_are_scored_by_their_three_best_votes():
    given = matrices([0.9] * 5 + [0.1] * 3, 8)
    given["body"][:5, 5] = 0.9, 0, 0, 0, 0
    given["body"][:5, 6] = 0.5, 0.5, 0.5, 0, 0
    given["body"][:5, 7] = 0.45, 0.45, 0.45, 0.45, 0.45
    # 0.9 e^0.9 / (e^0.9 + 2) = 0.496
    assert cascade.rank(**given)[0, 5:].tolist() == [6, 5, 7]


def test_without_bodies_the_undecided_follow_by_face_similarity():
    given = matrices([0.9] * 5 + [similarity.FACELESS, 0.1, similarity.FACELESS, 0.2], 9)
    given |= {"body": None, "body_cosine": None}
    assert cascade.rank(**given)[0, 5:].tolist() == [8, 6, 5, 7]


def test_shapes_that_do_not_fit_are_refused():
    face, body, frames, has_face, num_cast = movie()
    for arguments in (
        (face[:-1], body, frames, has_face, num_cast),
        (face, body[:-1], frames, has_face, num_cast),
        (face, body, frames[:-1], has_face, num_cast),
        (face, body, frames, has_face[:-1], num_cast),
        (face, body, frames, has_face, num_cast + 1),
        (face, body[0], frames, has_face, num_cast),
        (face[0], body, frames, has_face, num_cast),
    ):
        with pytest.raises(ValueError, match=r"fit|matrix"):
            cascade.rank_candidates(*arguments)
    with pytest.raises(ValueError, match="threshold"):
        cascade.rank_candidates(face, body, frames, has_face, num_cast, thresholds=())
