import numpy as np
import pytest

from castsearch.search import links, strangers
from castsearch.search.neighbors import l2_normalize
from castsearch.search.search_input import Clothes


def test_what_all_bodies_have_in_common_is_taken_away():
    rng = np.random.default_rng(0)
    alike = rng.normal(size=(400, 16)) + 2
    assert l2_normalize(alike[:2])[0] @ l2_normalize(alike[:2])[1] > 0.7
    bodies = links.centred(alike)
    assert (bodies @ bodies.T)[np.triu_indices(400, 1)].mean() < 0.2
    two = links.centred(alike[:2])
    assert two[0] @ two[1] > 0.7  # which tell nothing of a movie


def linked_by_face(face, frames):
    apart = strangers.Impostors(0.0, 0.1)
    return links.face_links(np.asarray(face, np.float32), np.asarray(frames), apart, links.EVEN_FACE).toarray()


def test_people_of_one_frame_are_not_linked():
    rng = np.random.default_rng(0)
    features = np.repeat(l2_normalize(rng.normal(size=(10, 8))), 2, axis=0)  # each person twice
    apart, together = linked_by_face(features, np.arange(20)), linked_by_face(features, np.arange(20) // 2)
    np.testing.assert_array_equal(apart, apart.T)
    assert (apart[::2, 1::2].diagonal() > 0.99).all()
    assert (together[::2, 1::2].diagonal() == 0).all()


def test_a_face_is_linked_with_the_best_of_a_frame_alone():
    # The first two stand in one frame, the others in another. All are alike, and each resembles one there most.
    near, far = l2_normalize([[1, 0.2], [1, -0.2]])
    linked = linked_by_face([near, far, near, far], [0, 0, 1, 1]) > 0.5
    np.testing.assert_array_equal(linked, np.eye(4, dtype=bool)[[2, 3, 0, 1]])


def test_a_link_is_as_probable_as_the_two_are_one_person():
    apart = strangers.Impostors(0.1, 0.2)
    odds = links.log_odds(np.array([0.1, 0.5, 0.7]), apart, even=2)
    np.testing.assert_allclose(odds, [-6, 0, 3])


def test_faces_that_differ_part_bodies_that_are_alike():
    face = np.eye(4, dtype=np.float32)[[0, 0, 1, 2]]
    body = l2_normalize(np.random.default_rng(0).normal(size=(4, 16)) + 3 * np.eye(16)[0])
    apart = strangers.Impostors(0.0, 0.1)
    told = links.body_links(body, face, np.ones(4, bool), np.arange(4), apart, even_face=3, even_body=2).toarray()
    untold = links.body_links(body, face, np.zeros(4, bool), np.arange(4), apart, even_face=3, even_body=2).toarray()
    assert told[0, 1] > untold[0, 1]
    assert told[0, 2] < untold[0, 2]


def test_bodies_of_people_whose_faces_differ_tell_what_strangers_reach():
    # Everybody wears the same: alike bodies link nobody, once the faces have told that they are different people.
    rng = np.random.default_rng(0)
    face = np.eye(40, dtype=np.float32)
    body = l2_normalize(np.repeat(rng.normal(size=(4, 16)), 10, axis=0) + 0.1 * rng.normal(size=(40, 16)))
    has_face = np.arange(40) % 10 < 8
    apart, frames = strangers.Impostors(0.0, 0.1), np.arange(40)
    unseen = np.flatnonzero(~has_face)
    told = links.body_links(body, face, has_face, frames, apart, even_face=3, even_body=2).toarray()[unseen]
    untold = links.body_links(body, face, np.zeros(40, bool), frames, apart, even_face=3, even_body=2).toarray()[unseen]
    assert told.max() < 0.35
    assert untold.max() > 0.9


@pytest.mark.parametrize(
    ("colours", "shots", "linked"),
    [
        (np.ones((20, 3)), np.zeros(20), False),
        (np.ones((20, 3)), np.repeat([0, 1], 10), True),
        (np.tile(np.eye(10), (2, 1)) + 0.5, np.zeros(20), True),
    ],
    ids=["unknown", "of two shots", "in clothes of the same colours"],
)
def test_people_without_a_face_are_found_again_in_another_light(colours, shots, linked):
    # The same ten people in two frames, in whose light all are alike; eight show who is whom by their faces.
    rng, person, frames = np.random.default_rng(0), np.tile(np.arange(10), 2), np.repeat([0, 1], 10)
    looks, lights = (rng.normal(size=(count, 32)) for count in (10, 2))
    body = l2_normalize(looks[person] + 1.5 * lights[frames] + 0.2 * rng.normal(size=(20, 32)))
    face, apart = np.eye(10, dtype=np.float32)[person], strangers.Impostors(0.0, 0.1)
    clothes = Clothes(colours.astype(np.float32), shots)
    graph = links.body_links(body, face, person < 8, frames, apart, even_face=3, even_body=2, clothes=clothes).toarray()
    assert (graph[[8, 9], [18, 19]] > 0.5).tolist() == [linked, linked]
    assert graph[8, 19] < 0.1
