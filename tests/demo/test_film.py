import json

import pytest

from castsearch.data.films import find_films
from castsearch.demo.film import SIZE, Take, Walk, write_film
from castsearch.evaluation.film_truth import read_truth
from castsearch.film.decode import Film

SCRIPT = (
    Take(1.2, 1, (Walk(0, 0.2, 0.8, 0.12), Walk(3, 0.8, 0.2, 0.1))),
    Take(1, 1, (Walk(1, 0.5, 0.5, 0.2, (0.5, 1.0)),)),
    Take(1.6, 2, (Walk(0, 0.5, 1.5, 0.12),), pan=0.5, dissolve=True),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    write_film(folder / "demo", script=SCRIPT)
    return folder


def test_a_film_is_written_with_portraits_and_truth(folder):
    film = find_films(str(folder))["demo"]
    assert len(film.cast) == 3
    assert film.truth is not None
    with Film(film.video) as opened:
        times = [float(frame.time) for frame in opened.frames()]
    assert times == read_truth(film.truth).times.tolist()
    assert len(times) == 75  # 95 less a dissolve of 20


def test_the_truth_has_cuts_dissolves_and_boxes_within_the_frame(folder):
    truth = read_truth(folder / "demo/truth.json")
    assert truth.changes.tolist() == [[1.2, 1.2], [1.4, 2.2]]
    assert sorted(set(truth.shots.tolist())) == [1, 2, 3]
    assert len(truth.persons[0]) == 2
    assert len(truth.persons[-1]) == 0  # who has left the frame has no box
    for boxes in truth.boxes:
        assert (boxes >= 0).all()
        assert (boxes <= [*SIZE, *SIZE]).all()


def test_the_same_seed_writes_the_same_truth(folder, tmp_path):
    write_film(tmp_path, script=SCRIPT[:1])
    again = json.loads((tmp_path / "truth.json").read_text())
    assert again["frames"][:30] == json.loads((folder / "demo/truth.json").read_text())["frames"][:30]
