import numpy as np

from castsearch.search.cascade import rank as cascade
from castsearch.search.diffusion import settle_frames
from castsearch.search.groups import find_groups
from castsearch.search.links import nearest_links
from castsearch.search.moments import presence, seen_together
from castsearch.search.propagation import link_movie

# The second track is seen with the first and, later, with the third; those two are never seen together.
TRACKS = [("1",), ("1", "2"), ("2",)]
ALIKE = np.ones((3, 3))


def test_boxes_of_one_frame_are_together():
    assert [own.tolist() for own in seen_together(["b", "a", "b", "c"])] == [[0, 2]]


def test_a_track_may_be_seen_at_several_moments():
    assert [own.tolist() for own in seen_together(TRACKS)] == [[0, 1], [1, 2]]
    assert [own.tolist() for own in seen_together(TRACKS, np.array([7, 8, 9]))] == [[7, 8], [8, 9]]


def test_names_and_numbers_of_frames_are_the_same():
    assert (presence(["x", "y", "x"]) != presence(np.array([3, 5, 3]))).nnz == 0


def test_of_nobody_there_is_no_company():
    assert seen_together([]) == []


def test_tracks_are_linked_only_where_they_are_never_seen_together():
    neighbours = np.array([[0, 1, 2], [1, 0, 2], [2, 1, 0]])
    links = nearest_links(neighbours, np.full((3, 3), 3.0), [("1",), ("1", "2"), ("2",)])
    assert np.argwhere(links.toarray()).tolist() == [[0, 2], [2, 0]]


def test_a_track_has_a_persons_place_at_all_of_its_moments():
    settled = settle_frames(np.array([[0.5, 0.9, 0.8]]), TRACKS)
    assert settled[0].argmax() == 1
    assert settled[0, 0] < 0.5
    assert settled[0, 2] < 0.8


def test_who_has_lost_a_place_at_one_moment_takes_it_from_nobody_at_another():
    settled = settle_frames(np.array([[0.9, 0.5, 0.3]]), TRACKS)
    assert settled[0, 2] == 0.3


def test_groups_hold_no_two_tracks_of_one_moment():
    links = presence(["x"] * 3).astype(float)
    groups = find_groups((links @ links.T).tocsr(), TRACKS)
    assert groups.tolist() == [0, -1, 0]


def test_the_cascade_puts_whom_a_listed_track_is_seen_with_behind_the_others():
    order = cascade(
        np.array([[0.1, 0.9, 0.2, 0.3]]),
        np.eye(4),
        None,
        None,
        frames=[*TRACKS, ("3",)],
        has_face=np.array([False, True, False, False]),
    )
    assert order.tolist() == [[1, 3, 0, 2]]


def test_tracks_of_one_moment_repel_each_other():
    links = link_movie(np.ones((1, 3)), ALIKE, None, frames=TRACKS, has_face=np.ones(3, bool))[1:, 1:]
    assert links.tolist() == [[1, -1, 1], [-1, 1, -1], [1, -1, 1]]
