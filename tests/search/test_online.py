import numpy as np

from castsearch.search import online


def rank(face, body=None, frames=None, has_face=None):
    face = np.array(face, float)
    n = face.shape[1]
    frames = [f"{number:03d}" for number in range(n)] if frames is None else frames
    has_face = np.ones(n, bool) if has_face is None else np.array(has_face)
    return online.rank(face, None if body is None else np.array(body, float), frames=frames, has_face=has_face).tolist()


def test_a_face_decides_from_the_threshold_on_by_a_margin():
    # The third is the second person's for certain; the margin of the first is too small, and the last is too unlike.
    assert rank([[0.50, 0.46, 0.10, 0.44], [0.46, 0.10, 0.60, 0.10]]) == [[1, 0, 3, 2], [2, 0, 3, 1]]


def test_a_body_decides_by_the_frames_before():
    faces = [[0.1, 0.9, 0.1]]
    bodies = [[1, 0], [1, 0], [1, 0]]
    seen = [False, True, False]
    assert rank(faces, bodies, has_face=seen) == [[1, 2, 0]]  # the first came too early
    assert rank(faces, bodies, list("abb"), has_face=seen) == [[1, 0, 2]]  # and a frame learns from those before it


def test_a_body_needs_a_margin_over_other_people():
    faces = [[0.9, 0.1, 0.1, 0.1], [0.1, 0.9, 0.1, 0.1]]
    alike = [[1, 0], [0.95, 0.31], [1, 0.02], [0, 1]]
    unlike = [[1, 0], [0, 1], [1, 0.02], [0.7, 0.7]]
    seen = [True, True, False, False]
    assert rank(faces, alike, has_face=seen) == [[0, 2, 3, 1], [1, 2, 3, 0]]  # undecided, in candidate order
    assert rank(faces, unlike, has_face=seen) == [[0, 2, 3, 1], [1, 3, 0, 2]]


def test_the_latest_four_bodies_of_a_person_are_kept():
    faces = [[0.9] * 6 + [0.1, 0.1, 0.1]]
    bodies = np.eye(6)[[0, 1, 2, 3, 3, 4, 5, 0, 1]]  # the second of the fourth is no other one
    seen = [True] * 6 + [False] * 3
    assert rank(faces, bodies, has_face=seen)[0][6:] == [8, 6, 7]


def test_who_is_another_person_comes_last():
    faces = [[0.44, 0.1], [0.9, 0.1]]
    assert rank(faces)[0] == [1, 0]


def test_a_movie_without_people_or_candidates_is_ranked():
    assert rank(np.zeros((0, 2))) == []
    assert rank(np.zeros((2, 0)), np.zeros((0, 3))) == [[], []]
