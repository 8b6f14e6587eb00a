import numpy as np
import pandas as pd
from factories import searches
from scipy import sparse

from castsearch.data.name_tables import write_names
from castsearch.search.groups import find_groups, group_unknown


def graph(n, *links):
    rows, columns, weights = zip(*links, strict=True)
    half = sparse.csr_array((np.array(weights, float), (rows, columns)), shape=(n, n))
    return (half + half.T).tocsr()


def test_candidates_that_are_linked_with_each_other_are_one_person():
    found = find_groups(graph(6, (0, 1, 1), (1, 2, 1), (0, 2, 1), (3, 4, 1), (2, 3, 0.1)), np.arange(6))
    assert found.tolist() == [0, 0, 0, 1, 1, -1]


def test_of_two_in_a_frame_the_one_that_is_better_linked_is_the_person():
    found = find_groups(graph(4, (0, 1, 1), (1, 2, 1), (0, 2, 1), (3, 0, 0.4), (3, 1, 0.4)), np.array([0, 1, 2, 2]))
    assert found.tolist() == [0, 0, 0, -1]


def test_a_weak_link_does_not_join_two_people():
    pairs = [
        (one, other, 1) for start in (0, 4) for one in range(start, start + 4) for other in range(one + 1, start + 4)
    ]
    assert find_groups(graph(8, *pairs, (3, 4, 1)), np.arange(8)).tolist() == [0] * 4 + [1] * 4


def test_two_who_are_seen_together_stay_apart_whatever_links_them():
    links = [(0, 2, 1), (1, 3, 1), (2, 3, 0.9), (0, 3, 0.9)]
    found = find_groups(graph(4, *links), np.array([5, 5, 6, 7]))
    assert found.tolist() == [0, 1, 0, 1]


def write_as(path, boxes, person, confidence):
    """Write a table of names in which all boxes of a movie are one person."""
    names = pd.DataFrame({"movie": "m", "box": boxes, "frame": boxes, "person": person, "confidence": confidence})
    write_names(path, names.assign(time=pd.NA, shot=pd.NA, track=pd.NA, likeliest="ada"))


def test_the_unknown_are_grouped_without_any_portrait(tmp_path):
    gallery = searches.gallery(tmp_path / "m", num_cast=0, n=24)
    gallery.faces["yunet_sface"].feature[:] = np.eye(8, dtype=np.float32)[np.arange(24) % 2]
    boxes = [f"p{number}" for number in range(24)]
    write_as(tmp_path / "names.tsv", boxes, "unknown", 0.0)
    found, _ = group_unknown(gallery, "yunet_sface", [], [tmp_path / "m/crops.arrow"], tmp_path / "names.tsv")
    groups = found.groupby("group")["box"].agg(set).tolist()
    seen = [number for number in range(24) if number % 3 != 2]  # whose faces are
    assert sorted(groups, key=min) == [{f"p{number}" for number in seen if number % 2 == odd} for odd in (0, 1)]


def test_whom_the_search_has_named_is_in_no_group_but_may_be_proposed_for_review(tmp_path):
    gallery = searches.gallery(tmp_path / "m", n=24)
    boxes = [f"p{number}" for number in range(2, 26)]
    write_as(tmp_path / "names.tsv", boxes, "ada", 0.9)
    found, review = group_unknown(gallery, "yunet_sface", ["net"], [tmp_path / "m/crops.arrow"], tmp_path / "names.tsv")
    assert found.empty
    assert 0 < len(review) <= 12
    assert set(review["box"]) <= set(boxes)
