import struct
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from factories import mxnet_dialects
from factories.mxnet_checkpoints import filled_checkpoint, symbol, write_params, write_recogniser
from insightface.model_zoo import ArcFaceONNX
from torch.nn import functional

from castsearch.errors import InputError
from castsearch.faces.mxnet.importing import build_onnx, import_checkpoint, read_params

DATA = Path(__file__).parent / "data"


def run(model, images):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"data": images.astype(np.float32)})


def assert_outputs_equal(outputs, reference, relative=1e-4):
    expected = [reference[f"output_{index}"] for index in range(len(outputs))]
    errors = [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(outputs, expected, strict=True)]
    assert [a.shape for a in outputs] == [b.shape for b in expected]
    assert max(errors) < relative


@pytest.mark.slow
@pytest.mark.parametrize(("network", "size"), [("M25", None), ("R50", None), ("arcface", (112, 112))])
def test_network_equals_the_reference(golden, network, size):
    reference = np.load(golden / f"network_{network}.npz")
    model = build_onnx(*filled_checkpoint(golden, network), size)
    assert [output.name for output in model.graph.output] == reference["names"].tolist()
    assert_outputs_equal(run(model, reference["data"]), reference)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["M25", "R50"])
def test_batch_of_odd_size_equals_mxnet(golden, network):
    # data/mxnet_*.npz are the outputs of MXNet 1.9.1 for these weights (seed 1) and images.
    images = np.random.RandomState(0).randint(0, 256, (2, 3, 75, 61))
    outputs = run(build_onnx(*filled_checkpoint(golden, network, seed=1)), images)
    assert_outputs_equal(outputs, np.load(DATA / f"mxnet_{network}.npz"))


def computes_rounded_up_windows_in_padding(name):
    """Whether a graph has pooling in which MXNet gives numbers for windows that lie in the padding alone."""
    _, *options = name.split(", ")
    if "full" not in options:
        return False
    kernel, stride, pad = map(int, options[:3])
    return stride + pad > kernel


@pytest.mark.parametrize("name", mxnet_dialects.GRAPHS)
def test_a_dialect_is_computed_as_mxnet_does_or_refused(name):
    graph, images = mxnet_dialects.GRAPHS[name], mxnet_dialects.images()
    if computes_rounded_up_windows_in_padding(name):
        with pytest.raises(InputError, match="node pool: Pooling with pooling_convention=full, and windows"):
            build_onnx(graph, mxnet_dialects.PARAMS, images.shape[2:])
        return
    model = build_onnx(graph, mxnet_dialects.PARAMS, images.shape[2:])
    expected = np.load(mxnet_dialects.OUTPUTS)
    names = [output.name for output in model.graph.output]
    assert names == [key.rpartition("/")[2] for key in expected if key.rpartition("/")[0] == name]
    for output, found in zip(names, run(model, images), strict=True):
        np.testing.assert_allclose(found, expected[f"{name}/{output}"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("own", ["scalars", "batch norm"])
def test_insightface_gives_an_import_values_that_are_not_normalised(tmp_path, own):
    if own == "scalars":
        begin = [
            ("_minus_scalar", "less", [0], {"scalar": "127.5"}),
            ("_mul_scalar", "part", [1], {"scalar": "0.0078"}),
        ]
    else:
        begin = [("null", name, [], {}) for name in ("gamma", "beta", "mean", "var")]
        begin.append(("BatchNorm", "bn", [0, 1, 2, 3, 4], {}))
    params = dict(zip(["gamma", "beta", "mean", "var"], parameters(4), strict=True))
    model = build_onnx(symbol(X, *begin, ("Flatten", "flat", [len(begin)], {})), params, (112, 112))
    onnx.save(model, tmp_path / "a.onnx")
    recogniser = ArcFaceONNX(str(tmp_path / "a.onnx"))
    assert (recogniser.input_mean, recogniser.input_std) == (0, 1)


def test_weights_are_no_inputs(golden):
    model = build_onnx(*filled_checkpoint(golden, "M25"))
    assert [node.name for node in model.graph.input] == ["data"]


X = ("null", "data", [], {})
IMAGES = np.random.default_rng(0).normal(size=(2, 3, 5, 7))


def parameters(count):
    rng = np.random.default_rng(1)
    return [rng.uniform(0.5, 1.5, 3).astype(np.float32) for _ in range(count)]


def batch_norm(**options):
    names = ["gamma", "beta", "mean", "var"]
    nodes = [("null", name, [], {}) for name in names]
    return symbol(X, *nodes, ("BatchNorm", "bn", [0, 1, 2, 3, 4], options)), dict(
        zip(names, parameters(4), strict=True)
    )


@pytest.mark.parametrize(
    ("options", "fixed"),
    [
        ({}, True),
        *(({"fix_gamma": value}, True) for value in ("True", "true", "1")),
        *(({"fix_gamma": value}, False) for value in ("False", "false", "0")),
    ],
)
def test_fixed_gamma_is_one_and_the_default(options, fixed):
    graph, params = batch_norm(eps="0.01", **options)
    gamma = np.ones(3) if fixed else params["gamma"]
    expected = functional.batch_norm(
        *(
            torch.tensor(array, dtype=torch.float64)
            for array in (IMAGES, params["mean"], params["var"], gamma, params["beta"])
        ),
        eps=0.01,
    )
    np.testing.assert_allclose(run(build_onnx(graph, params), IMAGES)[0], expected, rtol=1e-4, atol=1e-5)


def test_prelu_has_a_slope_per_channel():
    graph = symbol(X, ("null", "slope", [], {}), ("LeakyReLU", "relu", [0, 1], {"act_type": "prelu"}))
    (slope,) = parameters(1)
    expected = np.where(IMAGES > 0, IMAGES, IMAGES * slope[:, None, None])
    np.testing.assert_allclose(run(build_onnx(graph, {"slope": slope}), IMAGES)[0], expected, rtol=1e-5)


def test_upsampled_map_is_cropped_to_the_other():
    small = ("Pooling", "small", [0], {"kernel": "(3, 3)", "stride": "(2, 2)", "pad": "(1, 1)", "pool_type": "max"})
    large = ("UpSampling", "large", [1], {"scale": "2", "sample_type": "nearest", "num_args": "1"})
    graph = symbol(X, small, large, ("Crop", "crop", [2, 0], {"num_args": "2"}))
    pooled = functional.max_pool2d(torch.tensor(IMAGES), 3, 2, 1)
    expected = pooled.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :5, :7]
    np.testing.assert_allclose(run(build_onnx(graph, {}), IMAGES)[0], expected, rtol=1e-6)


def test_nodes_of_one_name_stay_apart():
    graph = symbol(
        X,
        ("_mul_scalar", "same", [0], {"scalar": "2"}),
        ("_minus_scalar", "same", [1], {"scalar": "1"}),
        ("elemwise_add", "same", [1, 2], {}),
    )
    np.testing.assert_allclose(run(build_onnx(graph, {}), IMAGES)[0], 4 * IMAGES - 1, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (("Deconvolution", "up", [0], {}), "node up: the operator Deconvolution is not known"),
        (("Activation", "act", [0], {"act_type": "tanh"}), "node act: Activation with act_type=tanh is not known"),
        (("LeakyReLU", "act", [0], {}), "act_type=leaky"),
        (("Pooling", "pool", [0], {"kernel": "(2, 2)", "pool_type": "sum"}), "pool_type=sum"),
        (("Pooling", "pool", [0], {"kernel": "(2, 2)", "pooling_convention": "same"}), "pooling_convention=same"),
        (("Pooling", "pool", [0], {"kernel": "(2, 2)", "layout": "NHWC"}), "layout=NHWC"),
        (("Pooling", "pool", [0], {"global_pool": "True", "pad": "(1, 1)"}), r"pad=\(1, 1\)"),
        (("Crop", "crop", [0, 0], {"num_args": "2", "offset": "[1, 0]"}), r"offset=\(1, 0\)"),
        (("SliceChannel", "slice", [0], {"num_outputs": "3", "squeeze_axis": "True"}), "squeeze_axis=True"),
        (("SoftmaxOutput", "prob", [0], {}), "an input of 4 dimensions"),
        (("Reshape", "shape", [0], {"shape": "(0, -4, 1, 3, -2)"}), r"shape=\(0, -4"),
        (("SoftmaxActivation", "prob", [0], {}), "mode=instance"),
    ],
)
def test_what_is_not_known_is_refused_by_name(node, message):
    with pytest.raises(InputError, match=message):
        build_onnx(symbol(X, node), {})


@pytest.mark.parametrize("key", ["attr", "param"])
def test_options_of_older_versions_are_read(key):
    graph = symbol(X, ("_mul_scalar", "twice", [0], {"scalar": "2"}))
    for node in graph["nodes"]:
        node[key] = node.pop("attrs")
    np.testing.assert_allclose(run(build_onnx(graph, {}), IMAGES)[0], 2 * IMAGES, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nodes": 3}, "not the graph"),
        ({"nodes": [{}]}, "not the graph"),
        ({"heads": []}, "its outputs must be"),
        ({"heads": [[0, 0, 0]]}, "its outputs must be"),
        ({"heads": [[1, 0, 0], [1, 0, 0]]}, "its outputs must be"),
        ({"heads": [[2, 0, 0]]}, "an output: node 2 is not among"),
        ({"heads": [[1, 1, 0]]}, "an output: takes a further output"),
    ],
)
def test_malformed_graph_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        build_onnx(symbol(X, ("_copy", "same", [0], {})) | change, {})


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([X, ("_copy", "same", [1], {})], "node same: node 1 is not among"),
        ([("null", "image", [], {}), ("_copy", "same", [0], {})], "its input is not named data"),
        ([X, ("_mul_scalar", "twice", [0], {})], r"node twice: _mul_scalar has other .* \('scalar'\)"),
        ([X, ("null", "other", [], {}), ("elemwise_add", "sum", [0, 1], {})], "makes no valid network"),
    ],
)
def test_malformed_node_is_refused(nodes, message):
    with pytest.raises(InputError, match=message):
        build_onnx(symbol(*nodes), {})


def test_missing_parameter_is_named():
    graph, params = batch_norm()
    del params["mean"]
    with pytest.raises(InputError, match="the parameter mean is missing"):
        build_onnx(graph, params)


def test_dense_layer_needs_the_input_size(tmp_path):
    with pytest.raises(InputError, match="dense layer"):
        import_checkpoint(*write_recogniser(tmp_path), tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_imported_file_takes_any_batch_and_names_its_sources(tmp_path):
    sources = write_recogniser(tmp_path)
    import_checkpoint(*sources, tmp_path / "out.onnx", (112, 112))
    model = onnx.load(tmp_path / "out.onnx")
    (one,), (three,) = (run(model, np.ones((batch, 3, 112, 112))) for batch in (1, 3))
    np.testing.assert_allclose(three, np.repeat(one, 3, axis=0), rtol=1e-5)
    assert [prop.key for prop in model.metadata_props] == [source.name for source in sources]


def test_params_that_mxnet_wrote_are_read():
    arrays = read_params(DATA / "mxnet-0000.params")
    expected = {
        "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "moving_mean": np.array([1.5, -2], np.float16),
        "indices": np.array([[7]], np.int64),
        "bytes": np.array([0, 255], np.uint8),
    }
    assert arrays.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array, strict=True)


@pytest.mark.parametrize("version", [None, 0xF993FAC8, 0xF993FAC9, 0xF993FACA])
def test_all_versions_of_params_are_read(tmp_path, version):
    array = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    write_params(tmp_path / "a.params", {"arg:a": array, "b": array[0]}, version)
    arrays = read_params(tmp_path / "a.params")
    np.testing.assert_array_equal(arrays["a"], array)
    np.testing.assert_array_equal(arrays["b"], array[0])


def test_params_that_are_cut_off_are_refused_wherever_it_is(tmp_path):
    content = (DATA / "mxnet-0000.params").read_bytes()
    for length in range(len(content)):
        (tmp_path / "cut.params").write_bytes(content[:length])
        with pytest.raises(InputError, match=r"cut\.params: (the params file is cut off|is an empty file)"):
            read_params(tmp_path / "cut.params")


@pytest.mark.parametrize(
    ("place", "form", "value", "reason"),
    [
        (32, "<I", 0xFFFFFFFF, "the params file is cut off"),  # dimensions
        (36, "<q", 2**40, "the params file is cut off"),  # a side
        (36, "<q", 2**62, "the params file is cut off"),  # a side that no index holds
        (-9, "<Q", 2**63, "the params file is cut off"),  # letters of a name
        (-1, "B", 0xFF, "'utf-8' codec"),
    ],
)
def test_params_with_a_corrupt_number_are_refused(tmp_path, place, form, value, reason):
    write_params(tmp_path / "a.params", {"a": np.arange(3, dtype=np.float32)})
    content = bytearray((tmp_path / "a.params").read_bytes())
    struct.pack_into(form, content, place % len(content), value)
    (tmp_path / "a.params").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.params: {reason}"):
        read_params(tmp_path / "a.params")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_parameter_that_is_not_finite_is_named(tmp_path, value):
    write_params(tmp_path / "a.params", {"arg:fc_weight": np.float32([1, value])})
    with pytest.raises(InputError, match=r"a\.params: the parameter arg:fc_weight has numbers that are not finite"):
        read_params(tmp_path / "a.params")


def test_another_file_is_no_params_file(tmp_path):
    (tmp_path / "a.params").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(InputError, match=r"a\.params: is a ZIP archive, not an MXNet params file"):
        read_params(tmp_path / "a.params")


@pytest.mark.parametrize("content", ['{"nodes": [', "[]", '{"nodes": []}'])
def test_another_file_is_no_symbol_file(tmp_path, content):
    symbol_file, params = write_recogniser(tmp_path)
    symbol_file.write_text(content)
    with pytest.raises(InputError, match=r"small-symbol\.json: not an MXNet symbol file"):
        import_checkpoint(symbol_file, params, tmp_path / "out.onnx", (112, 112))


def test_params_of_another_network_are_refused(tmp_path):
    symbol_file, params = write_recogniser(tmp_path)
    arrays = read_params(params)
    write_params(params, arrays | {"conv_weight": np.ones((4, 5, 8, 8), np.float32)})
    with pytest.raises(InputError, match=r"small-symbol\.json with small-0000\.params: the parameters do not fit"):
        import_checkpoint(symbol_file, params, tmp_path / "out.onnx", (112, 112))


def test_missing_checkpoint_is_named(tmp_path):
    symbol_file, params = write_recogniser(tmp_path)
    with pytest.raises(InputError, match=r"none\.json.* missing"):
        import_checkpoint(tmp_path / "none.json", params, tmp_path / "out.onnx")
    with pytest.raises(InputError, match=r"none\.params.* missing"):
        import_checkpoint(symbol_file, tmp_path / "none.params", tmp_path / "out.onnx")
