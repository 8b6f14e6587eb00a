import json

import pandas as pd
import pytest
import real_films
from factories.clips import numbered, write

APPEARANCES = pd.DataFrame({"start": [0.0, 1.0], "end": [1.0, 2.0], "person": ["ada", "unknown 1"]})


def test_whoever_appears_at_a_labelled_time_is_compared_with_its_boxes():
    found = real_films.score(APPEARANCES, {0.5: {"ada", "bo"}, 1.0: {"ada"}, 2.5: set()}, {"ada", "bo"})
    assert found == {"frames": 3, "people": 3, "precision": 1, "recall": pytest.approx(1 / 3), "F1": 0.5}


def test_unknown_people_and_frames_without_anybody_count_as_nothing():
    assert real_films.score(APPEARANCES, {1.5: set()}, {"ada"})["F1"] == 0


def test_joined_videos_follow_one_another_without_a_gap(tmp_path):
    write(tmp_path / "one.mp4", [numbered(number) for number in range(3)])
    write(tmp_path / "two.mp4", [numbered(number) for number in range(10, 14)])
    real_films.join([tmp_path / "one.mp4", tmp_path / "two.mp4"], tmp_path / "film.mp4")
    assert real_films.read_times(tmp_path / "film.mp4") == pytest.approx([number / 25 for number in range(7)])


def test_frames_are_labelled_by_who_of_the_cast_is_in_them():
    described = {"cast": {"ada": "a.png"}, "pictures": {"clip.mp4@7": [["ada", 0, 0, 9, 9], ["others", 9, 0, 9, 9]]}}
    assert real_films.labelled_frames(described) == {"clip.mp4": {7: {"ada"}}}


def test_a_joined_film_is_made_once_and_labelled_at_its_own_times(tmp_path, monkeypatch):
    for name in ("one", "two"):
        write(tmp_path / f"{name}.mp4", [numbered(number) for number in range(3)])
    pictures = {"one.mp4@1": [["ada", 0, 0, 9, 9]], "two.mp4@2": [["others", 0, 0, 9, 9]]}
    sets = {"shots": {"cast": {"ada": "a.png"}, "pictures": pictures}}
    (tmp_path / "sets.json").write_text(json.dumps(sets))
    monkeypatch.setattr(real_films, "SETS", tmp_path / "sets.json")
    [(_, path, shown)] = real_films.films_of("shots", tmp_path, tmp_path, joined=True)
    made = path.stat().st_mtime_ns
    assert list(shown.values()) == [{"ada"}, set()]
    assert list(shown) == pytest.approx([1 / 25, 5 / 25])
    [(_, again, _)] = real_films.films_of("shots", tmp_path, tmp_path, joined=True)
    assert again.stat().st_mtime_ns == made
