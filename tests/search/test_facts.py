import factories
import numpy as np
import pytest

from castsearch.data.corrections import Correction
from castsearch.data.crops import read_crops
from castsearch.errors import InputError
from castsearch.search import diffusion
from castsearch.search.facts import gather_facts
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.similarity import face_similarity


def gathered(tmp_path, *rows, frames=None):
    """Facts of a movie of the cast a and b, whose boxes are p2 to p7, each in a frame of its own unless said."""
    gallery = factories.gallery(tmp_path / "m", labels=["a", "b"])
    gallery.frames[:] = frames or gallery.frames
    corrections = [Correction(f"c.tsv: line {line}", "m", *row) for line, row in enumerate(rows, start=2)]
    return gather_facts(corrections, gallery, [read_crops(tmp_path / "m/crops.arrow")])


def test_who_is_one_person_is_nobody_else_and_has_no_double_in_the_frame(tmp_path):
    facts = gathered(tmp_path, ("p3", "a", True), frames=list("xyyzuv"))
    assert facts.T.tolist()[:3] == [[0, 0, 0], [1, -1, -1], [-1, 0, 0]]


def test_who_is_not_a_person_may_be_anybody_else(tmp_path):
    assert gathered(tmp_path, ("p3", "b", False)).T.tolist()[1] == [0, -1, 0]


def test_strangers_may_share_a_frame(tmp_path):
    facts = gathered(tmp_path, ("p3", "unknown", True), ("p4", "unknown", True), frames=list("xyyzuv"))
    assert facts.T.tolist()[1:3] == [[-1, -1, 1], [-1, -1, 1]]


@pytest.mark.parametrize(
    ("rows", "frames", "message"),
    [
        ([("p3", "a", True), ("p3", "b", True)], None, "line 3: contradicts c.tsv: line 2"),
        ([("p3", "a", True), ("p3", "a", False)], None, "line 3: contradicts c.tsv: line 2"),
        ([("p3", "a", True), ("p4", "a", True)], list("xyyzuv"), "line 3: contradicts c.tsv: line 2"),
        ([("p9", "a", True)], None, "line 2: p9: no such box in m"),
        ([("p3", "c", True)], None, "line 2: c: not in the cast of m: a, b; whoever else it is, is called unknown"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_by_line(tmp_path, rows, frames, message):
    with pytest.raises(InputError, match=message):
        gathered(tmp_path, *rows, frames=frames)


def test_without_corrections_nothing_is_certain(tmp_path):
    assert gathered(tmp_path) is None


def test_a_track_is_named_by_its_number(tmp_path):
    gallery = factories.gallery(tmp_path / "m", labels=["a", "b"])
    gallery.candidates[1] = "m.track7"
    gallery.boxes["m.track7"] = ["p3"]
    corrections = [Correction("c.tsv: line 2", "m", "track 7", "b", True)]
    facts = gather_facts(corrections, gallery, [read_crops(tmp_path / "m/crops.arrow")])
    assert facts[1].tolist() == [0, 1, 0, 0, 0, 0]


def chain():
    """A portrait, and six faces of which each resembles the next, from the portrait's to somebody else's."""
    angles = np.linspace(0, 1.5, 7)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def test_a_fact_is_ranked_first_or_last_and_passed_on_to_whom_it_resembles():
    face = chain()
    given = {"frames": list("abcdef"), "has_face": np.ones(6, bool)}
    plain = diffusion.rank(face_similarity(face, 1), face[1:], None, **given)
    facts = np.zeros((2, 6), np.int8)
    facts[:, 5] = 1, -1
    found = diffusion.rank(face_similarity(face, 1), face[1:], None, **given, facts=facts)
    assert found.share[0, 5] == 1
    assert found.share[0, 4] > plain.share[0, 4]
    facts[:, 5] = -1, 1
    assert diffusion.rank(face_similarity(face, 1), face[1:], None, **given, facts=facts).order[0, -1] == 5


def test_facts_reach_the_rankings(tmp_path):
    gallery = factories.gallery(tmp_path, n=24)
    facts = np.zeros((3, 24), np.int8)
    facts[:, 1] = 1, -1, -1
    row = rank_gallery(gallery, {}, [factories.variant("diffusion")], facts).to_pylist()[0]
    assert "p3" in row["ranking"][:2]  # an odd number, which looks like the other
