"""Which jobs the files of a face engine make, and which wait for them."""

import os

import numpy as np
import pytest
from factories.mxnet_checkpoints import write_recogniser
from factories.onnx_models import save, write_pack
from onnx import helper
from runs import planned, run, with_changes

SMALL = {"data.search": ["val"], "data.train": [], "reid.networks": []}


def write_detector(path):
    """Write a network of RetinaFace's form that sees no faces."""
    nodes, weights, outputs = [], {}, {}
    for stride in (32, 16, 8):
        for channels in (4, 8, 20):
            name = f"maps{stride}_{channels}"
            weights[f"{name}_kernel"] = np.zeros((channels, 3, 1, 1), np.float32)
            nodes.append(helper.make_node("Conv", ["image", f"{name}_kernel"], [name], strides=[stride, stride]))
            outputs[name] = ["batch", channels, f"rows{stride}", f"columns{stride}"]
    save(path, nodes, weights, {"image": ["batch", 3, "height", "width"]}, outputs)


@pytest.mark.parametrize(
    ("engine", "options"),
    [
        ("insightface", {"pack": "results/models/small"}),
        ("retinaface_arcface", dict.fromkeys(("detector", "recogniser"), "results/models/detector/mine.onnx")),
    ],
)
def test_own_files_among_the_workflows_are_not_imported(tmp_path, engine, options):
    write_pack(tmp_path / "results/models/small")
    write_detector(tmp_path / "results/models/detector/mine.onnx")
    jobs = planned(tmp_path, with_changes(SMALL | {"faces": {"engine": engine, engine: options}}))
    assert jobs["detect"] == 1
    assert {"import_mxnet", "insightface_pack"}.isdisjoint(jobs)


def test_an_import_that_is_not_confirmed_has_no_results(tmp_path):
    write_detector(tmp_path / "detector.onnx")
    symbol, _ = write_recogniser(tmp_path)
    files = {
        "detector": str(tmp_path / "detector.onnx"),
        "recogniser": {"prefix": str(symbol).removesuffix("-symbol.json"), "epoch": 0},
    }
    mxnet = tmp_path / "mxnet"  # in place of its Python, it says how far off the import is
    engine = {"engine": "retinaface_arcface", "retinaface_arcface": files}
    config = with_changes(SMALL | {"faces": engine | {"mxnet": {"verify": True, "python": str(mxnet)}}})

    def run_where_error_is(error):
        mxnet.write_text(f"#!/bin/sh\necho '{{\"fc_output\": {error}}}'\n")
        mxnet.chmod(0o755)
        return run(tmp_path / "run", config)

    done = run_where_error_is(0.01)
    assert done.returncode != 0
    assert "its import is off by 1.0e-02 at fc_output" in done.stdout
    assert not list(tmp_path.glob("run/results/faces/*/*/*"))
    assert not list(tmp_path.glob("run/results/submission/*"))
    done = run_where_error_is(1e-6)
    assert done.returncode == 0, done.stdout
    os.utime(tmp_path / "run/results/models/recogniser/small-0000.verified.tsv")
    assert planned(tmp_path / "run", config) == {}
