"""Films, from video files and portraits to the report."""

import shutil

import numpy as np
import pytest
from factories.clips import numbered, write
from runs import planned, promises, result_files, run

from castsearch.data.name_tables import read_names
from castsearch.data.submission import read_submission
from castsearch.demo.film import Take, Walk, write_film
from castsearch.files import read_table
from castsearch.timeline.appearances import read_appearances

pytestmark = pytest.mark.slow
SCRIPT = (
    Take(1.6, 1, (Walk(0, 0.2, 0.4, 0.16), Walk(1, 0.7, 0.6, 0.15))),
    Take(1.2, 1, (Walk(0, 0.5, 0.5, 0.25),)),
    Take(1.2, 1, (Walk(3, 0.5, 0.5, 0.25),)),
)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A folder with a film of a few seconds, its portraits and its truth."""
    folder = tmp_path_factory.mktemp("films")
    write_film(folder / "good", script=SCRIPT)
    return folder


def config(films, **film):
    return {"data": {"source": "films", "films": films}, "film": film, "export": ["elan", "cvat"]}


@pytest.fixture(scope="module")
def finished(films, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    done = run(folder, config(str(films)))
    assert done.returncode == 0, done.stdout
    return folder


def scores(folder):
    header, row = (line.split("\t") for line in (folder / "results/tables/films.tsv").read_text().splitlines())
    return {name: float(value) for name, value in list(zip(header, row, strict=True))[1:]}


def test_a_film_ends_in_a_submission_a_report_and_scores(finished):
    rankings = read_submission(finished / "results/submission/films.txt")
    assert len(rankings) == 3
    assert len({tuple(sorted(ranking)) for ranking in rankings.values()}) == 1
    assert (finished / "results/report.html").exists()
    assert scores(finished)["shots_F1"] == 1
    ablation = (finished / "results/tables/ablation.tsv").read_text()
    assert "diffusion" in ablation


def test_a_film_has_names_times_and_files_for_other_programs(finished):
    names = read_names([finished / "results/names/films/good.tsv"])
    assert len(names) == len(read_submission(finished / "results/submission/films.txt").popitem()[1])
    assert set(read_appearances(finished / "results/appearances/films/good.tsv")["unit"]) == {"seconds"}
    files = {path.name for path in (finished / "results/export/good").glob("good.*")}
    assert files == {"good.eaf", "good.cvat.xml"}


def test_the_shots_and_tracks_of_a_film_are_tables(finished):
    shots = (finished / "results/shots/good.tsv").read_text().splitlines()
    assert [line.split("\t")[1] for line in shots[1:]] == ["0.000000", "1.600000", "2.800000"]
    tracks = read_table(finished / "results/tracks/good.arrow")
    assert set(tracks["shot"].to_pylist()) == {1, 2, 3}


def test_nothing_changed_runs_nothing(finished, films):
    assert planned(finished, config(str(films))) == {}


def test_another_gap_decodes_nothing_but_the_crops(finished, films):
    jobs = planned(finished, config(str(films), tracks={"gap": 2.0}))
    assert {"tracks", "cut_tracks", "crop_film"} <= jobs.keys()
    assert not {"changes", "shots", "persons"} & jobs.keys()


def with_eve(films, folder):
    """The film's configuration, with one more portrait in a cast of all films."""
    shutil.copy(next((films / "good").glob("*.jpg")), folder / "eve.jpg")
    given = config({"good": str(films / "good")})
    given["data"]["cast"] = {"eve": str(folder / "eve.jpg")}
    return given


def test_another_portrait_looks_at_no_box_again(finished, films, tmp_path):
    jobs = planned(finished, with_eve(films, tmp_path))
    assert set(jobs) == promises()["a portrait of a film's cast, or of `data.cast`"]


def test_another_portrait_is_put_before_the_faces_that_were_described(finished, films, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    faces = folder / "results/faces/yunet_sface/films/good.arrow"
    before = read_table(faces).to_pylist()
    done = run(folder, with_eve(films, tmp_path), "--until", "embed_portraits")
    assert done.returncode == 0, done.stdout
    after = read_table(faces).to_pylist()
    assert [row["id"] for row in after if row not in before] == ["good.eve"]
    assert [row for row in after if row["id"] != "good.eve"] == before


def test_other_thresholds_of_faces_select_among_what_was_found_in_boxes(finished, films):
    jobs = planned(finished, config(str(films)) | {"faces": {"selection": {"area_fraction": 0.05}}})
    assert {"embed_faces", "embed_portraits", "rerank"} <= jobs.keys()
    assert not {"cut_tracks", "crop_film", "detect", "embed_bodies"} & jobs.keys()


def test_another_film_runs_its_own_jobs_only(finished, films, tmp_path):
    both = tmp_path / "films"
    shutil.copytree(films, both)
    shutil.copytree(films / "good", both / "other")
    for path in both.rglob("*"):
        original = films / "good" / path.relative_to(both / path.relative_to(both).parts[0])
        if original.is_file():
            shutil.copystat(original, path)
    jobs = planned(
        finished, {"data": {"source": "films", "films": {"good": str(films / "good"), "b": str(both / "other")}}}
    )
    assert jobs["persons"] == jobs["changes"] == jobs["detect"] == jobs["fuse"] == 1


def tables(results):
    """The results of a film as a whole, without those of its parts."""
    of_parts = ("persons/", "tracks/crops/", "tracks/followed/")
    return {name: data for name, data in results.items() if "/parts/" not in name and not name.startswith(of_parts)}


def test_parts_give_the_tables_of_one_pass(films, tmp_path):
    """A slow film of more than two minutes: a frame a second."""
    pictures = [numbered(0)] * 20 + [numbered(170)] * 120
    write(tmp_path / "slow.mp4", pictures, rate=1, options={"g": "50", "bf": "2"})
    portrait = next((films / "good").glob("*.jpg"))
    film = {"slow": {"video": str(tmp_path / "slow.mp4"), "cast": {"ada": str(portrait)}}}
    for minutes in (1, 10):
        done = run(
            tmp_path / str(minutes),
            config(film, minutes=minutes, persons={"detector": "faces"}),
            "--until",
            "embed_portraits",
        )
        assert done.returncode == 0, done.stdout
    one, other = (result_files(tmp_path / str(minutes)) for minutes in (1, 10))
    assert len([name for name in one if name.startswith("persons/")]) == 3
    assert tables(one) == tables(other)
    assert np.loadtxt(tmp_path / "1/results/shots/slow.tsv", skiprows=1, usecols=1).tolist() == [0, 20]


def test_a_film_that_cannot_be_used_does_not_stop_the_others(films, tmp_path):
    portrait = str(next((films / "good").glob("*.jpg")))
    (tmp_path / "text.mp4").write_text("no film")
    shutil.copy(films / "good/film.mp4", tmp_path / "cut.mp4")
    content = (tmp_path / "cut.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    bad = {name: {"video": str(tmp_path / f"{name}.mp4"), "cast": {"ada": portrait}} for name in ("text", "cut")}
    done = run(tmp_path / "run", config({"good": str(films / "good")} | bad), "--until", "fuse", "--keep-going")
    assert done.returncode != 0
    assert f"error: {tmp_path}/text.mp4: is a text, not a video" in done.stdout
    assert f"error: {tmp_path}/cut.mp4: cannot be opened as a film" in done.stdout
    assert "Traceback" not in done.stdout
    assert (tmp_path / "run/results/rankings/films/good.arrow").exists()


@pytest.fixture(scope="module")
def empty(films, tmp_path_factory):
    """The folder of a finished run of two films without anybody, and its configuration."""
    folder = tmp_path_factory.mktemp("empty")
    write(folder / "frame.mkv", [numbered(3)])
    write(folder / "nobody.mkv", [numbered(0)] * 30)
    cast = {"ada": str(next((films / "good").glob("*.jpg")))}
    settings = config({name: {"video": str(folder / f"{name}.mkv"), "cast": cast} for name in ("frame", "nobody")})
    done = run(folder, settings)
    assert done.returncode == 0, done.stdout
    return folder, settings


def test_a_film_without_anybody_has_a_complete_result(empty):
    folder, settings = empty
    assert (folder / "results/report.html").exists()
    counts = {name: len(read_table(folder / f"results/tracks/{name}.arrow")) for name in settings["data"]["films"]}
    assert counts == {"frame": 0, "nobody": 0}


def test_a_correction_exports_its_own_film_alone(empty):
    folder, settings = empty
    (folder / "corrections.tsv").write_text("movie\tbox\tperson\tright\nnobody\ttrack 1\tada\tyes\n")
    jobs = planned(folder, settings | {"search": {"corrections": "corrections.tsv"}})
    assert jobs["fuse"] == jobs["names"] == jobs["export"] == 1


@pytest.fixture(scope="module")
def without_portraits(films, tmp_path_factory):
    """A finished run of a film of which nobody has a portrait."""
    folder = tmp_path_factory.mktemp("unknown")
    done = run(folder, config({"film": {"video": str(films / "good/film.mp4")}}))
    assert done.returncode == 0, done.stdout
    return folder


def test_a_film_without_portraits_has_groups_of_unknown_people(without_portraits):
    appearances = read_appearances(without_portraits / "results/appearances/films/film.tsv")
    assert appearances["person"].str.startswith("unknown").all()
    assert appearances["person"].eq("unknown 1").sum() > 1
    assert "Give a name" in (without_portraits / "results/report/films/film.html").read_text()


def test_who_is_given_a_name_is_searched_like_the_cast(films, without_portraits):
    appearances = read_appearances(without_portraits / "results/appearances/films/film.tsv")
    track = appearances.loc[appearances["person"] == "unknown 1", "track"].iloc[0]
    rows = f"movie\tbox\tperson\tright\nfilm\ttrack {track}\tcarl\tnew\n"
    (without_portraits / "corrections.tsv").write_text(rows)
    named = config({"film": {"video": str(films / "good/film.mp4")}}) | {"search": {"corrections": "corrections.tsv"}}
    described = {"crop_film", "detect", "embed_faces", "embed_portraits", "embed_bodies"}
    assert not described & planned(without_portraits, named).keys()
    done = run(without_portraits, named, "--until", "names")
    assert done.returncode == 0, done.stdout
    names = read_names([without_portraits / "results/names/films/film.tsv"])
    assert names.loc[names["person"] == "carl", "track"].nunique() > 1


def test_a_configuration_that_cannot_work_is_refused_by_key(films, tmp_path):
    done = run(tmp_path, config(str(films), persons={"detector": "yolox"}), "--dry-run")
    assert done.returncode != 0
    assert "film.persons.yolox: must be given for this detector" in done.stdout
    assert "Traceback" not in done.stdout
