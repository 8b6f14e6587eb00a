import galleries
import numpy as np
import pyarrow as pa
import pytest

from castsearch import files
from castsearch.errors import InputError
from castsearch.search.gallery import by_name, load_gallery


def test_a_gallery_is_a_movies_readable_people(tmp_path):
    gallery = galleries.movie(tmp_path, unreadable=(1, 4))
    assert (gallery.cast, gallery.skipped_cast) == (["p0"], ["p1"])
    assert (gallery.candidates, gallery.skipped_candidates) == (["p2", "p3", "p5", "p6", "p7"], ["p4"])
    assert gallery.faces["dlib"].feature.shape == (6, 8)
    assert gallery.faces["dlib"].detected.tolist() == [False, True, False, True, True]
    assert gallery.frames == ["f2", "f3", "f5", "f6", "f7"]
    assert np.array_equal(gallery.bodies["net"], np.load(tmp_path / "net.npy")[[0, 1, 3, 4, 5]])


def test_movies_become_one_gallery(tmp_path):
    movies = {"a": (), "b": (0, 4)}
    parts = [galleries.movie(tmp_path / name, unreadable=rows, prefix=name) for name, rows in movies.items()]
    gallery = galleries.load(tmp_path / "a", tmp_path / "b")
    assert (gallery.cast, gallery.skipped_cast, gallery.skipped_candidates) == (["a0", "a1", "b1"], ["b0"], ["b4"])
    assert len(gallery.candidates) == len(gallery.frames) == len(gallery.bodies["net"]) == 11
    features = [(part.faces["dlib"].feature, len(part.cast)) for part in parts]
    faces = [feature[:cast] for feature, cast in features] + [feature[cast:] for feature, cast in features]
    assert np.array_equal(gallery.faces["dlib"].feature, np.vstack(faces))
    assert len(gallery.faces["dlib"].detected) == len(gallery.faces["dlib"].selected) == 11
    assert gallery.cast_movies.tolist() == [0, 0, 1]


def test_an_id_of_two_movies_is_refused(tmp_path):
    galleries.write_movie(tmp_path)
    with pytest.raises(InputError, match=r"p0: .* has this id too"):
        galleries.load(tmp_path, tmp_path)


def test_an_id_that_could_not_be_read_is_refused_in_another_movie(tmp_path):
    galleries.write_movie(tmp_path / "a", num_cast=1, unreadable=(2,), prefix="a")
    galleries.write_movie(tmp_path / "b", num_cast=1, prefix="b")
    table = files.read_table(tmp_path / "b/crops.arrow")
    ids = pa.array(["b0", "a2", *table["id"].to_pylist()[2:]])
    files.write_table(tmp_path / "b/crops.arrow", table.set_column(table.schema.get_field_index("id"), "id", ids))
    with pytest.raises(InputError, match=r"a2: .* has this id too"):
        galleries.load(tmp_path / "a", tmp_path / "b")


def test_a_feature_that_is_not_finite_is_refused_by_file_and_id(tmp_path):
    galleries.write_movie(tmp_path)
    body = np.load(tmp_path / "net.npy")
    body[3, 5] = np.nan
    files.write_array(tmp_path / "net.npy", body)
    with pytest.raises(InputError, match=r"net.npy: p5: its feature has numbers that are not finite"):
        galleries.load(tmp_path)


def test_a_gallery_may_be_without_bodies(tmp_path):
    galleries.write_movie(tmp_path)
    gallery = load_gallery([tmp_path / "crops.arrow"], {"dlib": [tmp_path / "faces.arrow"]}, {})
    assert gallery.bodies == {}
    assert len(gallery.candidates) == 6


def test_files_are_divided_by_name():
    assert by_name(["a", "b"], ["1", "2", "3", "4"]) == {"a": ["1", "2"], "b": ["3", "4"]}
    assert by_name([], []) == {}
