import hashlib
import json
import pickle
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from factories import mxnet_checkpoints
from factories.onnx_models import (
    LANDMARKS,
    halve,
    save,
    with_face,
    write_detector,
    write_maps,
    write_pack,
    write_recogniser,
)
from onnx import helper, numpy_helper

from castsearch.errors import InputError
from castsearch.faces.alignment import align, box_chip, centre_chip
from castsearch.faces.engine import Face, identity
from castsearch.faces.engines import insightface
from castsearch.faces.engines.insightface import surround
from castsearch.faces.mxnet.importing import import_checkpoint
from castsearch.onnx import runtime

POINTS = np.array([(180, 100), (220, 100), (200, 125), (185, 150), (215, 150)], np.float32)
OWN = {"size": 112, "channels": "bgr", "mean": 100, "scale": 0.01}


@pytest.fixture
def pack(tmp_path):
    return write_pack(tmp_path / "pack")


def engine(pack, **options):
    return insightface.make({"pack": pack, "side": 320} | options)


def run(path, images):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"image": images})[0]


def test_face_is_found_where_it_is(pack):
    (faces,) = engine(pack).detect([with_face(320, 100, 18, 64, 32)])
    np.testing.assert_allclose(faces.boxes, [[18, 64, 50, 96]])
    np.testing.assert_allclose(faces.landmarks, [(18, 64) + 32 * LANDMARKS])
    assert faces.scores == pytest.approx(1 / (1 + np.exp(-4)), abs=0.01)


def test_face_that_fills_the_picture_is_found(pack):
    (faces,) = engine(pack).detect([with_face(96, 96, 0, 0, 96)])
    np.testing.assert_allclose([faces.boxes[:, :2].min(axis=0), faces.boxes[:, 2:].max(axis=0)], [[0, 0], [96, 96]])


def test_image_without_a_face_has_none(pack):
    (faces,) = engine(pack).detect([np.zeros((50, 40, 3), np.uint8)])
    assert [part.shape for part in faces] == [(0, 4), (0,), (0, 5, 2)]


@pytest.mark.parametrize(
    ("height", "width", "shown"),
    [(100, 100, (64, 64)), (400, 100, (160, 40)), (1000, 4000, (40, 160)), (4, 2000, (1, 160))],
)
def test_surroundings_leave_a_face_at_most_two_fifths(height, width, shown):
    square, scale, (left, top) = surround(np.full((height, width, 3), 9, np.uint8), 160, whole=True)
    assert square.shape == (160, 160, 3)
    assert (square[top : top + shown[0], left : left + shown[1]] == 9).all()
    assert square.sum() == 9 * 3 * shown[0] * shown[1]
    np.testing.assert_allclose(scale, [shown[1] / width, shown[0] / height])


def test_only_as_much_of_the_square_is_looked_at_as_the_image_needs():
    looked_at, scale, offset = surround(np.full((320, 90, 3), 9, np.uint8), 160)
    assert looked_at.shape == (160, 64, 3)
    assert (looked_at[:, offset[0] : offset[0] + 45] == 9).all()
    np.testing.assert_allclose(scale, 0.5)


def test_detector_of_a_fixed_size_gets_the_whole_square(pack):
    model = onnx.load(pack / "det_10g.onnx")
    for length in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        length.dim_value = 320
    onnx.save(model, pack / "det_10g.onnx")
    (faces,) = engine(pack).detect([with_face(320, 100, 18, 64, 32)])
    np.testing.assert_allclose(faces.boxes, [[18, 64, 50, 96]])


def test_face_in_a_large_crop_is_found_where_it_is(pack):
    (faces,) = engine(pack).detect([with_face(2560, 800, 144, 512, 256)])
    np.testing.assert_allclose(faces.boxes, [[144, 512, 400, 768]])


def test_feature_is_that_of_the_aligned_face(pack, collins):
    found, faceless = engine(pack).embed([(collins, Face(np.zeros(4), POINTS)), (collins, None)])
    for feature, chip in ((found, align(collins, POINTS)), (faceless, centre_chip(collins))):
        images = (chip.transpose(2, 0, 1)[None] - np.float32(127.5)) / np.float32(127.5)
        np.testing.assert_allclose(feature, run(pack / "w600k_r50.onnx", images)[0], rtol=1e-4, atol=1e-4)


def test_face_whose_landmarks_coincide_is_cut_by_its_box(pack, collins):
    box = np.array([160, 60, 240, 170], np.float32)
    (feature,) = engine(pack).embed([(collins, Face(box, np.full((5, 2), 200, np.float32)))])
    images = (box_chip(collins, box).transpose(2, 0, 1)[None] - np.float32(127.5)) / np.float32(127.5)
    np.testing.assert_allclose(feature, run(pack / "w600k_r50.onnx", images)[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_own_recogniser_gets_what_its_description_says(pack, tmp_path, collins, batch):
    write_recogniser(tmp_path / "ada.onnx", batch)
    own = engine(pack, recogniser=OWN | {"file": tmp_path / "ada.onnx"})
    features = list(own.embed([(collins, Face(np.zeros(4), POINTS)), (collins, None)]))
    images = (align(collins, POINTS)[:, :, ::-1].transpose(2, 0, 1)[None] - np.float32(100)) * np.float32(0.01)
    assert len(features) == 2
    write_recogniser(tmp_path / "any.onnx")
    np.testing.assert_allclose(features[0], run(tmp_path / "any.onnx", images)[0], rtol=1e-4, atol=1e-4)
    assert own.dimension == 8


@pytest.mark.parametrize("batch", [1, 2])
def test_fixed_batch_of_the_pack_s_recogniser_is_filled_up(pack, collins, batch):
    samples = [(np.roll(collins, 20 * shift, axis=1), None) for shift in range(3)]
    expected = list(engine(pack).embed(samples))
    write_recogniser(pack / "w600k_r50.onnx", batch)
    np.testing.assert_allclose(list(engine(pack).embed(samples)), expected, rtol=1e-4, atol=1e-4)


def test_recogniser_that_takes_one_face_at_a_time_only_is_used_as_it_is(pack, collins, caplog):
    caplog.set_level("INFO")
    (expected,) = engine(pack).embed([(collins, None)])
    write_recogniser(pack / "w600k_r50.onnx", 1)
    model = onnx.load(pack / "w600k_r50.onnx")
    flatten = next(node for node in model.graph.node if node.op_type == "Flatten")
    flatten.op_type = "Reshape"
    del flatten.attribute[:]
    flatten.input.append("one row")
    model.graph.initializer.append(numpy_helper.from_array(np.int64([1, -1]), "one row"))
    onnx.save(model, pack / "w600k_r50.onnx")
    features = list(engine(pack).embed([(collins, None)] * 3))
    np.testing.assert_allclose(features, [expected] * 3, rtol=1e-4, atol=1e-4)
    assert "takes any number of faces was expected" in caplog.text


def test_larger_chip_is_the_same_face_larger(collins):
    small, large = align(collins, POINTS), align(collins, POINTS, 224)
    # What the first pixel of a chip shows is in both the same point of the image.
    np.testing.assert_allclose(large[::2, ::2].astype(float).mean(), small.astype(float).mean(), rtol=0.01)
    assert np.corrcoef(large[::2, ::2].ravel(), small.ravel())[0, 1] > 0.99


def test_only_detector_and_recogniser_are_opened_and_nothing_is_unpickled(pack, monkeypatch, collins):
    def refuse(*_):
        raise AssertionError

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    made = engine(pack)
    list(made.detect([collins]))
    list(made.embed([(collins, None)]))
    assert [model["file"] for model in identity(made)["models"]] == ["det_10g.onnx", "w600k_r50.onnx"]


def test_checksum_is_recorded(pack):
    shown = identity(engine(pack))
    assert shown["models"][0]["sha256"] == hashlib.sha256((pack / "det_10g.onnx").read_bytes()).hexdigest()


@pytest.mark.parametrize("gpu", [False, True])
def test_log_says_on_which_device_each_network_runs(pack, tmp_path, monkeypatch, caplog, gpu):
    caplog.set_level("INFO")
    monkeypatch.setattr(runtime, "torch_has_gpu", lambda: gpu)
    write_recogniser(tmp_path / "own.onnx")
    made = engine(pack, recogniser=OWN | {"file": tmp_path / "own.onnx"})
    list(made.detect([np.zeros((50, 40, 3), np.uint8)]))
    made.embed([])
    said = caplog.text
    assert "det_10g.onnx: in ONNX Runtime, on the CPU" in said
    assert "own.onnx: in ONNX Runtime, on the CPU" in said
    assert ("install onnxruntime-gpu" in said) == gpu


def write_manifest(pack, **detection):
    tasks = {"detection": {"file": "det_10g.onnx"} | detection, "recognition": {"file": "w600k_r50.onnx"}}
    manifest = {"manifest_version": 2, "model_id": "small", "tasks": tasks, "license": "MODEL.LICENSE"}
    (pack / "manifest.json").write_text(json.dumps(manifest))


def test_manifest_of_a_pack_is_followed(pack):
    write_detector(pack / "another.onnx")  # which is then no matter
    write_manifest(pack)
    (faces,) = engine(pack).detect([with_face(320, 100, 18, 64, 32)])
    assert len(faces.scores) == 1


def test_file_that_the_manifest_does_not_mean_is_refused(pack):
    write_manifest(pack, sha256="0" * 64)
    with pytest.raises(InputError, match=r"det_10g\.onnx: .* sha256 .* is expected"):
        engine(pack)


def test_missing_folder_is_named_with_its_remedy(tmp_path):
    with pytest.raises(InputError, match=r"none: the folder of face models is missing; unpack an insightface pack"):
        engine(tmp_path / "none")


@pytest.mark.parametrize("length", [0, 1000, -1000])
def test_truncated_network_is_refused(pack, length, collins):
    content = (pack / "det_10g.onnx").read_bytes()
    (pack / "det_10g.onnx").write_bytes(content[:length])
    with pytest.raises(InputError, match=r"pack.*(truncated|no face detector)"):
        list(engine(pack).detect([collins]))


def write_restorer(path):
    """Write a network from a square image to another, as programs that mend or swap faces have."""
    nodes = [helper.make_node("Identity", ["image"], ["mended"])]
    save(path, nodes, {}, {"image": [1, 3, 512, 512]}, {"mended": [1, 3, 512, 512]})


def test_what_else_lies_in_a_folder_is_ignored_with_a_line_in_the_log(pack, caplog):
    caplog.set_level("INFO")
    detector = (pack / "det_10g.onnx").read_bytes()
    (pack / "1k3d68.onnx").write_bytes((pack / "1k3d68.onnx").read_bytes()[:-100])
    (pack / "page.onnx").write_text("<!DOCTYPE html><title>Sign in</title>")
    (pack / "pointer.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 17\n")
    (pack / "empty.onnx").touch()
    (pack / "._det_10g.onnx").write_bytes(detector)
    (pack / ".ipynb_checkpoints").mkdir()
    (pack / ".ipynb_checkpoints/det_10g-checkpoint.onnx").write_bytes(detector)
    write_restorer(pack / "GFPGANv1.4.onnx")
    write_maps(pack / "nanodet.onnx")
    made = engine(pack)
    assert [model.path.name for model in made.models] == ["det_10g.onnx", "w600k_r50.onnx"]
    said = dict(record.getMessage().removeprefix(f"{pack}/").split(": ", 1) for record in caplog.records)
    hidden = "ignored: a hidden file, such as programs keep beside others"
    unreadable = "ignored: no ONNX network: truncated, or of another kind"
    other = "ignored: neither detects nor recognises faces, by its inputs and outputs"
    assert said == {
        "._det_10g.onnx": hidden,
        ".ipynb_checkpoints/det_10g-checkpoint.onnx": hidden,
        "1k3d68.onnx": unreadable,
        "page.onnx": unreadable,
        "pointer.onnx": unreadable,
        "empty.onnx": other,
        "GFPGANv1.4.onnx": other,
        "genderage.onnx": other,
        "nanodet.onnx": "ignored: no SCRFD with landmarks",
        "det_10g.onnx": "taken for detection",
        "w600k_r50.onnx": "taken for recognition",
    }


def test_a_detector_that_cannot_be_read_is_named_where_no_other_is_there(pack):
    (pack / "det_10g.onnx").write_bytes((pack / "det_10g.onnx").read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"no face detector; det_10g\.onnx is no ONNX network: truncated, .*; unpack"):
        engine(pack)


def write_normalising(path, *nodes):
    """Write the recogniser of a pack with nodes before it that normalise its input; their names say nothing."""
    write_recogniser(path)
    model = onnx.load(path)
    tensor = "image"
    for number, (op, value) in enumerate(nodes):
        constant = numpy_helper.from_array(np.float32(value), f"value {number}")
        model.graph.initializer.append(constant)
        model.graph.node.insert(number, helper.make_node(op, [tensor, constant.name], [f"step {number}"]))
        tensor = f"step {number}"
    model.graph.node[len(nodes)].input[0] = tensor
    onnx.save(model, path)


def raw_feature(path, collins):
    return run(path, centre_chip(collins).transpose(2, 0, 1)[None].astype(np.float32))[0]


@pytest.mark.parametrize(
    ("nodes", "begin"),
    [
        ([("Sub", 127.5), ("Mul", 0.01)], "a shift by 127.5"),
        ([("Mul", 0.01), ("Sub", 1)], "a multiplication by 0.01"),
        ([("Div", 128), ("Add", -1)], "a division by 128"),
    ],
)
def test_a_recogniser_whose_graph_normalises_is_not_normalised_twice(pack, collins, caplog, nodes, begin):
    caplog.set_level("INFO")
    write_normalising(pack / "w600k_r50.onnx", *nodes)
    (feature,) = engine(pack).embed([(collins, None)])
    np.testing.assert_allclose(feature, raw_feature(pack / "w600k_r50.onnx", collins), rtol=1e-4, atol=1e-4)
    assert f"gets (value - 0) / 1 of values of 0 to 255, since its graph begins with {begin}" in caplog.text


def test_a_recogniser_that_begins_with_a_batch_normalisation_of_raw_values_gets_them(pack, caplog):
    caplog.set_level("INFO")
    write_recogniser(pack / "w600k_r50.onnx")
    model = onnx.load(pack / "w600k_r50.onnx")
    statistics = {"gamma": 1, "beta": 0, "mean": 110, "variance": 60**2}
    model.graph.initializer.extend(
        numpy_helper.from_array(np.full(3, value, np.float32), name) for name, value in statistics.items()
    )
    model.graph.node.insert(0, helper.make_node("BatchNormalization", ["image", *statistics], ["normalised"]))
    model.graph.node[1].input[0] = "normalised"
    onnx.save(model, pack / "w600k_r50.onnx")
    engine(pack).embed([])
    assert "gets (value - 0) / 1" in caplog.text
    assert "begins with a batch normalisation of values about 110" in caplog.text


def test_the_normalisation_of_an_ordinary_recogniser_is_in_the_log(pack, caplog):
    caplog.set_level("INFO")
    engine(pack).embed([])
    assert (
        "w600k_r50.onnx: gets (value - 127.5) / 127.5 of values of 0 to 255, as InsightFace's networks" in caplog.text
    )


def test_an_import_from_mxnet_in_a_pack_gets_raw_values(pack, collins):
    import_checkpoint(*mxnet_checkpoints.write_recogniser(pack), pack / "w600k_r50.onnx", (112, 112))
    (feature,) = engine(pack).embed([(collins, None)])
    session = onnxruntime.InferenceSession(pack / "w600k_r50.onnx", providers=["CPUExecutionProvider"])
    images = centre_chip(collins).transpose(2, 0, 1)[None].astype(np.float32)
    np.testing.assert_allclose(feature, session.run(None, {"data": images})[0][0], rtol=1e-4, atol=1e-4)


def test_the_user_may_say_how_the_pack_s_own_recogniser_is_fed(pack, collins):
    (feature,) = engine(pack, recogniser=OWN | {"channels": "rgb", "mean": 0, "scale": 1}).embed([(collins, None)])
    np.testing.assert_allclose(feature, raw_feature(pack / "w600k_r50.onnx", collins), rtol=1e-4, atol=1e-4)


def test_folder_without_detector_or_recogniser_is_refused(pack, collins):
    (pack / "w600k_r50.onnx").unlink()
    made = engine(pack)
    list(made.detect([collins]))
    with pytest.raises(InputError, match=r"pack: this folder holds no face recogniser; unpack"):
        made.embed([])
    (pack / "det_10g.onnx").unlink()
    with pytest.raises(InputError, match=r"pack: this folder holds no face detector; unpack"):
        engine(pack)


def test_two_detectors_are_not_chosen_from(pack):
    write_detector(pack / "another.onnx")
    with pytest.raises(InputError, match=r"another\.onnx and det_10g\.onnx both do detection"):
        engine(pack)


def test_detector_of_another_kind_is_refused(pack, collins):
    write_maps(pack / "det_10g.onnx")
    with pytest.raises(InputError, match=r"det_10g\.onnx: a face detector of insightface with landmarks was expected"):
        next(engine(pack).detect([collins]))


def test_detector_that_wants_several_images_at_once_is_refused(pack, collins):
    model = onnx.load(pack / "det_10g.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    onnx.save(model, pack / "det_10g.onnx")
    with pytest.raises(InputError, match=r"det_10g\.onnx: a face detector .* was expected, for an image at a time"):
        next(engine(pack).detect([collins]))


def test_pack_in_half_precision_is_refused(pack, collins):
    for name in ("det_10g.onnx", "w600k_r50.onnx"):
        halve(pack / name)
    made = engine(pack)
    with pytest.raises(InputError, match=r"det_10g\.onnx: .* in single precision was expected"):
        next(made.detect([collins]))
    with pytest.raises(InputError, match=r"w600k_r50\.onnx: .* in single precision was expected"):
        made.embed([])


@pytest.mark.parametrize("kind", ["half", "grey"])
def test_own_recogniser_of_another_input_is_refused(pack, kind):
    write_recogniser(pack / "own.onnx", channels=1 if kind == "grey" else 3)
    if kind == "half":
        halve(pack / "own.onnx")
    with pytest.raises(InputError, match=r"own\.onnx: a face recogniser .* of 3 channels .* in single precision"):
        engine(write_pack(pack.parent / "other"), recogniser=OWN | {"file": pack / "own.onnx"}).embed([])


@pytest.mark.parametrize("name", ["det_10g.onnx", "w600k_r50.onnx"])
def test_weights_in_another_file_are_refused(pack, collins, name):
    model = onnx.load(pack / name)
    onnx.save(model, pack / name, save_as_external_data=True, location="weights.data", size_threshold=0)
    made = engine(pack)
    with pytest.raises(InputError, match=rf"{name}: its weights are in weights\.data beside it; make it one file"):
        list(made.embed([(collins, None)]) if name == "w600k_r50.onnx" else made.detect([collins]))


def test_folder_with_the_name_of_a_network_is_none(pack):
    (pack / "a.onnx").mkdir()
    assert len(engine(pack).models) == 2


def test_own_recogniser_of_another_kind_is_refused(pack, collins):
    own = engine(pack, recogniser=OWN | {"file": pack / "genderage.onnx"})
    with pytest.raises(InputError, match=r"genderage\.onnx: a face recogniser from 112x112 .* not from .*96"):
        own.embed([(collins, None)])
    with pytest.raises(InputError, match=r"none\.onnx: the model file is missing"):
        engine(pack, recogniser=OWN | {"file": pack / "none.onnx"})


NOBODY = [
    "unshare",
    "--user",
    "--map-user=4242",
    "--map-group=4242",
    "env",
    "-u",
    "HOME",
    "-u",
    "USER",
    "-u",
    "LOGNAME",
]


@pytest.mark.skipif(subprocess.run([*NOBODY, "true"], check=False).returncode != 0, reason="user namespaces are off")
def test_a_pack_is_found_for_a_user_whom_the_system_does_not_know(tmp_path):
    plan = "from castsearch.faces.engines import insightface as engine; print(engine.plan({'pack': 'p', 'side': 64,"
    command = [*NOBODY, sys.executable, "-c", f"{plan} 'recogniser': None}}, 'models').detection_files)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "('models/p',)\n"
