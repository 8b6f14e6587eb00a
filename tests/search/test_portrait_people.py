import numpy as np

from castsearch.search.neighbors import l2_normalize
from castsearch.search.portrait_people import number_people


def test_portraits_of_one_person_in_two_movies_are_told():
    others = np.random.default_rng(0).normal(size=(200, 64))
    portraits = others[[0, 1, 0, 0, 2]]
    assert number_people(portraits, np.array([0, 0, 1, 2, 2]), others).tolist() == [0, 1, 0, 0, 2]


def test_the_cast_of_one_movie_are_different_people_but_for_those_that_are_known_to_be_one():
    others = np.random.default_rng(0).normal(size=(200, 64))
    portraits, one_movie = others[[0, 1, 0, 0, 2]], np.zeros(5, int)  # three of them are alike
    assert number_people(portraits, one_movie, others).tolist() == [0, 1, 2, 3, 4]
    assert number_people(portraits, one_movie, others, np.array([0, 1, 1, 2, 3])).tolist() == [0, 1, 1, 2, 3]


def test_sisters_who_are_in_several_movies_stay_two_people():
    others = np.random.default_rng(0).normal(size=(200, 64))
    sisters = l2_normalize(others[:2] + 2.5 * others[2])
    assert sisters[0] @ sisters[1] > 0.8
    movies = np.array([0, 0, 1, 1, 2])
    assert number_people(sisters[[0, 1, 0, 1, 1]], movies, others).tolist() == [0, 1, 0, 1, 1]


def test_two_faces_are_too_few_to_tell_what_strangers_reach():
    portraits = np.array([[1, 0, 0], [0.8, 0.6, 0], [0.4, 0, 0.9]])  # the first two with a cosine of 0.8, others 0.4
    assert number_people(portraits, np.arange(3), np.eye(3)[:2]).tolist() == [0, 0, 1]
