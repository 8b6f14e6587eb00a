"""Data that a user may really have: records that cannot be used, and movies that leave a stage with nothing to do."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from runs import run, with_changes

from castsearch.data.submission import read_submission
from castsearch.demo.movies import MovieSettings, labels, write_movie

GOOD, BAD = "tt9200001", "tt9200002"


class DataSet:
    """A val split of generated movies in the challenge's format, to be spoiled by a test."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.movies: dict[str, dict] = {}

    def add(self, movie: str, **settings: object) -> dict:
        made = MovieSettings(**{"candidates": 8, "cast": 2, "others": 1} | settings)
        self.movies[movie] = write_movie("val", movie, made, self.folder / "images")
        return self.movies[movie]

    def run(self, on_bad_image: str = "stop", *arguments: str, extra_labels: dict | None = None, **changes: object):
        answers = {cast: found for entry in self.movies.values() for cast, found in labels(entry).items()}
        (self.folder / "val.json").write_text(json.dumps(self.movies))
        (self.folder / "labels.json").write_text(json.dumps(answers | (extra_labels or {})))
        val = {
            "annotations": str(self.folder / "val.json"),
            "images": str(self.folder / "images"),
            "labels": str(self.folder / "labels.json"),
        }
        data = {"source": "files", "train": [], "search": ["val"], "files": {"val": val}, "on_bad_image": on_bad_image}
        return run(self.folder / "run", with_changes({"data": data, "reid.networks": []} | changes), *arguments)

    @property
    def results(self) -> Path:
        return self.folder / "run/results"

    def assert_complete(self) -> dict[str, list[str]]:
        """Every cast member has a ranking of all the candidates of its movie."""
        submission = read_submission(self.results / "submission/val.txt")
        for entry in self.movies.values():
            candidates = {row["id"] for row in entry["candidates"]}
            for member in entry["cast"]:
                assert sorted(submission[member["id"]]) == sorted(candidates)
        return submission


@pytest.fixture
def dataset(tmp_path):
    return DataSet(tmp_path)


def cut_off(dataset: DataSet, row: dict) -> None:
    path = dataset.folder / "images" / row["img"]
    path.write_bytes(path.read_bytes()[:2000])


SPOILT: dict[str, Callable[[DataSet, dict], object]] = {
    "there is no such image": lambda dataset, row: row.update(img="candidates/none.jpg"),
    "not a complete image": cut_off,
    "has no area in": lambda dataset, row: row.update(bbox=[5, 5, 0, 9]),
    "does not stay inside its folder": lambda dataset, row: row.update(img="/etc/hostname"),
    "this id occurs twice": lambda dataset, row: dataset.movies[row["img"].partition("/")[0]]["candidates"].append(
        dict(row)
    ),
}


def test_a_bad_record_stops_its_movie_and_no_other(dataset):
    dataset.add(GOOD)
    reasons = {f"tt920001{number}": reason for number, reason in enumerate(SPOILT)}
    for movie, reason in reasons.items():
        SPOILT[reason](dataset, dataset.add(movie, candidates=4)["candidates"][0])
    done = dataset.run("stop", "--until", "crop", "--keep-going")
    assert done.returncode != 0
    errors = {line for line in done.stdout.splitlines() if line.startswith("error: ")}
    assert len(errors) == len(reasons)
    for movie, reason in reasons.items():
        [line] = [line for line in errors if f"val.json: movie {movie}: candidate " in line]
        assert reason in line
        assert not (dataset.results / f"crops/val/{movie}.arrow").exists()
    assert (dataset.results / f"crops/val/{GOOD}.arrow").exists()


def test_bad_records_are_skipped_ranked_last_and_listed_and_a_portrait_among_them_is_answered(dataset):
    cut_off(dataset, dataset.add(GOOD)["cast"][0])
    entry = dataset.add(BAD, candidates=12)
    spoilt = entry["candidates"][:3]
    spoilt[0]["img"] = "../outside.jpg"
    spoilt[1]["bbox"] = [9999, 0, 5, 5]
    spoilt[2]["img"] = f"{BAD}/candidates/none.jpg"
    entry["candidates"].append(dict(entry["candidates"][5]))
    done = dataset.run("skip", extra_labels={"tt0000000_nm0000000": []})
    assert done.returncode == 0, done.stdout
    entry["candidates"].pop()
    page = (dataset.results / "report.html").read_text()
    submission = dataset.assert_complete()
    for member in entry["cast"]:
        assert submission[member["id"]][-3:] == [row["id"] for row in spoilt]
    for row in [*spoilt, entry["candidates"][5]]:
        assert row["id"] in page
    assert "the split has no such cast id" in page


def without_face(dataset: DataSet, entry: dict) -> None:
    Image.new("RGB", (200, 260), "grey").save(dataset.folder / "images" / entry["cast"][0]["img"])


def test_movies_that_leave_a_stage_with_nothing_to_do_are_ranked_completely(dataset):
    without_face(dataset, dataset.add("tt9200001"))  # a portrait without a face
    dataset.add("tt9200002", candidates=1)  # a movie of one candidate
    dataset.add("tt9200003", faceless=1.0)  # nobody's face is seen
    dataset.add("tt9200004", faceless=0.0, others=0)  # everybody's face is, and belongs to the cast
    dataset.add("tt9200005")["cast"].clear()  # nobody to search for
    dataset.movies["tt9200006"] = {"cast": [], "candidates": []}
    done = dataset.run()
    assert done.returncode == 0, done.stdout
    assert len(dataset.assert_complete()) == 8
    with (dataset.results / "tables/portraits.tsv").open() as table:
        portrait = next(csv.DictReader(table, delimiter="\t"))
    assert (portrait["faces"], portrait["searched"]) == ("0", "nothing")


def test_a_training_split_of_one_person_leaves_the_network_as_it_came(dataset):
    entry = dataset.add(GOOD, candidates=6, cast=1, others=0)
    network = {"name": "triplet", "kind": "triplet", "backbone": "mobilenet_v2", "imagenet": "packaged"}
    train = {"annotations": str(dataset.folder / "val.json"), "images": str(dataset.folder / "images")}
    val = train | {"labels": str(dataset.folder / "labels.json")}
    data = {"source": "files", "train": ["train"], "search": ["val"], "files": {"train": train, "val": val}}
    options = ("--until", "embed_bodies")
    done = dataset.run("stop", *options, data=data | {"on_bad_image": "stop"}, **{"reid.networks": [network]})
    assert done.returncode == 0, done.stdout
    assert len(entry["cast"]) == 1
    assert (dataset.results / f"bodies/triplet/val/{GOOD}.npy").exists()
