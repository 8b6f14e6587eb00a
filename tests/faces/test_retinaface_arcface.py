import numpy as np
import onnx
import onnxruntime
import pytest
from factories.mxnet_checkpoints import filled_checkpoint, write_recogniser
from factories.onnx_models import halve
from factories.onnx_models import write_recogniser as write_fixed_recogniser

from castsearch.errors import InputError
from castsearch.faces.alignment import align, centre_chip
from castsearch.faces.engine import Face, identity
from castsearch.faces.engines import retinaface_arcface
from castsearch.faces.engines.retinaface_arcface import RetinaFaceArcFaceEngine
from castsearch.faces.mxnet.importing import build_onnx, import_checkpoint
from castsearch.faces.networks.retinaface import detect, pyramid_scales
from castsearch.onnx import network as onnx_network

LANDMARKS = np.array([(180, 100), (220, 100), (200, 125), (185, 150), (215, 150)], np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory, golden):
    """A detector with fixed weights and a small recogniser."""
    folder = tmp_path_factory.mktemp("models")
    onnx.save(build_onnx(*filled_checkpoint(golden, "M25")), folder / "detector.onnx")
    import_checkpoint(*write_recogniser(folder), folder / "recogniser.onnx", (112, 112))
    return {"detector": folder / "detector.onnx", "recogniser": folder / "recogniser.onnx"}


def run(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"data": images})


def test_detection_runs_over_the_pyramid(files, collins, hanks):
    engine = retinaface_arcface.make(files | {"pyramid": [50, 80]})
    for image, faces in zip([collins, hanks], engine.detect([collins, hanks]), strict=True):
        expected = detect(run(files["detector"]), image, pyramid_scales(*image.shape[:2], [50, 80]), 0.5)
        assert len(faces.scores) > 0
        np.testing.assert_allclose(faces.boxes, expected.boxes, atol=1e-3)


def test_feature_is_that_of_the_aligned_face_in_rgb(files, collins):
    face = Face(np.array([160, 60, 240, 170], np.float32), LANDMARKS)
    (found,) = retinaface_arcface.make(files).embed([(collins, face)])
    chip = align(collins, LANDMARKS).transpose(2, 0, 1)[None].astype(np.float32)
    np.testing.assert_allclose(found, run(files["recogniser"])(chip)[0][0], rtol=1e-4, atol=1e-4)


def test_features_keep_their_order_over_batches(files, collins):
    engine = retinaface_arcface.make(files)
    images = [np.roll(collins, 20 * shift, axis=1) for shift in range(20)]
    together = list(engine.embed((image, None) for image in images))
    for image, feature in list(zip(images, together, strict=True))[::6]:
        chip = centre_chip(image).transpose(2, 0, 1)[None].astype(np.float32)
        np.testing.assert_allclose(feature, run(files["recogniser"])(chip)[0][0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dimension", [128, 512])
def test_feature_may_have_any_length(files, tmp_path, collins, dimension):
    write_fixed_recogniser(tmp_path / "a.onnx", dimension=dimension)
    engine = retinaface_arcface.make(files | {"recogniser": tmp_path / "a.onnx"})
    (feature,) = engine.embed([(collins, None)])
    assert len(feature) == engine.dimension == dimension


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_recogniser_of_a_fixed_batch_gives_the_features_of_any(tmp_path, collins, batch):
    write_fixed_recogniser(tmp_path / "fixed.onnx", batch, dimension=512)
    write_fixed_recogniser(tmp_path / "any.onnx", dimension=512)
    found, expected = (
        list(
            retinaface_arcface.make({"detector": tmp_path / name, "recogniser": tmp_path / name}).embed(
                [(np.roll(collins, 20 * shift, axis=1), None) for shift in range(3)]
            )
        )
        for name in ("fixed.onnx", "any.onnx")
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def fixed(path, output, **sizes):
    """Write a network again with fixed sizes of its input, by position."""
    model = onnx.load(path)
    for position, size in sizes.items():
        model.graph.input[0].type.tensor_type.shape.dim[int(position[1:])].dim_value = size
    onnx.save(model, output)
    return output


def test_detector_of_a_fixed_batch_finds_the_faces_of_any(files, tmp_path, hanks):
    options = files | {"pyramid": [50]}
    detector = fixed(files["detector"], tmp_path / "fixed.onnx", d0=2)
    (expected,), (found,) = (
        retinaface_arcface.make(options | more).detect([hanks]) for more in ({}, {"detector": detector})
    )
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-3)


def test_network_for_images_of_another_size_is_refused_at_first_use(files, tmp_path, hanks):
    detector = fixed(files["detector"], tmp_path / "detector.onnx", d2=640, d3=640)
    write_fixed_recogniser(tmp_path / "recogniser.onnx", side=96, dimension=512)
    engine = retinaface_arcface.make({"detector": detector, "recogniser": tmp_path / "recogniser.onnx"})
    with pytest.raises(InputError, match=r"detector\.onnx: a RetinaFace network for images of any size was expected"):
        next(engine.detect([hanks]))
    with pytest.raises(InputError, match=r"recogniser\.onnx: an ArcFace network for images of 112x112 .* \[96, 96\]"):
        next(engine.embed([(hanks, None)]))


def test_network_in_half_precision_or_of_grey_images_is_refused_at_first_use(files, tmp_path, hanks):
    write_fixed_recogniser(tmp_path / "grey.onnx", dimension=512, channels=1)
    write_fixed_recogniser(tmp_path / "half.onnx", dimension=512)
    halve(tmp_path / "half.onnx")
    for name, found in (("grey", r"1 in tensor\(float\)"), ("half", r"3 in tensor\(float16\)")):
        engine = retinaface_arcface.make(files | {"recogniser": tmp_path / f"{name}.onnx"})
        with pytest.raises(InputError, match=rf"{name}\.onnx: an ArcFace network for images of 3 channels .*{found}"):
            next(engine.embed([(hanks, None)]))


def test_weights_in_another_file_are_refused_at_first_use(files, tmp_path, hanks):
    model = onnx.load(files["recogniser"])
    onnx.save(model, tmp_path / "a.onnx", save_as_external_data=True, location="a.onnx.data", size_threshold=0)
    engine = retinaface_arcface.make(files | {"recogniser": tmp_path / "a.onnx"})
    with pytest.raises(InputError, match=r"a\.onnx: its weights are in a\.onnx\.data beside it; make it one file"):
        next(engine.embed([(hanks, None)]))


def test_missing_model_is_named_with_its_remedy(files, tmp_path):
    with pytest.raises(InputError, match=r"none\.onnx: the model file is missing; .*import_mxnet"):
        retinaface_arcface.make(files | {"detector": tmp_path / "none.onnx"})


def test_truncated_model_is_refused_at_first_use(files, tmp_path, hanks):
    (tmp_path / "cut.onnx").write_bytes(files["detector"].read_bytes()[:-1000])
    engine = retinaface_arcface.make(files | {"detector": tmp_path / "cut.onnx"})
    with pytest.raises(InputError, match=r"cut\.onnx: a RetinaFace network was expected.*import_mxnet"):
        next(engine.detect([hanks]))


def test_model_of_another_kind_is_refused_at_first_use(files, hanks):
    engine = retinaface_arcface.make({"detector": files["recogniser"], "recogniser": files["detector"]})
    with pytest.raises(InputError, match=r"recogniser\.onnx: a RetinaFace network was expected.*not \[512\]"):
        next(engine.detect([hanks]))
    with pytest.raises(InputError, match=r"detector\.onnx: an ArcFace network was expected"):
        next(engine.embed([(hanks, None)]))


def test_provenance_names_both_files(files):
    shown = identity(retinaface_arcface.make(files))
    assert [model["file"] for model in shown["models"]] == ["detector.onnx", "recogniser.onnx"]


def answers(boxes, scores, image):
    """What a network gives for an image of 300x300, scaled, in which these are the faces."""
    _, _, height, width = image.shape
    shapes = [(height // stride, width // stride) for stride in (32, 16, 8)]
    outputs = [np.zeros((1, channels, *shape), np.float32) for shape in shapes for channels in (4, 8, 20)]
    for column, (box, score) in enumerate(zip(boxes, scores, strict=True)):
        # The anchor of 32 pixels in the first row of the finest map, around (7.5 + 8 * column, 7.5).
        scaled = np.reshape(box, (2, 2)) * width / 300
        middle, half = scaled.mean(axis=0), (scaled[1] - scaled[0]) / 2
        outputs[6][0, 2, 0, column] = score
        outputs[7][0, :2, 0, column] = (middle - (7.5 + 8 * column, 7.5)) / 32
        outputs[7][0, 2:4, 0, column] = np.log((2 * half + 1) / 32)
    return outputs


def adaptive_detection(monkeypatch, found):
    """Detect in a crop of 300x300 where each scale finds the given boxes; returns the faces and how many scales ran."""
    waiting = list(found)
    monkeypatch.setattr(onnx_network, "open_network", lambda *_, **__: lambda image: answers(*waiting.pop(0), image))
    engine = RetinaFaceArcFaceEngine(__file__, pyramid=[800, 500, 1100], adaptive=True)
    (faces,) = engine.detect([np.zeros((300, 300, 3), np.uint8)])
    return faces, len(found) - len(waiting)


OWN, ASIDE = [100, 60, 180, 160], [0, 60, 60, 160]
NOTHING = ([], [])


@pytest.mark.parametrize(
    ("first", "scales"),
    [
        (([OWN], [0.96]), 1),
        (([ASIDE, OWN], [0.99, 0.96]), 1),
        (([OWN], [0.94]), 3),  # too weak for a portrait that shows others too
        (([ASIDE], [0.99]), 3),  # somebody else's
        (([[100, 60, 120, 80]], [0.99]), 3),  # too small
        (NOTHING, 3),
    ],
)
def test_adaptive_pyramid_ends_with_a_face_that_selection_takes(monkeypatch, first, scales):
    faces, calls = adaptive_detection(monkeypatch, [first, NOTHING, NOTHING])
    assert calls == scales
    np.testing.assert_array_equal(np.sort(faces.scores), np.sort(np.float32(first[1])))


def test_adaptive_pyramid_goes_on_from_the_faces_it_has(monkeypatch):
    faces, calls = adaptive_detection(monkeypatch, [([OWN], [0.9]), ([OWN], [0.97]), ([ASIDE], [0.99])])
    assert calls == 2
    np.testing.assert_array_equal(faces.scores, np.float32([0.97]))


def test_adaptive_pyramid_without_a_face_equals_the_exact_one(files):
    blank = np.full((60, 40, 3), 128, np.uint8)
    exact, adaptive = (
        next(retinaface_arcface.make(files | {"pyramid": [50, 80], "adaptive": mode}).detect([blank]))
        for mode in (False, True)
    )
    for one, other in zip(exact, adaptive, strict=True):
        np.testing.assert_array_equal(one, other)
