import json
from dataclasses import replace
from itertools import chain

import cv2
import numpy as np
import pytest

from castsearch.demo import SPLITS, bodies, movie_ids
from castsearch.demo.head_layers import drawn_back
from castsearch.demo.movies import (
    MovieSettings,
    draw_portrait,
    labels,
    plan_movie,
    write_movie,
    write_split,
)
from castsearch.demo.people import PEOPLE, Photograph, read_picture
from castsearch.errors import InputError
from castsearch.faces.engines import yunet_sface

SMALL = MovieSettings(candidates=12, cast=2, others=1, frame=(384, 216), portrait=96)


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    """A small movie: its folder, its annotation and its plan."""
    folder = tmp_path_factory.mktemp("movie")
    annotation = write_movie("val", "tt9200001", SMALL, folder)
    return folder, annotation, plan_movie("val", "tt9200001", SMALL)


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_no_two_splits_share_a_movie():
    names = list(chain.from_iterable(movie_ids(split, 30) for split in SPLITS))
    assert len(set(names)) == 90
    assert movie_ids("train", 2) == ["tt9100001", "tt9100002"]


def test_annotation_has_the_challenges_format(movie):
    folder, annotation, _ = movie
    assert len(annotation["cast"]) == 2
    assert [row["id"] for row in annotation["candidates"]] == [f"tt9200001_{number:04d}" for number in range(12)]
    for member in annotation["cast"]:
        assert member["id"] == f"tt9200001_{member['label']}"
        assert member["img"] == f"tt9200001/cast/{member['label']}.jpg"
    assert {row["label"] for row in annotation["candidates"]} == {
        "others",
        *(row["label"] for row in annotation["cast"]),
    }
    for row in annotation["candidates"]:
        image = cv2.imread(str(folder / row["img"]))
        height, width = image.shape[:2]
        x, y, w, h = row["bbox"]
        assert all(type(value) is int for value in row["bbox"])
        assert w > 0
        assert h > 0
        assert x < width
        assert y < height
        assert x + w > 0
        assert y + h > 0


def test_only_the_named_files_are_written(movie):
    folder, annotation, _ = movie
    assert set(contents(folder)) == {row["img"] for part in annotation.values() for row in part}


def test_labels_name_the_person_who_was_drawn(movie):
    _, annotation, plan = movie
    drawn = [appearance.person for frame in plan.frames for appearance in frame]
    found = labels(annotation)
    assert list(found) == [f"tt9200001_{person.id}" for person in plan.cast]
    for person in plan.cast:
        assert found[f"tt9200001_{person.id}"] == [
            f"tt9200001_{number:04d}" for number, other in enumerate(drawn) if other is person
        ]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(movie, tmp_path):
    folder, annotation, _ = movie
    assert write_movie("val", "tt9200001", SMALL, tmp_path / "again") == annotation
    assert contents(tmp_path / "again") == contents(folder)
    write_movie("val", "tt9200001", replace(SMALL, seed=1), tmp_path / "other")
    assert contents(tmp_path / "other") != contents(folder)


def test_plans_keep_the_settings():
    settings = MovieSettings(candidates=200, cast=4, others=2, faceless=0.35)
    plans = [plan_movie("train", name, settings) for name in movie_ids("train", 10)]
    for plan in plans:
        assert len(plan.cast) == 4
        assert len(plan.others) == 2
        assert not set(plan.cast) & set(plan.others)
        assert sum(map(len, plan.frames)) == 200
        for frame in plan.frames:
            assert len({appearance.person for appearance in frame}) == len(frame)
    assert {len(frame) for plan in plans for frame in plan.frames} == {1, 2, 3, 4}
    turned = [appearance.turned_away for plan in plans for frame in plan.frames for appearance in frame]
    assert np.mean(turned) == pytest.approx(0.35, abs=0.02)
    assert len({frozenset(plan.cast) for plan in plans}) > 1


def test_every_cast_member_is_seen_with_and_without_a_face():
    for name in movie_ids("val", 40):
        plan = plan_movie("val", name, MovieSettings())
        seen = {(appearance.person, appearance.turned_away) for frame in plan.frames for appearance in frame}
        assert {(person, turned) for person in plan.cast for turned in (False, True)} <= seen


def test_some_boxes_reach_outside_the_frame(movie):
    _, annotation, _ = movie
    boxes = np.array([row["bbox"] for row in annotation["candidates"]])
    outside = (boxes[:, :2] < 0).any(axis=1) | (boxes[:, :2] + boxes[:, 2:] > SMALL.frame).any(axis=1)
    assert 0 < outside.sum() < len(boxes)


def test_people_keep_their_clothes_in_a_movie_and_change_them_for_the_next():
    first, second = (bodies.dress(np.random.default_rng(seed), PEOPLE) for seed in (1, 2))
    again = bodies.dress(np.random.default_rng(1), PEOPLE)
    for person in PEOPLE:
        assert first[person].outfit == again[person].outfit
        assert first[person].outfit != second[person].outfit


@pytest.mark.parametrize("split", SPLITS)
def test_only_the_test_split_hides_its_labels(movie, tmp_path, split):
    _, annotation, _ = movie
    write_split(split, {"tt9200001": annotation}, tmp_path)
    [written] = json.loads((tmp_path / f"{split}.json").read_text()).values()
    assert all(("label" in row) == (split != "test") for part in written.values() for row in part)
    assert [row["id"] for row in written["candidates"]] == [row["id"] for row in annotation["candidates"]]
    assert json.loads((tmp_path / f"{split}_label.json").read_text()) == labels(annotation)


def test_a_movie_may_be_one_appearance_of_one_person(tmp_path):
    annotation = write_movie("train", "tt9100001", replace(SMALL, candidates=1, cast=1, others=0), tmp_path)
    [[cast, found]] = labels(annotation).items()
    assert found == ["tt9100001_0000"]
    assert cast.endswith(annotation["cast"][0]["label"])


@pytest.mark.parametrize(("faceless", "expected"), [(0.0, {False}), (1.0, {True})])
def test_all_or_nobody_may_be_turned_away(faceless, expected):
    plan = plan_movie("val", "tt9200001", MovieSettings(faceless=faceless))
    assert {appearance.turned_away for frame in plan.frames for appearance in frame} == expected


@pytest.mark.parametrize(("cast", "others"), [(8, 3), (0, 0)])
def test_a_cast_that_the_photographs_cannot_fill_is_refused(cast, others):
    with pytest.raises(InputError, match=f"{cast} cast and {others} others, but 1 to 10 people exist"):
        plan_movie("val", "tt9200001", MovieSettings(cast=cast, others=others))


@pytest.mark.parametrize("module", ["no_such_package", "skimage"])
def test_a_photograph_that_is_not_installed_is_named(module):
    with pytest.raises(InputError, match=rf"{module}/data/nobody.png: cannot be read; is the-package installed\?"):
        read_picture(Photograph(module, "data/nobody.png", "the-package"))


@pytest.fixture(scope="module")
def detect():
    """The number of faces that the default engine finds in an RGB image."""
    engine = yunet_sface.make({})

    def count(image):
        (faces,) = engine.detect([np.ascontiguousarray(image)])
        return np.count_nonzero(faces.scores > engine.selection.candidate_score)

    return count


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_a_portrait_shows_one_face_and_a_back_none(detect, person):
    assert detect(draw_portrait(np.random.default_rng(0), person, 240)) == 1
    back = drawn_back(person)
    assert detect(255 - back[..., 3:] + back[..., :3]) == 0


def test_faces_can_be_detected_where_they_are_meant_to_be_seen(detect, tmp_path):
    settings = MovieSettings(candidates=40)
    annotation, plan = write_movie("val", "tt9200001", settings, tmp_path), plan_movie("val", "tt9200001", settings)
    turned_away = np.array([appearance.turned_away for frame in plan.frames for appearance in frame])
    alone = np.array([len(frame) == 1 for frame in plan.frames for _ in frame])
    found = []
    for row in annotation["candidates"]:
        x, y, width, height = row["bbox"]
        frame = cv2.cvtColor(cv2.imread(str(tmp_path / row["img"])), cv2.COLOR_BGR2RGB)
        found.append(detect(frame[max(y, 0) : y + height, max(x, 0) : x + width]) > 0)
    found = np.array(found)
    assert found[~turned_away].mean() > 0.7
    assert not found[turned_away & alone].any()  # in company, the face in the box may be somebody else's
    assert (turned_away & alone).any()
