import numpy as np
import pyarrow as pa
import pytest
from factories import searches

from castsearch import files
from castsearch.data.corrections import Correction
from castsearch.data.crops import read_crops
from castsearch.data.rankings import each_ranking, read_shares
from castsearch.errors import InputError
from castsearch.search import diffusion
from castsearch.search.facts import Facts, gather_facts
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.search_input import SearchInput
from castsearch.search.similarity import face_similarity


def gathered(tmp_path, *rows, frames=None):
    """Facts of a movie of the cast a and b, whose boxes are p2 to p7, each in a frame of its own unless said."""
    gallery = searches.gallery(tmp_path / "m", labels=["a", "b"])
    gallery.frames[:] = frames or gallery.frames
    corrections = [Correction(f"c.tsv: line {line}", "m", *row) for line, row in enumerate(rows, start=2)]
    return gather_facts(corrections, gallery, [read_crops(tmp_path / "m/crops.arrow")])


def test_who_is_one_person_is_nobody_else_and_has_no_double_in_the_frame(tmp_path):
    facts = gathered(tmp_path, ("p3", "a", "yes"), frames=list("xyyzuv"))
    assert facts.certain.T.tolist()[:3] == [[0, 0, 0], [1, -1, -1], [-1, 0, 0]]


def test_who_is_not_a_person_may_be_anybody_else(tmp_path):
    assert gathered(tmp_path, ("p3", "b", "no")).certain.T.tolist()[1] == [0, -1, 0]


def test_who_is_one_person_may_be_who_has_that_name_in_another_movie(tmp_path):
    for movie in "mn":
        searches.write_gallery(tmp_path / movie, prefix=movie, labels=["a", "b"])
    corrections = [Correction("c.tsv: line 2", "m", "m3", "a", "yes")]
    crops = [read_crops(tmp_path / movie / "crops.arrow") for movie in "mn"]
    facts = gather_facts(corrections, searches.load(tmp_path / "m", tmp_path / "n"), crops)
    assert facts.certain[:, 1].tolist() == [1, -1, 0, -1, -1]


def test_strangers_may_share_a_frame(tmp_path):
    facts = gathered(tmp_path, ("p3", "unknown", "yes"), ("p4", "unknown", "yes"), frames=list("xyyzuv"))
    assert facts.certain.T.tolist()[1:3] == [[-1, -1, 1], [-1, -1, 1]]


@pytest.mark.parametrize(
    ("rows", "frames", "message"),
    [
        ([("p3", "a", "yes"), ("p3", "b", "yes")], None, "line 3: contradicts c.tsv: line 2"),
        ([("p3", "a", "yes"), ("p3", "a", "no")], None, "line 3: contradicts c.tsv: line 2"),
        ([("p3", "a", "yes"), ("p4", "a", "yes")], list("xyyzuv"), "line 3: contradicts c.tsv: line 2"),
        ([("p3", "a", "new")], None, "line 2: a: is no new name in m; write yes"),
        ([("p3", "unknown", "new")], None, "line 2: unknown: is no new name in m"),
        ([("p3", "unknown 2", "new")], None, "line 2: unknown 2: is no new name in m"),
        ([("p5", "carl", "new")], None, "line 2: p5: shows no face clear enough to be a portrait"),
        ([("p3", "carl", "new"), ("p3", "dan", "new")], None, "line 3: contradicts c.tsv: line 2"),
        ([("p9", "a", "yes")], None, "line 2: p9: no such box in m"),
        ([("p3", "c", "yes")], None, "line 2: c: not in the cast of m: a, b; whoever else it is, is called unknown"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_by_line(tmp_path, rows, frames, message):
    with pytest.raises(InputError, match=message):
        gathered(tmp_path, *rows, frames=frames)


def test_without_corrections_nothing_is_certain(tmp_path):
    assert gathered(tmp_path) is None


def test_a_track_is_named_by_its_number(tmp_path):
    gallery = searches.gallery(tmp_path / "m", labels=["a", "b"])
    gallery.candidates[1] = "m.track7"
    gallery.boxes["m.track7"] = ["p3"]
    corrections = [Correction("c.tsv: line 2", "m", "track 7", "b", "yes")]
    facts = gather_facts(corrections, gallery, [read_crops(tmp_path / "m/crops.arrow")])
    assert facts.certain[1].tolist() == [0, 1, 0, 0, 0, 0]
    number = [Correction("c.tsv: line 2", "m", "7", "b", "yes")]  # as the table of appearances has it
    with pytest.raises(InputError, match=r"line 2: 7: no such box in m, .*; write 'track 7'"):
        gather_facts(number, gallery, [read_crops(tmp_path / "m/crops.arrow")])


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
    gallery = searches.gallery(tmp_path, n=24)
    facts = Facts(np.zeros((3, 24), np.int8), *np.empty((3, 0), int), [])
    facts.certain[:, 1] = 1, -1, -1
    [table] = rank_gallery(gallery, {}, [searches.variant("diffusion")], facts)
    row = table.to_pylist()[0]
    assert "p3" in row["ranking"][:2]  # an odd number, which looks like the other


@pytest.mark.parametrize("movie", [0, 1])
def test_whoever_is_certain_in_one_movie_is_not_somebody_else_in_another(movie):
    rng = np.random.default_rng(0)
    face = rng.normal(size=(20, 64))
    portraits = face[[0, 0]]  # of one person in two movies
    facts = np.zeros((3, 20), np.int8)
    facts[:, 5] = -1
    facts[movie, 5] = 1
    given = SearchInput(
        face_similarity=face_similarity(np.concatenate([portraits, face]), 2),
        cast_face=portraits,
        face=face,
        body=None,
        body_similarity=None,
        frames=list("abcdefghijklmnopqrst"),
        has_face=np.ones(20, bool),
        frontal=np.ones(20),
        person=np.arange(2),
        cast_movies=np.arange(2),
        facts=facts,
    )
    found = diffusion.search(given)
    assert found.person.tolist() == [0, 0]
    assert found.share[0, 5] == 1


def test_a_box_with_a_new_name_is_the_portrait_of_somebody_else(tmp_path):
    gallery = searches.gallery(tmp_path, labels=["a", "b"], n=24)
    movies = [read_crops(tmp_path / "crops.arrow")]
    rows = [("p3", "carl", "new"), ("p7", "carl", "new"), ("p6", "carl", "no")]
    facts = gather_facts([Correction("c.tsv: line 2", movies[0].movie, *row) for row in rows], gallery, movies)
    assert facts.certain[:, 1].tolist() == [-1, -1, 1, -1]
    variants = [searches.variant("diffusion"), searches.variant("cascade")]
    table = pa.concat_tables(rank_gallery(gallery, {}, variants, facts))
    files.write_table(tmp_path / "rankings.arrow", table)
    shares = read_shares(tmp_path / "rankings.arrow", variants[0].key, 0.5)
    assert shares.names == {"p3": "carl", "p7": "carl"}
    assert shares.person.tolist() == [0, 1, 2, 2]
    assert shares.share[2, 1] == 1
    for variant in variants:
        assert [cast for cast, _ in each_ranking([tmp_path / "rankings.arrow"], variant.key)] == gallery.cast
