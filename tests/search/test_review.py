import numpy as np
from scipy import sparse

from castsearch.search.review import propose


def graph(n, *links, strength=1):
    rows, columns = zip(*links, strict=True)
    half = sparse.csr_array((np.full(len(rows), strength, np.float32), (rows, columns)), shape=(n, n))
    return (half + half.T).tocsr()


def test_who_tells_of_other_doubtful_ones_is_proposed_first():
    doubtful = np.array([0.5, 0.5, 0.5, 0.5, 1.0])
    assert propose(graph(5, (0, 1), (0, 2), (3, 4)), doubtful, 1).tolist() == [0]


def test_whom_an_answer_tells_of_already_comes_later():
    doubtful = np.array([0.5, 0.5, 0.52, 0.55, 0.55])
    first, second = propose(graph(5, (0, 1), (0, 2), (1, 2), (3, 4)), doubtful, 2)
    assert {first, second} & {0, 1, 2}
    assert {first, second} & {3, 4}


def test_an_answer_tells_of_another_box_by_half_of_the_strength_of_their_link():
    # Each of the second two is worth 0.7 of each of the first two, of whom the other one is worth 0.75 after an answer.
    doubtful = np.array([0.5, 0.5, 0.7025, 0.7025])
    assert propose(graph(4, (0, 1), (2, 3), strength=0.5), doubtful, 4).tolist() == [0, 1, 2, 3]


def test_what_is_certain_is_not_proposed():
    assert propose(graph(3, (0, 1), (1, 2)), np.array([1.0, 0.0, 1.0]), 3).tolist() == []
