"""Detection and embedding of a movie, from crop table to faces table."""

import io
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from castsearch.data.crops import crop_table, crops_of
from castsearch.errors import InputError
from castsearch.faces.detection import detect_table
from castsearch.faces.embedding import add_portraits, embed_table, select_faces
from castsearch.faces.engine import Faces
from castsearch.faces.engines import yunet_sface
from castsearch.faces.selection import Selection
from castsearch.files import write_table


@pytest.fixture(scope="module")
def engine():
    return yunet_sface.make({})


def jpeg(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=95)
    return buffer.getvalue()


def crop(name, role, image):
    height, width = (0, 0) if image is None else image.shape[:2]
    encoded = None if image is None else jpeg(image)
    return {"id": name, "role": role, "width": width, "height": height, "image": encoded}


@pytest.fixture(scope="module")
def movie(collins):
    """The crop table of a movie: two portraits, one without a face, and four candidates, the last unreadable."""
    wall = np.full((300, 120, 3), 90, np.uint8)
    person = np.ascontiguousarray(collins[40:340, 160:280])
    aside = np.ascontiguousarray(collins[40:400, 235:450])  # the left edge leaves one eye and a cheek of her
    rows = [
        crop("portrait", "cast", collins),
        crop("wall portrait", "cast", wall),
        crop("person", "candidate", person),
        crop("back", "candidate", wall),
        crop("aside", "candidate", aside),
        crop("unreadable", "candidate", None),
    ]
    return crop_table("val", "tt1", rows)


@pytest.fixture(scope="module")
def people(movie):
    return crops_of(movie)


@pytest.fixture(scope="module")
def detections(people, engine):
    return detect_table(people, engine)


@pytest.fixture(scope="module")
def faces(people, detections, engine):
    return embed_table(people, detections, engine)


def test_detections_have_the_documented_columns(detections):
    assert {field.name: field.type for field in detections.schema} == {
        "person": pa.int32(),
        "id": pa.string(),
        "score": pa.float32(),
        "box": pa.list_(pa.float32(), 4),
        "landmarks": pa.list_(pa.float32(), 10),
        "turn": pa.int16(),
    }


def test_detections_name_their_person(detections):
    names = ["portrait", "wall portrait", "person", "back", "aside", "unreadable"]
    assert [names[row] for row in detections["person"].to_pylist()] == detections["id"].to_pylist()
    assert {"portrait", "person"} <= set(detections["id"].to_pylist()) <= {"portrait", "person", "aside"}


def test_detections_go_below_the_selection_threshold(detections, engine):
    assert detections["score"].to_numpy().min() < engine.selection.min_score


def test_faces_have_the_documented_columns(faces):
    assert {field.name: field.type for field in faces.schema} == {
        "id": pa.string(),
        "num_faces": pa.int32(),
        "detected": pa.bool_(),
        "selected": pa.bool_(),
        "score": pa.float32(),
        "box": pa.list_(pa.float32(), 4),
        "landmarks": pa.list_(pa.float32(), 10),
        "turn": pa.int16(),
        "feature": pa.list_(pa.float32(), 128),
        "feature_norm": pa.float32(),
        "size": pa.float32(),
    }


def test_faces_follow_the_crop_table(faces):
    assert faces["id"].to_pylist() == ["portrait", "wall portrait", "person", "back", "aside", "unreadable"]
    assert faces["selected"].to_pylist() == [True, False, True, False, False, False]


def test_portrait_matches_the_person_and_not_the_wall(faces):
    portrait, wall, person = (np.array(faces["feature"][row].as_py()) for row in range(3))
    portrait, wall, person = (feature / np.linalg.norm(feature) for feature in (portrait, wall, person))
    assert portrait @ person > 0.8
    assert portrait @ wall < 0.3


def test_columns_agree_with_each_other(faces):
    rows = faces.to_pylist()
    for row in rows[:5]:
        assert np.linalg.norm(row["feature"]) == pytest.approx(row["feature_norm"], rel=1e-5)
    for row in rows:
        assert all((row[name] is not None) == row["selected"] for name in ("score", "box", "landmarks", "size"))
    x1, y1, x2, y2 = rows[0]["box"]
    assert rows[0]["size"] == pytest.approx(((x2 - x1) * (y2 - y1)) ** 0.5)


def test_unreadable_crop_has_no_feature(faces):
    row = faces.to_pylist()[5]
    assert row["detected"] is False
    assert row["feature"] is None
    assert row["feature_norm"] is None


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_portrait_is_described_as_well_however_it_lies(engine, collins, faces, turn, caplog):
    lying = np.ascontiguousarray(np.rot90(collins, turn))
    people = crops_of(crop_table("val", "tt1", [crop("portrait", "cast", lying)]))
    own = embed_table(people, detect_table(people, engine), engine).to_pylist()[0]
    upright = faces.to_pylist()[0]
    assert own["turn"] == 90 * turn
    assert ("portrait portrait: lies on its side" in caplog.text) == (turn > 0)
    cosine = np.dot(own["feature"], upright["feature"]) / own["feature_norm"] / upright["feature_norm"]
    assert cosine > 0.95
    height, width = lying.shape[:2]
    assert 0 <= own["box"][0] < own["box"][2] <= width
    assert 0 <= own["box"][1] < own["box"][3] <= height


def test_selection_can_be_overridden(people, detections, engine):
    strict = replace(engine.selection, candidate_score=100.0)
    faces = embed_table(people, detections, engine, strict).to_pylist()
    assert faces[2]["detected"]
    assert not faces[2]["selected"]
    assert faces[2]["feature"] is not None


def test_tables_say_which_engine_made_them(detections, faces):
    for table in (detections, faces):
        made_with = json.loads(table.schema.metadata[b"engine"])
        assert made_with["engine"] == "yunet_sface"
        assert made_with["models"]


def test_movie_without_people_gives_empty_tables(engine):
    people = crops_of(crop_table("val", "tt1", []))
    faces = embed_table(people, detect_table(people, engine), engine)
    assert len(faces) == 0
    assert faces["feature"].type == pa.list_(pa.float32(), 128)


@pytest.mark.parametrize("num_cast", [0, 1, 2])
def test_portraits_that_are_added_to_boxes_give_the_table_of_all_people_at_once(movie, engine, num_cast, tmp_path):
    table = movie.slice(2 - num_cast)
    people, portraits, boxes = map(crops_of, (table, table.slice(0, num_cast), table.slice(num_cast)))
    at_once = embed_table(people, detect_table(people, engine), engine)
    of_boxes = embed_table(boxes, detect_table(boxes, engine), engine)
    added = add_portraits(people, portraits, of_boxes, engine, engine.selection)
    for name, made in (("at_once", at_once), ("added", added)):
        write_table(tmp_path / name, made)
    assert (tmp_path / "at_once").read_bytes() == (tmp_path / "added").read_bytes()


def test_portraits_alone_give_the_table_of_all_people_at_once(movie, engine):
    people, nobody = crops_of(movie.slice(0, 2)), crops_of(movie.slice(0, 0))
    boxes = embed_table(nobody, detect_table(nobody, engine), engine)
    added = add_portraits(people, people, boxes, engine, engine.selection)
    assert added.equals(embed_table(people, detect_table(people, engine), engine))


def test_what_scores_below_the_least_score_was_not_detected():
    rows = [{"id": name, "role": name[1:], "width": 90, "height": 90} for name in ("1cast", "2cast", "3candidate")]
    people = crops_of(crop_table("val", "tt1", rows))
    boxes = np.tile(np.float32([30, 20, 60, 40]), (3, 1))
    face, num_faces = select_faces(people, np.array([0, 1, 1]), boxes, np.float32([0.79, 0.81, 0.5]), Selection())
    assert face.tolist() == [-1, 1, -1]
    assert num_faces.tolist() == [0, 1, 0]


def test_a_face_in_two_boxes_belongs_to_whom_it_fits():
    # Somebody stands behind and to the right of somebody smaller, whose face is in both boxes.
    rows = [
        {"id": "behind", "role": "candidate", "frame": "1", "x": 0, "y": 0, "width": 200, "height": 400},
        {"id": "smaller", "role": "candidate", "frame": "1", "x": 60, "y": 100, "width": 120, "height": 300},
    ]
    people = crops_of(crop_table("val", "tt1", rows))
    boxes = np.float32([[100, 110, 140, 150], [80, 15, 110, 45], [40, 10, 80, 50]])
    person, scores = np.array([0, 0, 1]), np.full(3, 0.99, np.float32)
    face, num_faces = select_faces(people, person, boxes, scores, Selection())
    assert face.tolist() == [-1, 2]  # the other face of the first is too small to be its own
    assert num_faces.tolist() == [2, 1]
    taller = boxes.copy()
    taller[1] = [70, 15, 130, 75]
    face, _ = select_faces(people, person, taller, scores, Selection())
    assert face.tolist() == [1, 2]


def test_a_face_in_two_boxes_is_rather_theirs_who_reach_lower():
    # Somebody before another, whose head the edge of the picture cuts off: the face fits the box behind better.
    rows = [
        {"id": "behind", "role": "candidate", "frame": "1", "x": 58, "y": 0, "width": 471, "height": 352},
        {"id": "before", "role": "candidate", "frame": "1", "x": 100, "y": 22, "width": 537, "height": 456},
    ]
    people = crops_of(crop_table("val", "tt1", rows))
    boxes = np.float32([[132, 110, 312, 350], [90, 88, 270, 328]])
    face, _ = select_faces(people, np.array([0, 1]), boxes, np.full(2, 0.99, np.float32), Selection())
    assert face.tolist() == [-1, 1]


@pytest.mark.parametrize(("track", "own"), [(None, 0), (1, 1)])
def test_a_face_before_somebody_who_is_followed_is_not_theirs_though_it_is_larger(track, own):
    row = {"id": "behind", "role": "candidate", "frame": "1", "width": 190, "height": 440, "track": track}
    people = crops_of(crop_table("films", "m", [row]))
    boxes = np.float32([[85, 105, 155, 195], [70, 45, 125, 115]])
    face, _ = select_faces(people, np.zeros(2, int), boxes, np.full(2, 0.99, np.float32), Selection())
    assert face.tolist() == [own]


class BrokenEngine:
    """An engine whose detector or embedder gives a wrong number after so many right ones."""

    name, models, selection, dimension = "broken", (), Selection(), 2

    def __init__(self, number, right):
        self.numbers = iter([0.9] * right + [number])

    def detect(self, images):
        for _ in images:
            yield Faces(np.float32([[0, 0, 9, 9]]), np.float32([next(self.numbers)]), np.zeros((1, 5, 2), np.float32))

    def embed(self, samples):
        for _ in samples:
            yield np.float32([next(self.numbers), 0])


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused_with_their_record(people, detections, number):
    with pytest.raises(InputError, match=r"val/tt1: wall portrait: the detector's .* not finite"):
        detect_table(people, BrokenEngine(number, right=4))  # a portrait in four positions
    with pytest.raises(InputError, match=r"val/tt1: wall portrait: the embedder's feature is not finite"):
        embed_table(people, detections, BrokenEngine(number, right=1))


class BlindEngine:
    """An engine that finds a face in every image, and describes all of them alike."""

    name, models, selection, dimension = "blind", (), Selection(), 2

    def detect(self, images):
        for _ in images:
            yield Faces(np.float32([[0, 0, 9, 9]]), np.float32([0.99]), np.zeros((1, 5, 2), np.float32))

    def embed(self, samples):
        for _ in samples:
            yield np.float32([1, 0])


def test_an_engine_that_describes_all_people_alike_is_refused(collins):
    rows = [crop(name, "cast", collins) for name in ("ada", "bo", "cy")]
    people = crops_of(crop_table("val", "movie", rows))
    detections = detect_table(people, BlindEngine())
    with pytest.raises(InputError, match=r"3 pairs of different people have a median cosine of 1\.0000"):
        embed_table(people, detections, BlindEngine())
    nobody = crops_of(crop_table("val", "movie", []))
    boxes = embed_table(nobody, detect_table(nobody, BlindEngine()), BlindEngine())
    with pytest.raises(InputError, match=r"3 pairs of different people have a median cosine of 1\.0000"):
        add_portraits(people, people, boxes, BlindEngine(), Selection())
