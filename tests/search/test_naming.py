import numpy as np
import pyarrow as pa
import pytest
from factories import searches

from castsearch import files
from castsearch.data.crops import crop_table
from castsearch.data.name_tables import read_names, write_names
from castsearch.search.fuse_stage import rank_gallery
from castsearch.search.naming import assign, name_group
from castsearch.search.ranking_table import SCHEMA


def test_a_person_has_one_place_in_a_frame_and_the_next_best_has_the_other():
    score, probability = np.array([[0.9, 0.8], [0.1, 0.3]]), np.array([[0.9, 0.8], [0.1, 0.3]])
    assert assign(score, probability, ["a", "a"]).tolist() == [0, 1]
    assert assign(score, probability, ["a", "b"]).tolist() == [0, 0]


def test_two_tracks_that_share_a_moment_do_not_show_one_person():
    score = np.array([[0.9, 0.8, 0.7]])
    assert assign(score, score, [("1", "2"), ("2", "3"), ("3", "4")]).tolist() == [0, -1, 0]


def movie(folder, rows, ranked):
    """Write the crop table of a movie and the rankings of its cast, `ranked`: shares by candidate, by cast id."""
    files.write_table(folder / "crops.arrow", crop_table("films", "m", rows))
    rankings = [
        {
            "variant": "v",
            "cast": cast,
            "person": person,
            "ranking": list(shares),
            "score": list(shares.values()),
            "share": list(shares.values()),
        }
        for cast, (person, shares) in ranked.items()
    ]
    table = pa.Table.from_pylist(rankings, SCHEMA).unify_dictionaries()
    files.write_table(folder / "rankings.arrow", table)
    return name_group([folder / "crops.arrow"], folder / "rankings.arrow", "v", 0.5)


def cast(name, label=None):
    return {"id": name, "role": "cast", "label": label, "frame": name, "image": b"jpeg"}


def box(name, **fields):
    return {"id": name, "role": "candidate", "frame": f"frame of {name}", "image": b"jpeg"} | fields


def test_boxes_are_named_by_the_labels_of_portraits_and_weak_names_are_unknown(tmp_path):
    rows = [cast("m.ada", "ada"), cast("m.ada.2", "ada"), cast("m.bo"), box("1"), box("2"), box("3")]
    ada = (0, {"1": 0.9, "2": 0.06, "3": 0.0})
    names = movie(tmp_path, rows, {"m.ada": ada, "m.ada.2": ada, "m.bo": (1, {"2": 0.05, "1": 0.0, "3": 0.9})})
    assert names["person"].tolist() == ["ada", "unknown", "m.bo"]
    assert names["likeliest"].tolist() == ["ada", "ada", "m.bo"]
    assert names["confidence"].tolist() == pytest.approx([0.9, 0.06, 0.9], abs=1e-3)


def test_a_person_of_several_movies_is_called_in_each_as_its_own_portrait_is(tmp_path):
    searched = {"n.ada": (0, {"1": 0.9, "2": 0.8}), "m.ada": (0, {"1": 0.9, "2": 0.8})}
    movie(tmp_path, [cast("m.ada", "ada"), box("1")], searched)
    files.write_table(tmp_path / "n.arrow", crop_table("films", "n", [cast("n.ada", "adele"), box("2")]))
    crops = [tmp_path / "crops.arrow", tmp_path / "n.arrow"]
    names = name_group(crops, tmp_path / "rankings.arrow", "v", 0.5)
    assert names[["movie", "person"]].to_numpy().tolist() == [["m", "ada"], ["n", "adele"]]


def test_the_boxes_of_a_track_have_one_name(tmp_path):
    tracks = [
        box(str(number), time=number / 2, shot=1, track=track, moments=[1]) for number, track in enumerate([1, 2, 1, 2])
    ]
    ada = (0, {"0": 0.9, "2": 0.9, "1": 0.8, "3": 0.8})
    names = movie(tmp_path, [cast("ada"), *tracks], {"ada": ada})
    assert names["person"].tolist() == [
        "ada",
        "unknown",
        "ada",
        "unknown",
    ]  # the two are seen together once, if not in these boxes


def test_a_movie_without_a_cast_has_only_unknown_people(tmp_path):
    names = movie(tmp_path, [box("1"), box("2")], {})
    assert names["person"].tolist() == ["unknown", "unknown"]
    assert names["confidence"].tolist() == [0, 0]


def test_names_are_written_and_read_again(tmp_path):
    rows = [
        cast("ada"),
        box("NA", time=1.25, shot=1, track=1, moments=[1]),
        box("2", time=2.5, shot=2, track=2, moments=[2]),
    ]
    names = movie(tmp_path, rows, {"ada": (0, {"NA": 0.9, "2": 0.0})})
    write_names(tmp_path / "names.tsv", names)
    again = read_names([tmp_path / "names.tsv"])
    assert again["box"].tolist() == ["NA", "2"]
    assert again["time"].tolist() == [1.25, 2.5]
    assert again["person"].tolist() == ["ada", "unknown"]
    assert read_names([]).empty


def test_a_movie_that_is_no_film_has_no_times_shots_and_tracks(tmp_path):
    write_names(tmp_path / "names.tsv", movie(tmp_path, [cast("ada"), box("1")], {"ada": (0, {"1": 0.9})}))
    assert (tmp_path / "names.tsv").read_text().splitlines()[1] == "m\t1\tframe of 1\t\t\t\tada\t0.8999\tada"


def test_what_the_search_ranks_is_what_is_named(tmp_path):
    gallery = searches.gallery(tmp_path, n=24, unreadable=(3,))
    variant = searches.variant("diffusion", bodies=True)
    files.write_tables(tmp_path / "rankings.arrow", rank_gallery(gallery, {}, [variant]))
    names = name_group([tmp_path / "crops.arrow"], tmp_path / "rankings.arrow", variant.key, 0.5)
    assert names["person"].tolist() == [f"p{row % 2}" if row != 3 else "unknown" for row in range(2, 26)]
