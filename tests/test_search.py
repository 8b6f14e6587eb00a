import numpy as np
import pyarrow as pa
import pytest

from castsearch import files, search
from castsearch.crops import SCHEMA
from castsearch.errors import InputError
from castsearch.variants import Variant, ablation

RERANKING = {"k1": 4, "k2": 2, "lambda_value": 0.3}
THRESHOLDS = (0.5, 0.4)


def write_movie(folder, num_cast=2, n=6, unreadable=(), prefix="p"):
    """Tables of a movie of people with features near the axes; rows in `unreadable` have no image."""
    rng = np.random.default_rng(0)
    rows = num_cast + n
    images = [None if row in unreadable else b"jpeg" for row in range(rows)]
    columns = {
        "id": [f"{prefix}{row}" for row in range(rows)],
        "role": ["cast"] * num_cast + ["candidate"] * n,
        "frame": [f"f{row}" for row in range(rows)],
        "image": images,
    }
    rest = {field.name: pa.nulls(rows, field.type) for field in SCHEMA if field.name not in columns}
    table = pa.table({name: (columns | rest)[name] for name in SCHEMA.names}, schema=SCHEMA)
    files.write_table(folder / "crops.arrow", table)
    person = np.r_[np.arange(num_cast), np.arange(n) % num_cast if num_cast else np.zeros(n, int)]
    face = np.eye(8, dtype=np.float32)[person] + 0.05 * rng.standard_normal((rows, 8)).astype(np.float32)
    features = pa.array([None if image is None else list(row) for image, row in zip(images, face, strict=True)])
    faces = {"id": columns["id"], "detected": [row % 3 != 2 or row < num_cast for row in range(rows)]}
    files.write_table(folder / "faces.arrow", pa.table(faces | {"feature": features.cast(pa.list_(pa.float32(), 8))}))
    body = np.eye(8, dtype=np.float32)[person[num_cast:]] + 0.05 * rng.standard_normal((n, 8)).astype(np.float32)
    files.write_array(folder / "net.npy", body)
    return search.load_movie(folder / "crops.arrow", folder / "faces.arrow", {"net": folder / "net.npy"})


def test_a_movie_is_its_readable_people(tmp_path):
    movie = write_movie(tmp_path, unreadable=(1, 4))
    assert (movie.cast, movie.skipped_cast) == (["p0"], ["p1"])
    assert (movie.candidates, movie.skipped_candidates) == (["p2", "p3", "p5", "p6", "p7"], ["p4"])
    assert movie.face.shape == (6, 8)
    assert movie.has_face.tolist() == [False, True, False, True, True]
    assert movie.frames == ["f2", "f3", "f5", "f6", "f7"]
    assert np.array_equal(movie.bodies["net"], np.load(tmp_path / "net.npy")[[0, 1, 3, 4, 5]])


def rank(movie, variants):
    reranked = search.rerank(movie, variants, face=RERANKING, body=RERANKING)
    return search.fuse(movie, reranked, variants, THRESHOLDS, 0.5).to_pylist()


@pytest.mark.parametrize("variant", ablation(["net"]), ids=lambda variant: variant.name)
def test_every_variant_ranks_a_persons_candidates_first(tmp_path, variant):
    for row in rank(write_movie(tmp_path, n=24), [variant]):
        own = {f"p{number}" for number in range(2, 26) if number % 2 == int(row["cast"][1:])}
        found = 12 if variant.networks else 8  # every third has no face
        assert set(row["ranking"][:found]) <= own


def test_candidates_that_could_not_be_read_come_last(tmp_path):
    for row in rank(write_movie(tmp_path, unreadable=(3, 5)), ablation(["net"])):
        assert row["ranking"][-2:] == ["p3", "p5"]
        assert sorted(row["ranking"]) == [f"p{number}" for number in range(2, 8)]


def test_a_portrait_that_could_not_be_read_is_answered_in_annotation_order(tmp_path):
    rows = rank(write_movie(tmp_path, unreadable=(0,)), [Variant()])
    assert {row["cast"]: row["ranking"] for row in rows}["p0"] == [f"p{number}" for number in range(2, 8)]


def test_movies_are_searched_as_one(tmp_path):
    for name in ("a", "b"):
        write_movie(tmp_path / name, unreadable=(0, 4) if name == "b" else (), prefix=name)
    tables = [[tmp_path / name / f"{kind}.arrow" for name in ("a", "b")] for kind in ("crops", "faces")]
    movie = search.load_movies(*tables, ["net"], [tmp_path / name / "net.npy" for name in ("a", "b")])
    assert (movie.cast, movie.skipped_cast, movie.skipped_candidates) == (["a0", "a1", "b1"], ["b0"], ["b4"])
    assert len(movie.candidates) == len(movie.frames) == len(movie.has_face) == len(movie.bodies["net"]) == 11
    parts = [write_movie(tmp_path / "again", unreadable=unreadable) for unreadable in ((), (0, 4))]
    faces = [part.face[: len(part.cast)] for part in parts] + [part.face[len(part.cast) :] for part in parts]
    assert np.array_equal(movie.face, np.vstack(faces))
    for row in rank(movie, ablation(["net"], across=True)):
        assert len(row["ranking"]) == 12


def test_an_id_of_two_movies_is_refused_where_they_are_searched_as_one(tmp_path):
    write_movie(tmp_path)
    with pytest.raises(InputError, match=r"p0: .* has this id too"):
        search.load_movies([tmp_path / "crops.arrow"] * 2, [tmp_path / "faces.arrow"] * 2, [], [])


def test_movies_without_bodies_are_searched_as_one(tmp_path):
    write_movie(tmp_path)
    movie = search.load_movies([tmp_path / "crops.arrow"], [tmp_path / "faces.arrow"], [], [])
    assert movie.bodies == {}
    assert len(movie.candidates) == 6


@pytest.mark.parametrize("size", [{"num_cast": 0}, {"n": 0}, {"n": 1}, {"num_cast": 0, "n": 0}])
def test_a_movie_without_cast_or_candidates_is_no_error(tmp_path, size):
    movie = write_movie(tmp_path, **size)
    rows = rank(movie, ablation(["net"]))
    assert len(rows) == len(movie.cast) * len(ablation(["net"]))


def test_reranking_is_computed_once_for_each_choice_of_networks(tmp_path):
    movie = write_movie(tmp_path)
    variants = ablation(["net"])
    assert set(search.rerank(movie, variants, face=RERANKING, body=RERANKING)) == {"face", "body+net"}
