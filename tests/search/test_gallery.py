import numpy as np
import pyarrow as pa
import pytest
from factories import searches

from castsearch import files
from castsearch.errors import InputError
from castsearch.search.gallery import by_name, frontality, load_gallery


def test_a_gallery_is_a_movies_readable_people(tmp_path):
    gallery = searches.gallery(tmp_path, unreadable=(1, 4))
    assert (gallery.cast, gallery.skipped_cast) == (["p0"], ["p1"])
    assert (gallery.candidates, gallery.skipped_candidates) == (["p2", "p3", "p5", "p6", "p7"], ["p4"])
    assert gallery.faces["yunet_sface"].feature.shape == (6, 8)
    assert gallery.faces["yunet_sface"].detected.tolist() == [False, True, False, True, True]
    assert gallery.frames == ["f2", "f3", "f5", "f6", "f7"]
    assert np.array_equal(gallery.bodies["net"], np.load(tmp_path / "net.npy")[[0, 1, 3, 4, 5]])


def test_movies_become_one_gallery(tmp_path):
    movies = {"a": (), "b": (0, 4)}
    parts = [searches.gallery(tmp_path / name, unreadable=rows, prefix=name) for name, rows in movies.items()]
    gallery = searches.load(tmp_path / "a", tmp_path / "b")
    assert (gallery.cast, gallery.skipped_cast, gallery.skipped_candidates) == (["a0", "a1", "b1"], ["b0"], ["b4"])
    assert len(gallery.candidates) == len(gallery.frames) == len(gallery.bodies["net"]) == 11
    features = [(part.faces["yunet_sface"].feature, len(part.cast)) for part in parts]
    faces = [feature[:cast] for feature, cast in features] + [feature[cast:] for feature, cast in features]
    assert np.array_equal(gallery.faces["yunet_sface"].feature, np.vstack(faces))
    assert len(gallery.faces["yunet_sface"].detected) == len(gallery.faces["yunet_sface"].selected) == 11
    assert gallery.cast_movies.tolist() == [0, 0, 1]


def test_portraits_of_a_movie_that_share_a_label_show_one_person(tmp_path):
    labels = ["x", "y", "x", None, None]
    for name, rows in {"a": (), "b": (1,)}.items():
        searches.write_gallery(tmp_path / name, num_cast=5, prefix=name, labels=labels, unreadable=rows)
    assert searches.load(tmp_path / "a", tmp_path / "b").person.tolist() == [0, 1, 0, 2, 3, 4, 4, 5, 6]


def test_an_id_of_two_movies_is_refused(tmp_path):
    searches.write_gallery(tmp_path)
    with pytest.raises(InputError, match=r"p0: .* has this id too"):
        searches.load(tmp_path, tmp_path)


def test_an_id_that_could_not_be_read_is_refused_in_another_movie(tmp_path):
    searches.write_gallery(tmp_path / "a", num_cast=1, unreadable=(2,), prefix="a")
    searches.write_gallery(tmp_path / "b", num_cast=1, prefix="b")
    table = files.read_table(tmp_path / "b/crops.arrow")
    ids = pa.array(["b0", "a2", *table["id"].to_pylist()[2:]])
    files.write_table(tmp_path / "b/crops.arrow", table.set_column(table.schema.get_field_index("id"), "id", ids))
    with pytest.raises(InputError, match=r"a2: .* has this id too"):
        searches.load(tmp_path / "a", tmp_path / "b")


def test_a_feature_that_is_not_finite_is_refused_by_file_and_id(tmp_path):
    searches.write_gallery(tmp_path)
    body = np.load(tmp_path / "net.npy")
    body[3, 5] = np.nan
    files.write_array(tmp_path / "net.npy", body)
    with pytest.raises(InputError, match=r"net.npy: p5: its feature has numbers that are not finite"):
        searches.load(tmp_path)


def test_a_gallery_may_be_without_bodies(tmp_path):
    searches.write_gallery(tmp_path)
    gallery = load_gallery([tmp_path / "crops.arrow"], {"yunet_sface": [tmp_path / "faces.arrow"]}, {})
    assert gallery.bodies == {}
    assert len(gallery.candidates) == 6


def test_a_face_is_frontal_as_long_as_the_nose_is_between_the_eyes():
    turned = [[0, 0, apart, 0, apart / 2 + aside, 1, 0, 2, apart, 2] for apart, aside in ((2, 0), (2, 0.2), (1, 0.7))]
    assert frontality(np.array(turned, float)) == pytest.approx([1, 1, 0.5])
    profile, inclined = [0, 0, 0.2, 0, 1, 1, 0, 2, 0.2, 2], [0, 0, 0, -2, 1, -1.7, 2, 0, 2, -2]
    assert frontality(np.array([profile, inclined, [np.nan] * 10], float)) == pytest.approx([0, 0.85, 0])


def test_a_track_is_as_frontal_as_its_most_frontal_face(tmp_path):
    alone = searches.gallery(tmp_path).faces["yunet_sface"].frontal
    assert alone.tolist() == [0, 1, 1, 0, 1, 1]  # nobody sees the faces of the first and the fourth
    film = searches.load(write_film(tmp_path, [1, 1, 2, 3, 3, 3]))
    assert film.faces["yunet_sface"].frontal.tolist() == [1, 1, 1]


def test_files_are_divided_by_name():
    assert by_name(["a", "b"], ["1", "2", "3", "4"]) == {"a": ["1", "2"], "b": ["3", "4"]}
    assert by_name([], []) == {}


def write_film(folder, tracks, moments=None, **options):
    """Write a movie whose six candidates are boxes of tracks, one a second, in one shot, each seen at these moments."""
    searches.write_gallery(folder, **options)
    table = files.read_table(folder / "crops.arrow")
    film = {"time": pa.array([None, None, *map(float, range(6))]), "shot": pa.array([None, None, *[1] * 6], pa.int32())}
    film["track"] = pa.array([None, None, *tracks], pa.int32())
    film["moments"] = pa.array([None, None, *(moments or [[track] for track in tracks])], pa.list_(pa.int32()))
    film["clothes"] = pa.array([None, None, *([float(track), 0.0] for track in tracks)], pa.list_(pa.float16()))
    for name, column in film.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    files.write_table(folder / "crops.arrow", table)
    return folder


def test_the_boxes_of_a_film_are_searched_as_tracks(tmp_path):
    gallery = searches.load(write_film(tmp_path, [1, 2, 1, 2, 3, 3], [[1], [1, 2], [1], [1, 2], [2], [2]]))
    name = tmp_path.name
    assert gallery.candidates == [f"{name}.track1", f"{name}.track2", f"{name}.track3"]
    assert gallery.ranked == [["p2", "p4"], ["p3", "p5"], ["p6", "p7"]]
    assert gallery.frames == [(f"{name}.1",), (f"{name}.1", f"{name}.2"), (f"{name}.2",)]
    assert gallery.bodies["net"].shape == (3, 8)
    assert gallery.faces["yunet_sface"].feature.shape == (5, 8)
    np.testing.assert_allclose(gallery.clothes.colours, [[1, 0]] * 3)
    assert gallery.clothes.shots.tolist() == [1, 1, 1]


def test_shots_of_several_films_are_several(tmp_path):
    films = [write_film(tmp_path / name, [1, 1, 2, 2, 3, 3], prefix=name) for name in ("a", "b")]
    assert len(set(searches.load(*films).clothes.shots.tolist())) == 2


def test_a_film_in_which_nobody_is_found_hides_no_clothes_of_others(tmp_path):
    films = [write_film(tmp_path / name, [1, 1, 2, 2, 3, 3], prefix=name) for name in ("a", "b")]
    table = files.read_table(films[0] / "crops.arrow")
    none = pa.nulls(len(table), pa.binary())
    table = table.set_column(table.schema.get_field_index("image"), "image", none)
    files.write_table(films[0] / "crops.arrow", table)
    assert len(searches.load(*films).clothes.colours) == 3


def test_clothes_are_unknown_where_one_of_the_movies_is_no_film(tmp_path):
    write_film(tmp_path / "a", [1, 1, 2, 2, 3, 3], prefix="a")
    searches.write_gallery(tmp_path / "b", prefix="b")
    assert searches.load(tmp_path / "a", tmp_path / "b").clothes is None


def test_a_track_has_a_face_where_one_of_its_boxes_has(tmp_path):
    gallery = searches.load(write_film(tmp_path, [1, 1, 2, 3, 3, 3]))  # the first and the fourth have none
    assert gallery.faces["yunet_sface"].selected.tolist() == [True, True, True]
    assert searches.load(write_film(tmp_path, [1, 2, 2, 2, 2, 2])).faces["yunet_sface"].selected.tolist() == [
        False,
        True,
    ]
    face = gallery.faces["yunet_sface"].feature[2:]
    alone = searches.load(write_film(tmp_path, [1, 2, 3, 4, 5, 6])).faces["yunet_sface"].feature[2:]
    assert face[0] == pytest.approx(alone[1] / np.linalg.norm(alone[1]), abs=1e-6)  # of the box that shows it
    assert np.array_equal(face[1], alone[2])


def test_boxes_that_cannot_be_read_leave_their_tracks(tmp_path):
    gallery = searches.load(write_film(tmp_path, [1, 1, 2, 2, 3, 3], unreadable=(3, 4, 5)))
    assert gallery.ranked == [["p2"], ["p6", "p7"]]
    assert gallery.skipped_candidates == ["p3", "p4", "p5"]
