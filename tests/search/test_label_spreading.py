import numpy as np
from scipy import sparse

from castsearch.search.label_spreading import spread


def test_a_lone_link_that_is_hardly_probable_carries_less_than_a_certain_one():
    weak, strong = (spread([[1.0, 0.0]], sparse.csr_array([[0.0, link], [link, 0.0]]))[0, 1] for link in (0.01, 1))
    assert weak < strong / 10


def test_labels_spread_along_links():
    graph = sparse.csr_array(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], float))
    scores = spread(np.array([[1, 0, 0, 0]]), graph)[0]
    # (I - 0.8 S)^-1 0.2 y with S the graph over the roots of its degrees, to which 0.1 is added
    near = (1.1 * 2.1) ** -0.5
    scaled = np.array([[0, near, 0], [near, 0, near], [0, near, 0]])
    expected = np.linalg.solve(np.eye(3) - 0.8 * scaled, [0.2, 0, 0])
    np.testing.assert_allclose(scores, [*expected, 0], atol=1e-3)


def test_who_has_no_face_passes_on_less_of_what_is_certain():
    line = sparse.csr_array(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], np.float32))
    seeds = np.array([[0, 0, 0, 0], [1, 0, 0, 0]], np.float32)  # only the first has a face
    facts = np.zeros((2, 4), np.int8)
    facts[:, [0, 2]] = [[1], [-1]]
    own = spread(seeds, line, facts)[0]
    assert own[0] > own[2] > 0
    assert own[1] > 10 * own[3] > 0
