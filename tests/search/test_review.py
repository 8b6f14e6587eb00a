import numpy as np
from scipy import sparse

from castsearch.search.review import propose


def graph(n, *links):
    rows, columns = zip(*links, strict=True)
    half = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(n, n))
    return (half + half.T).tocsr()


def test_who_tells_of_other_doubtful_ones_is_proposed_first():
    doubtful = np.array([0.5, 0.5, 0.5, 0.5, 1.0])
    assert propose(graph(5, (0, 1), (0, 2), (3, 4)), doubtful, 1).tolist() == [0]


def test_whom_an_answer_tells_of_already_comes_later():
    doubtful = np.array([0.5, 0.5, 0.52, 0.55, 0.55])
    first, second = propose(graph(5, (0, 1), (0, 2), (1, 2), (3, 4)), doubtful, 2)
    assert {first, second} & {0, 1, 2}
    assert {first, second} & {3, 4}


def test_what_is_certain_is_not_proposed():
    assert propose(graph(3, (0, 1), (1, 2)), np.array([1.0, 0.0, 1.0]), 3).tolist() == []
