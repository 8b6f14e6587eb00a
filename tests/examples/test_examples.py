"""The examples of docs/examples do what they promise."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from factories.clips import write
from PIL import Image

from castsearch.data.challenge import load_annotations
from castsearch.demo.movies import draw_portrait
from castsearch.demo.people import PEOPLE

EXAMPLES = Path(__file__).parents[2] / "docs/examples"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run an example, and return the lines that it prints."""

    def lines(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return lines


def resembling(rng, people, each):
    """Features of the same people, of each so many."""
    return (people[:, None] + 0.4 * rng.normal(size=(len(people), each, people.shape[1]))).reshape(-1, people.shape[1])


def test_boxes_are_ranked_from_two_arrays(run, tmp_path):
    rng = np.random.default_rng(0)
    portraits, strangers = rng.normal(size=(3, 64)), rng.normal(size=(9, 64))
    np.save(tmp_path / "portraits.npy", portraits)
    np.save(tmp_path / "boxes.npy", np.concatenate([resembling(rng, portraits, 6), strangers, np.zeros((1, 64))]))
    printed = run("rank_boxes.py", tmp_path / "portraits.npy", tmp_path / "boxes.npy")
    found = [{int(box.split()[0]) for box in line.partition(": ")[2].split(", ")[:6]} for line in printed]
    assert found == [set(range(first, first + 6)) for first in (0, 6, 12)]


def test_features_are_reranked(run, tmp_path):
    rng = np.random.default_rng(0)
    people = rng.normal(size=(20, 32))
    np.save(tmp_path / "features.npy", np.concatenate([people, resembling(rng, people, 25)]))
    run("rerank_features.py", tmp_path / "features.npy", 20, tmp_path / "nearest.npy")
    nearest = np.load(tmp_path / "nearest.npy")
    assert nearest.shape == (20, 500)
    assert (np.sort(nearest[:, :25]) == np.arange(500).reshape(20, 25)).all()


def test_people_of_a_clip_are_named(run, tmp_path):
    rng = np.random.default_rng(0)
    seen = np.hstack([draw_portrait(rng, person, 240) for person in PEOPLE[:2]])
    write(tmp_path / "clip.mp4", [seen] * 10, rate=10)
    for name, person in zip(("ada", "bo"), PEOPLE, strict=False):
        Image.fromarray(draw_portrait(rng, person, 240)).save(tmp_path / f"{name}.png")
    printed = run("name_people.py", tmp_path / "clip.mp4", tmp_path / "ada.png", tmp_path / "bo.png")
    assert sorted(line.split()[-2] for line in printed[1:]) == ["ada", "bo"]


def test_people_in_photographs_become_movies(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for path, people in {"photos/(summer party)/a.png": PEOPLE[:2], "photos/b.png": PEOPLE[:1]}.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.hstack([draw_portrait(rng, person, 240) for person in people])).save(path)
    Path("portraits").mkdir()
    Image.fromarray(draw_portrait(rng, PEOPLE[0], 240)).save("portraits/ada.png")
    run("find_people.py", "photos", "portraits", "my.json")
    movies = load_annotations("my.json")
    assert {name: len(movie["candidates"]) for name, movie in movies.items()} == {"summer_party": 2, "photos": 1}
    assert movies["photos"]["cast"] == [{"id": "photos_ada", "img": "portraits/ada.png", "label": "ada"}]
