import numpy as np
import onnxruntime
import pytest
from factories.mxnet_checkpoints import filled_checkpoint

from castsearch.faces.mxnet.importing import build_onnx
from castsearch.faces.networks.retinaface import OUTPUT_CHANNELS, decode, detect, pyramid_scales


@pytest.fixture(scope="module")
def network(golden):
    model = build_onnx(*filled_checkpoint(golden, "M25"))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"data": images})


@pytest.fixture(scope="module")
def reference(golden):
    return np.load(golden / "detect_M25.npz")


def detect_case(network, reference, case, mirror=False, threshold=None):
    image = np.ascontiguousarray(reference[f"case{case}_image"][:, :, ::-1])  # BGR there
    threshold = float(reference[f"case{case}_threshold"]) if threshold is None else threshold
    return detect(network, image, reference[f"case{case}_scales"].tolist(), threshold, mirror=mirror)


@pytest.mark.parametrize("case", range(3))
@pytest.mark.parametrize("mirror", [False, True])
def test_detector_equals_the_reference(network, reference, case, mirror):
    faces = detect_case(network, reference, case, mirror)
    name = f"case{case}_flip_" if mirror else f"case{case}_"
    boxes, landmarks = reference[f"{name}boxes"], reference[f"{name}landmarks"]
    found = np.concatenate([faces.boxes, faces.landmarks.reshape(-1, 10)], axis=1)
    expected = np.concatenate([boxes[:, :4], landmarks.reshape(-1, 10)], axis=1)
    distances = np.abs(found[:, None] - expected).max(axis=2)
    place = distances.argmin(axis=0)
    there = distances.min(axis=0) < 0.01
    # The runtimes round differently: boxes whose scores are equal to that precision may change places, and where two
    # such overlap, either may suppress the other, which happens in the mirrored images.
    np.testing.assert_allclose(faces.scores, boxes[:, 4], atol=2e-7)
    np.testing.assert_allclose(faces.scores[place[there]], boxes[there, 4], atol=2e-7)
    assert len(set(place[there])) == there.sum() >= len(boxes) - 2 * mirror


def test_lower_threshold_only_adds_faces(network, reference):
    few = detect_case(network, reference, 1)
    many = detect_case(network, reference, 1, threshold=0.48)
    assert len(many.scores) > len(few.scores)
    np.testing.assert_array_equal(many.boxes[: len(few.boxes)], few.boxes)


def test_image_without_a_face_has_none(network):
    faces = detect(network, np.zeros((40, 30, 3), np.uint8), [1.0], 0.9)
    assert [part.shape for part in faces] == [(0, 4), (0,), (0, 5, 2)]


@pytest.mark.parametrize("shape", [(1, 2160), (1920, 1)])
def test_sliver_that_a_scale_leaves_nothing_of_has_no_face_there(network, shape):
    scale = pyramid_scales(*shape, [500])
    faces = detect(network, np.full((*shape, 3), 100, np.uint8), scale, 0)
    assert [part.shape for part in faces] == [(0, 4), (0,), (0, 5, 2)]


def test_pyramid_of_the_seed():
    # The long side of a 300x700 crop is the limit: 1200 / 700 for the size of 800.
    np.testing.assert_allclose(pyramid_scales(700, 300), np.array([500, 800, 1100, 1400, 1700]) / 800 * 1200 / 700)
    np.testing.assert_allclose(pyramid_scales(400, 500, [800]), [2])


def cells(height, width):
    """Outputs for an image in which nothing is found."""
    shapes = [(height // stride, width // stride) for stride in (32, 16, 8)]
    return [np.zeros((channels, *shape), np.float32) for shape in shapes for channels in (4, 8, 20)]


def test_anchor_without_deltas_is_centred_on_its_cell():
    outputs = cells(64, 64)
    outputs[3][2, 1, 3] = 0.9  # stride 16, the larger anchor of 128 pixels, row 1, column 3
    outputs[6][3, 0, 0] = 0.8  # stride 8, the smaller anchor of 16 pixels, in the corner
    boxes, scores, landmarks = decode(outputs, 0.5)
    np.testing.assert_allclose(boxes, [[55.5 - 63.5, 23.5 - 63.5, 55.5 + 63.5, 23.5 + 63.5], [0, 0, 15, 15]])
    np.testing.assert_allclose(scores, [0.9, 0.8])
    np.testing.assert_allclose(landmarks, np.tile(np.reshape([(55.5, 23.5), (7.5, 7.5)], (2, 1, 2)), (1, 5, 1)))


def test_deltas_are_in_units_of_the_anchor():
    outputs = cells(32, 32)
    outputs[6][2, 0, 0] = 0.9  # the anchor of 32 pixels around (7.5, 7.5)
    outputs[7][:4, 0, 0] = [0.5, 0.25, 0, np.log(2)]
    outputs[8][:2, 0, 0] = [-0.5, 1]
    boxes, _, landmarks = decode(outputs, 0.5)
    np.testing.assert_allclose(boxes, [[23.5 - 15.5, 15.5 - 31.5, 23.5 + 15.5, 15.5 + 31.5]], rtol=1e-5)
    np.testing.assert_allclose(landmarks[0, 0], [7.5 - 16, 7.5 + 32])


def test_scores_that_are_no_numbers_are_not_taken_for_no_face():
    outputs = [np.full((channels, 2, 2), np.nan, np.float32) for channels in OUTPUT_CHANNELS]
    with pytest.raises(FloatingPointError, match="scores"):
        decode(outputs, 0.5)
