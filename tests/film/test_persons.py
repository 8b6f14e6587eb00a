from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from factories.clips import number_of, numbered, write
from onnx import TensorProto, helper, numpy_helper

from castsearch.boxes import overlap
from castsearch.errors import InputError
from castsearch.film import colours, detectors
from castsearch.film.decode import Film
from castsearch.film.persons import Boxes, PersonDetector, batched, find_persons
from castsearch.film.upper_bodies import grow

SIDE = 64  # of the networks' square; its 64 + 16 + 4 cells have strides 8, 16 and 32
WIDE = np.zeros((96, 128, 3), np.uint8)


def constant_network(path, outputs, inputs=(("images", [1, 3, SIDE, SIDE], TensorProto.FLOAT),)):
    """An ONNX file that gives the same arrays whatever it sees."""
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
        for name, value in outputs.items()
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape, kind in inputs],
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in outputs.items()
        ],
    )
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def yolox(path, answers):
    """A YOLOX file: {cell: (x, y, width, height, objectness, probability of a person)} as it gives them."""
    output = np.zeros((1, 84, 85), np.float32)
    for cell, numbers in answers.items():
        output[0, cell, :6] = numbers
    return constant_network(path, {"output": output})


def found(detector, *images):
    return list(detector.detect(iter(images)))


def test_yolox_answers_are_decoded(tmp_path):
    file = yolox(tmp_path / "a.onnx", {9: (0.5, 0.25, np.log(2), np.log(3), 0.9, 0.8)})  # column 1, row 1, stride 8
    [persons] = found(detectors.make("yolox", {"file": file}), WIDE)
    # The picture of 128 pixels was halved: centre (1.5, 1.25) · 8, size (2, 3) · 8.
    assert persons.boxes == pytest.approx(2 * np.array([[12 - 8, 10 - 12, 12 + 8, 10 + 12]]), abs=1e-4)
    assert persons.scores == pytest.approx([0.72])


def test_a_second_box_of_one_person_is_suppressed(tmp_path):
    same = (0.5, 0.5, np.log(4), np.log(4))
    file = yolox(tmp_path / "a.onnx", {9: (*same, 0.9, 0.9), 10: (-0.4, *same[1:], 0.8, 0.8), 60: (*same, 0.7, 0.7)})
    [persons] = found(detectors.make("yolox", {"file": file}), WIDE)
    assert persons.scores == pytest.approx([0.81, 0.49])


def test_nanodet_answers_are_decoded(tmp_path):
    """One person, whose box is 2, 1, 3 and 4 strides from the middle of the cell in column 3 and row 2 of stride 16."""
    outputs = {}
    for stride, count in ((8, 64), (16, 16), (32, 4)):
        outputs[f"scores{stride}"] = np.zeros((1, count, 80), np.float32)
        outputs[f"bins{stride}"] = np.zeros((1, count, 32), np.float32)
    outputs["scores16"][0, 11, 0] = 0.9
    outputs["scores8"][0, 0, 1] = 0.9  # of another class
    outputs["bins16"][0, 11].reshape(4, 8)[range(4), (2, 1, 3, 4)] = 50
    file = constant_network(tmp_path / "a.onnx", outputs)
    [persons] = found(detectors.make("nanodet", {"file": file}), WIDE)
    x, y = 3 * 16 + 7.5, 2 * 16 + 7.5
    assert persons.boxes == pytest.approx(2 * np.array([[x - 32, y - 16, x + 48, y + 64]]), abs=1e-3)
    assert persons.scores == pytest.approx([0.9])


SHARED = Path(__file__).parents[3] / "shared"
CLIP = SHARED / "hamilton/short_hamilton_clip.mp4"
REAL = {"yolox": SHARED / "models/yolox_nano.onnx", "nanodet": SHARED / "models/nanodet_m.onnx"}


@pytest.mark.parametrize("kind", REAL)
@pytest.mark.skipif(not CLIP.exists(), reason="needs ../shared with detectors and a film clip")
def test_a_real_file_sees_the_people_of_a_real_film(kind):
    with Film(CLIP) as film:
        first = find_persons(film, detectors.make(kind, {"file": REAL[kind]}), 5, end=1).to_pylist()[0]
    assert first["score"] > 0.6
    assert overlap(np.array([first["box"]]), np.array([[393, 30, 607, 356]])) > 0.85


DETR_INPUTS = [("images", [1, 3, SIDE, SIDE], TensorProto.FLOAT), ("orig_target_sizes", [1, 2], TensorProto.INT64)]


def test_detr_answers_with_labels_boxes_and_scores(tmp_path):
    outputs = {
        "labels": np.array([[1, 0, 0]]),
        "boxes": np.array([[[0, 0, 5, 5], [1, 2, 30, 40], [3, 4, 50, 60]]], np.float32),
        "scores": np.array([[0.9, 0.3, 0.8]], np.float32),
    }
    file = constant_network(tmp_path / "a.onnx", outputs, DETR_INPUTS)
    [persons] = found(detectors.make("detr", {"file": file}), WIDE)
    assert persons.boxes.tolist() == [[3, 4, 50, 60], [1, 2, 30, 40]]
    assert persons.scores == pytest.approx([0.8, 0.3])


def test_a_detr_file_with_a_fixed_batch_gets_whole_batches(tmp_path):
    boxes = np.array([[[0, 0, 5, 5]], [[1, 1, 9, 9]]], np.float32)
    outputs = {"scores": np.array([[0.9], [0.8]], np.float32), "labels": np.array([[0], [0]]), "boxes": boxes}
    inputs = [("images", [2, 3, SIDE, SIDE], TensorProto.FLOAT), ("sizes", [2, 2], TensorProto.INT64)]
    detector = detectors.make("detr", {"file": constant_network(tmp_path / "a.onnx", outputs, inputs)})
    assert [persons.boxes.tolist() for persons in found(detector, WIDE, WIDE, WIDE)] == [
        [[0, 0, 5, 5]],
        [[1, 1, 9, 9]],
        [[0, 0, 5, 5]],
    ]


def test_detr_answers_with_logits_in_shares_of_the_picture(tmp_path):
    logits = np.full((1, 2, 91), -9, np.float32)
    logits[0, 1, 1] = 0
    outputs = {"dets": np.array([[[0.5] * 4, [0.5, 0.5, 0.25, 0.5]]], np.float32), "labels": logits}
    file = constant_network(tmp_path / "a.onnx", outputs)
    [persons] = found(detectors.make("detr", {"file": file, "person": 1}), WIDE)
    assert persons.boxes.tolist() == [[48, 24, 80, 72]]
    assert persons.scores == pytest.approx([0.5])


def test_a_person_of_detr_is_more_probable_than_nothing(tmp_path):
    logits = np.full((1, 2, 92), -9, np.float32)
    logits[0, :, 1] = 3
    logits[0, 1, 91] = 8  # nothing
    outputs = {"logits": logits, "pred_boxes": np.full((1, 2, 4), 0.5, np.float32)}
    file = constant_network(tmp_path / "a.onnx", outputs)
    [persons] = found(detectors.make("detr", {"file": file, "person": 1}), WIDE)
    assert persons.scores == pytest.approx([1.0], abs=1e-3)


@pytest.mark.parametrize("kind", ["yolox", "nanodet", "detr"])
def test_a_file_of_another_kind_is_refused(tmp_path, kind):
    file = constant_network(tmp_path / "a.onnx", {"output": np.zeros((1, 7), np.float32)})
    with pytest.raises(InputError, match=r"a\.onnx: .*(was expected|of no known form)"):
        found(detectors.make(kind, {"file": file}), WIDE)


@pytest.mark.parametrize("kind", ["yolox", "nanodet", "detr"])
def test_a_missing_file_is_refused(tmp_path, kind):
    with pytest.raises(InputError, match="the model file is missing"):
        detectors.make(kind, {"file": tmp_path / "a.onnx"})


def test_an_unknown_detector_is_refused():
    with pytest.raises(InputError, match="there are: detr, faces, nanodet, ssdlite, torchvision, yolox"):
        detectors.make("hog", {})


def test_a_torchvision_detector_reads_its_file_from_disk(tmp_path):
    torch = pytest.importorskip("torch")
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large  # noqa: PLC0415

    name = "ssdlite320_mobilenet_v3_large"
    torch.save(ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None).state_dict(), tmp_path / "a.pth")
    detector = detectors.make("torchvision", {"name": name, "file": tmp_path / "a.pth"})
    [persons] = found(detector, WIDE)
    assert persons.boxes.shape == (len(persons.scores), 4)
    with pytest.raises(InputError, match=r"a\.pth: not the weights of fasterrcnn_resnet50_fpn"):
        detectors.make("torchvision", {"name": "fasterrcnn_resnet50_fpn", "file": tmp_path / "a.pth"})


def test_weights_other_than_those_that_torchvision_has_published_are_refused(tmp_path, monkeypatch):
    weights = pytest.importorskip("castsearch.film.torchvision_weights")
    (tmp_path / "net-01234567.pth").write_text("Sign in")
    published = SimpleNamespace(DEFAULT=SimpleNamespace(url=(tmp_path / "net-01234567.pth").as_uri()))
    monkeypatch.setattr(weights, "get_model_weights", lambda name: published)
    with pytest.raises(InputError, match=r"net-01234567\.pth: what came is not the file of that name; fetch it"):
        weights.download_weights("net", tmp_path / "models/net.pth")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_person_is_grown_from_a_face():
    [box] = grow(np.array([[100, 50, 120, 80]], np.float32))
    assert box.tolist() == [80, 32, 140, 215]


def test_batches_keep_all_items():
    assert list(batched(range(5), 2)) == [[0, 1], [2, 3], [4]]


def by_number(images):
    """As many boxes as the number that a frame shows; one of them leaves the frame, one is outside."""
    for image in images:
        number = int(image[0, -8:].mean() > 127)
        boxes = np.array([[10, 20, 500, 60], [300, 0, 400, 90]], np.float32)[: 2 * number]
        yield Boxes(boxes, np.array([0.9, 0.8], np.float32)[: 2 * number])


@pytest.fixture
def film(tmp_path):
    return write(tmp_path / "a.mp4", [numbered(number) for number in range(20)], rate=10)


def test_boxes_are_clipped_to_their_frame(film):
    with Film(film) as opened:
        table = find_persons(opened, PersonDetector(by_number, 0.5), 10)
    assert table["time"].to_pylist() == [n / 10 for n in range(1, 20, 2)]
    assert table["box"].to_pylist() == [[10, 20, 128, 60]] * 10
    assert table["whole"].to_pylist() == [[10, 20, 500, 60]] * 10
    assert (table["width"][0].as_py(), table["height"][0].as_py()) == (128, 96)
    facts = {b"samples": b"20", b"damaged": b"0", b"certain_score": b"0.5", b"rate": b"10", b"least_colours": b"0.75"}
    facts[b"sees_backs"] = b"1"
    assert table.schema.metadata == facts


def test_clothes_of_the_same_colours_are_alike_at_any_size():
    red, green, near = (np.full((40, 30, 3), 128, np.uint8) for _ in range(3))
    red[12:], green[12:], near[12:] = (250, 0, 0), (0, 120, 0), (250, 0, 0)
    near = near.repeat(3, axis=0).repeat(3, axis=1)
    worn = [colours.clothes(person).astype(float) for person in (red, green, near)]
    assert worn[0].shape == (colours.CLOTHES_LENGTH,)
    np.testing.assert_allclose(worn[0] @ np.array(worn).T, [1, 0, 1], atol=1e-3)


def test_the_same_colours_are_alike_and_others_are_not():
    red, blue = (np.full((90, 60, 3), colour, np.uint8) for colour in ((200, 30, 30), (30, 30, 200)))
    image = np.concatenate([red, blue, red], axis=1)
    boxes = np.array([[0, 0, 60, 90], [60, 0, 120, 90], [130, 10, 170, 80], [0, 0, 1, 1]], np.float32)
    similarities = colours.describe(image, boxes).astype(float) @ colours.describe(image, boxes[:1]).astype(float).T
    assert similarities[[0, 2, 3], 0] == pytest.approx([1, 1, 1], abs=1e-3)
    assert similarities[1, 0] < 0.6


def test_parts_have_the_boxes_of_one_pass(film):
    with Film(film) as opened:
        whole = find_persons(opened, PersonDetector(by_number, 0.5), 10).to_pylist()
        parts = [find_persons(opened, PersonDetector(by_number, 0.5), 10, *part) for part in ((0, 0.75), (0.75, None))]
    assert list(chain.from_iterable(part.to_pylist() for part in parts)) == whole


@pytest.mark.parametrize(("rate", "count"), [(10, 7), (3.2, 3)])
def test_parts_of_whole_seconds_have_the_boxes_of_one_pass_by_a_detector_that_looks_again(film, rate, count):
    def look_again(image, found):
        there = number_of(image) in {0, 1, 2, 5, 6, 7, 13, 15}
        return next(by_number([np.full_like(image, 255)])) if there else found

    nobody = Boxes(np.empty((0, 4), np.float32), np.empty(0, np.float32))
    detector = PersonDetector(lambda images: (nobody for _ in images), 0.5, look_again=look_again)
    with Film(film) as opened:
        whole = find_persons(opened, detector, rate).to_pylist()
        parts = [find_persons(opened, detector, rate, *part).to_pylist() for part in ((0, 1), (1, None))]
    assert len(whole) == count
    assert parts[0] + parts[1] == whole


@pytest.mark.parametrize(
    ("there", "looked"),
    [({2}, [0, 5, 10, 15]), ({0, 3}, [*range(5), 5, 10, 15]), ({5}, [0, *range(5, 10), 10, 15])],
)
def test_a_detector_looks_again_in_all_of_a_half_second_that_begins_with_more(film, there, looked):
    boxes = [
        Boxes(np.full((count, 4), [1, 2, 30, 40], np.float32), np.full(count, 0.9, np.float32)) for count in (0, 1)
    ]
    numbers = []

    def look_again(image, found):
        numbers.append(number_of(image))
        return boxes[1] if numbers[-1] in there else found

    detector = PersonDetector(lambda images: (boxes[0] for _ in images), 0.5, look_again=look_again)
    with Film(film) as opened:
        table = find_persons(opened, detector, 10)
    assert numbers == looked
    assert table["time"].to_pylist() == [number / 10 for number in sorted(there & set(looked))]


def test_a_film_without_persons_has_an_empty_table(film):
    none = Boxes(np.empty((0, 4), np.float32), np.empty(0, np.float32))
    with Film(film) as opened:
        table = find_persons(opened, PersonDetector(lambda images: (none for _ in images), 0.5), 10)
    assert len(table) == 0


def test_numbers_that_are_not_finite_are_refused(film):
    wrong = Boxes(np.full((1, 4), np.nan, np.float32), np.ones(1, np.float32))
    with Film(film) as opened, pytest.raises(InputError, match="not finite"):
        find_persons(opened, PersonDetector(lambda images: (wrong for _ in images), 0.5), 10)
