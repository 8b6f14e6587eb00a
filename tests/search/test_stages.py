from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from castsearch import files
from castsearch.data.crops import SCHEMA
from castsearch.errors import InputError
from castsearch.search import stages
from castsearch.search.variants import Variant, ablation

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
    seen = [row % 3 != 2 or row < num_cast for row in range(rows)]
    faces = {"id": columns["id"], "detected": seen, "selected": seen}
    files.write_table(folder / "faces.arrow", pa.table(faces | {"feature": features.cast(pa.list_(pa.float32(), 8))}))
    body = np.eye(8, dtype=np.float32)[person[num_cast:]] + 0.05 * rng.standard_normal((n, 8)).astype(np.float32)
    files.write_array(folder / "net.npy", body)
    return stages.load_movie(folder / "crops.arrow", {"dlib": folder / "faces.arrow"}, {"net": folder / "net.npy"})


def test_a_movie_is_its_readable_people(tmp_path):
    movie = write_movie(tmp_path, unreadable=(1, 4))
    assert (movie.cast, movie.skipped_cast) == (["p0"], ["p1"])
    assert (movie.candidates, movie.skipped_candidates) == (["p2", "p3", "p5", "p6", "p7"], ["p4"])
    assert movie.faces["dlib"].feature.shape == (6, 8)
    assert movie.faces["dlib"].detected.tolist() == [False, True, False, True, True]
    assert movie.frames == ["f2", "f3", "f5", "f6", "f7"]
    assert np.array_equal(movie.bodies["net"], np.load(tmp_path / "net.npy")[[0, 1, 3, 4, 5]])


def rank(movie, variants):
    reranked = stages.rerank(movie, variants, face=RERANKING, body=RERANKING)
    return stages.fuse(movie, reranked, variants, THRESHOLDS, 0.5).to_pylist()


@pytest.mark.parametrize("variant", ablation("dlib", ["net"]), ids=lambda variant: variant.name)
def test_every_variant_ranks_a_persons_candidates_first(tmp_path, variant):
    for row in rank(write_movie(tmp_path, n=24), [variant]):
        own = {f"p{number}" for number in range(2, 26) if number % 2 == int(row["cast"][1:])}
        found = 12 if variant.networks else 8  # every third has no face
        assert set(row["ranking"][:found]) <= own


def test_candidates_that_could_not_be_read_come_last(tmp_path):
    for row in rank(write_movie(tmp_path, unreadable=(3, 5)), ablation("dlib", ["net"])):
        assert row["ranking"][-2:] == ["p3", "p5"]
        assert sorted(row["ranking"]) == [f"p{number}" for number in range(2, 8)]


def test_a_portrait_that_could_not_be_read_is_answered_in_annotation_order(tmp_path):
    rows = rank(write_movie(tmp_path, unreadable=(0,)), [Variant("dlib")])
    assert {row["cast"]: row["ranking"] for row in rows}["p0"] == [f"p{number}" for number in range(2, 8)]


def test_movies_are_searched_as_one(tmp_path):
    for name in ("a", "b"):
        write_movie(tmp_path / name, unreadable=(0, 4) if name == "b" else (), prefix=name)
    tables = [[tmp_path / name / f"{kind}.arrow" for name in ("a", "b")] for kind in ("crops", "faces")]
    bodies = {"net": [tmp_path / name / "net.npy" for name in ("a", "b")]}
    movie = stages.load_movies(tables[0], {"dlib": tables[1]}, bodies)
    assert (movie.cast, movie.skipped_cast, movie.skipped_candidates) == (["a0", "a1", "b1"], ["b0"], ["b4"])
    assert len(movie.candidates) == len(movie.frames) == len(movie.bodies["net"]) == 11
    parts = [write_movie(tmp_path / "again", unreadable=unreadable) for unreadable in ((), (0, 4))]
    features = [(part.faces["dlib"].feature, len(part.cast)) for part in parts]
    faces = [feature[:cast] for feature, cast in features] + [feature[cast:] for feature, cast in features]
    assert np.array_equal(movie.faces["dlib"].feature, np.vstack(faces))
    assert len(movie.faces["dlib"].detected) == len(movie.faces["dlib"].selected) == 11
    assert movie.cast_movies == [0, 0, 1]
    for row in rank(movie, ablation("dlib", ["net"], across=True)):
        assert len(row["ranking"]) == 12


def test_an_id_of_two_movies_is_refused_where_they_are_searched_as_one(tmp_path):
    write_movie(tmp_path)
    with pytest.raises(InputError, match=r"p0: .* has this id too"):
        stages.load_movies([tmp_path / "crops.arrow"] * 2, {"dlib": [tmp_path / "faces.arrow"] * 2}, {})


def test_an_id_that_could_not_be_read_counts_where_movies_are_searched_as_one(tmp_path):
    write_movie(tmp_path / "a", num_cast=1, unreadable=(2,), prefix="a")
    write_movie(tmp_path / "b", num_cast=1, prefix="b")
    table = files.read_table(tmp_path / "b/crops.arrow")
    ids = pa.array(["b0", "a2", *table["id"].to_pylist()[2:]])
    files.write_table(tmp_path / "b/crops.arrow", table.set_column(table.schema.get_field_index("id"), "id", ids))
    tables = [[tmp_path / name / f"{kind}.arrow" for name in ("a", "b")] for kind in ("crops", "faces")]
    with pytest.raises(InputError, match=r"a2: .* has this id too"):
        stages.load_movies(tables[0], {"dlib": tables[1]}, {})


@pytest.mark.parametrize("networks", [(), ("net",)])
@pytest.mark.parametrize("face_rerank", [False, True])
@pytest.mark.parametrize("method", ["propagation", "diffusion"])
def test_a_rejected_face_is_no_face_but_to_the_cascade(tmp_path, method, face_rerank, networks):
    movie = write_movie(tmp_path, n=24)
    faces = movie.faces["dlib"]
    # What the feature shows is the middle of the crop, and happens to look like somebody.
    faces.feature[len(movie.cast) :][~faces.selected] = faces.feature[1]
    neighbours = replace(faces, detected=np.ones_like(faces.detected))
    found = replace(movie, faces={"dlib": neighbours})
    variant = Variant("dlib", networks, face_rerank, method=method)
    assert rank(found, [variant]) == rank(movie, [variant])
    assert rank(found, [Variant("dlib")]) != rank(movie, [Variant("dlib")])


def test_a_feature_that_is_not_finite_is_refused_by_file_and_id(tmp_path):
    write_movie(tmp_path)
    body = np.load(tmp_path / "net.npy")
    body[3, 5] = np.nan
    files.write_array(tmp_path / "net.npy", body)
    with pytest.raises(InputError, match=r"net.npy: p5: its feature has numbers that are not finite"):
        stages.load_movie(tmp_path / "crops.arrow", {}, {"net": tmp_path / "net.npy"})


def test_movies_without_bodies_are_searched_as_one(tmp_path):
    write_movie(tmp_path)
    movie = stages.load_movies([tmp_path / "crops.arrow"], {"dlib": [tmp_path / "faces.arrow"]}, {})
    assert movie.bodies == {}
    assert len(movie.candidates) == 6


@pytest.mark.parametrize("size", [{"num_cast": 0}, {"n": 0}, {"n": 1}, {"num_cast": 0, "n": 0}])
def test_a_movie_without_cast_or_candidates_is_no_error(tmp_path, size):
    movie = write_movie(tmp_path, **size)
    rows = rank(movie, ablation("dlib", ["net"]))
    assert len(rows) == len(movie.cast) * len(ablation("dlib", ["net"]))


def test_reranking_is_computed_once_for_each_choice_of_networks(tmp_path):
    movie = write_movie(tmp_path)
    variants = ablation("dlib", ["net"])
    assert set(stages.rerank(movie, variants, face=RERANKING, body=RERANKING)) == {"face+dlib", "body+net"}


def test_each_engine_ranks_by_its_own_faces(tmp_path):
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        write_movie(folder)
    # The second engine takes each cast member for the other.
    table = files.read_table(folders[1] / "faces.arrow")
    files.write_table(folders[1] / "faces.arrow", table.take([1, 0, *range(2, 8)]))
    faces = {"dlib": folders[0] / "faces.arrow", "insightface": folders[1] / "faces.arrow"}
    movie = stages.load_movie(folders[0] / "crops.arrow", faces, {})
    rows = rank(movie, [Variant("dlib"), Variant("insightface", title="other")])
    found = {(row["variant"], row["cast"]): row["ranking"][0] for row in rows}
    assert found["face", "p0"] == found["other", "p1"]
    assert found["face", "p1"] == found["other", "p0"]


def test_a_variant_may_have_its_own_thresholds(tmp_path):
    movie = write_movie(tmp_path, n=24)
    own, the_runs = Variant("dlib", thresholds=(0.99, 0.98)), Variant("dlib")
    rankings = [rank(movie, [variant]) for variant in (own, the_runs)]
    stated = stages.fuse(movie, {}, [the_runs], (0.99, 0.98), 0.5).to_pylist()
    assert [row["ranking"] for row in rankings[0]] == [row["ranking"] for row in stated]
    assert rankings[0] != rankings[1]


def test_files_are_shared_out_by_name():
    assert stages.shares(["a", "b"], ["1", "2", "3", "4"]) == {"a": ["1", "2"], "b": ["3", "4"]}
    assert stages.shares([], []) == {}
