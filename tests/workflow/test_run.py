import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd
import pytest
import yaml
from runs import AFTER_FUSING, ROOT, TINY, command, planned, result_files, run, with_changes

from castsearch import files
from castsearch.data.submission import read_submission
from castsearch.workflow import devices, variants


def movies(folder, split):
    return json.loads((folder / f"results/demo/{split}.json").read_text())


@pytest.mark.parametrize("split", ["val", "test"])
def test_the_submission_ranks_all_candidates_of_its_movie_for_each_cast_member(finished, split):
    submission = read_submission(finished / f"results/submission/{split}.txt")
    for entry in movies(finished, split).values():
        for member in entry["cast"]:
            assert sorted(submission.pop(member["id"])) == sorted(row["id"] for row in entry["candidates"])
    assert submission == {}


def test_the_test_split_has_no_labels(finished):
    entries = movies(finished, "test").values()
    assert not any("label" in row for entry in entries for row in entry["cast"] + entry["candidates"])


def test_the_tables_have_a_row_per_variant(finished):
    table = pd.read_csv(finished / "results/tables/ablation.tsv", sep="\t", comment="#")
    assert table.columns[:4].tolist() == ["split", "variant", "title", "queries"]
    compared = variants.compared(yaml.safe_load((ROOT / "config.yaml").read_text()))  # with the networks of TINY
    assert table["variant"].tolist() == [variant.key for variant in compared]
    assert table["title"].tolist() == [variant.title for variant in compared]


@pytest.mark.parametrize("name", ["queries.tsv", "movies.tsv", "ablation.tsv", "ablation.md", "ablation.tex"])
def test_every_table_says_what_it_was_made_with(finished, name):
    text = (finished / "results/tables" / name).read_text()
    for key, value in {
        "commit": r"[0-9a-f]{12}(\+changes)?|unknown",
        "configuration": "sha256 [0-9a-f]{64}",
        "seeds": "demo 0, triplet 0, mgn 0",
        "record": r"ro-crate-metadata\.json",
        "versions": r"Python 3\S+, snakemake \d\S+, numpy \d\S+, .*\btorch \d.*",
    }.items():
        assert re.search(rf"^[#%-] {key}: ({value})$", text, re.MULTILINE), key


def test_the_ablation_is_what_the_configuration_lists(finished, tmp_path):
    """Stages that the rows have in common are not run again, and another row is no reason to re-rank."""
    folder = shutil.copytree(finished, tmp_path / "run")
    rows = [{"networks": ["mgn"]}, {"method": "cascade", "thresholds": [0.6], "name": "strict"}]
    config = with_changes({"variants": rows})
    assert set(planned(folder, config)) == {"rerank", "fuse", *AFTER_FUSING}
    done = run(folder, config)
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(folder / "results/tables/ablation.tsv", sep="\t", comment="#")
    names = ["diffusion face", "diffusion face+body[triplet,mgn]", "diffusion face+body[mgn]", "cascade strict"]
    assert table["title"].tolist() == names
    rows.append({"networks": ["triplet"]})
    assert set(planned(folder, with_changes({"variants": rows}))) == {"fuse", *AFTER_FUSING}


def test_each_portrait_is_searched_in_all_movies_of_its_split(finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    changes = {"search.scope": "split", "data.demo.movies.val": 2}
    done = run(folder, with_changes(changes))
    assert done.returncode == 0, done.stdout
    entries = movies(folder, "val").values()
    everybody = sorted(row["id"] for entry in entries for row in entry["candidates"])
    submission = read_submission(folder / "results/submission/val.txt")
    assert {cast: sorted(ranking) for cast, ranking in submission.items()} == {
        member["id"]: everybody for entry in entries for member in entry["cast"]
    }
    table = pd.read_csv(folder / "results/tables/ablation.tsv", sep="\t", comment="#")
    assert table["title"].tolist()[:2] == ["diffusion face", "diffusion face*"]


def test_a_stage_writes_a_file_per_movie(finished):
    for stage in ("crops", "detections/yunet_sface", "faces/yunet_sface", "rerank", "rankings"):
        found = {path.name.partition(".")[0] for path in (finished / "results" / stage / "val").iterdir()}
        assert found == set(movies(finished, "val")), stage


def test_every_job_leaves_a_log_and_a_benchmark(finished):
    def stems(kind, suffix):
        folder = finished / "results" / kind
        return {path.relative_to(folder).with_suffix("") for path in folder.rglob(f"*{suffix}")}

    logs, measured = stems("logs", ".log"), stems("benchmarks", ".tsv")
    assert logs == measured
    assert len(logs) > 20


def test_faces_say_which_models_made_them(finished):
    [path] = (finished / "results/faces/yunet_sface/val").glob("*.arrow")
    engine = json.loads(files.read_table(path).schema.metadata[b"engine"])
    assert engine["engine"] == "yunet_sface"
    assert all(len(model["sha256"]) == 64 for model in engine["models"])


def test_snakemake_makes_its_own_report_too(finished, tmp_path):
    page = tmp_path / "snakemake.html"
    done = run(finished, TINY, "--report", str(page))
    assert done.returncode == 0, done.stdout
    text = page.read_text()
    categories = ("Overview", "Movies", "Scores", "Names", "Who appears when", "Training")
    assert [name for name in categories if f'"{name}"' not in text] == []
    assert not re.search(r'<(script|link|img)[^>]* (src|href)="http', text)


# The first crops of a movie, a network's first checkpoint, and the first body features.
POINTS = ("*/crops/*/*.arrow", "*/reid/*/checkpoints/*.safetensors", "*/bodies/*/*/*.npy")


def test_a_run_killed_anywhere_goes_on_to_the_same_bytes(finished, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setenv("PYTHONPATH", str(Path(__file__).with_name("kill")), prepend=os.pathsep)
        for point in POINTS:
            patched.setenv("KILL_AFTER", point)
            killed = subprocess.run(
                command(tmp_path, TINY, "--nolock"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                check=False,
            )
            assert killed.returncode == -signal.SIGKILL, f"the run was not killed at {point}"
            assert any(fnmatch(path, point) for path in map(str, (tmp_path / "results").rglob("*"))), point
    done = run(tmp_path, TINY)
    assert done.returncode == 0, done.stdout
    assert planned(tmp_path, TINY) == {}
    expected = result_files(finished)
    found = {path: data for path, data in result_files(tmp_path).items() if "checkpoints" not in path}
    assert {path for path in expected if "checkpoints" not in path} == set(found)
    assert [path for path, data in found.items() if expected[path] != data] == []


def test_as_many_gpu_jobs_run_at_a_time_as_there_are_gpus_and_none_takes_anothers(finished, tmp_path, monkeypatch):
    """Four pretended GPUs, three of them taken by another run; CUDA itself is not there, so the CPU does the work."""
    folder = shutil.copytree(finished, tmp_path / "run")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    forced = ("--forcerun", "embed_bodies", "--until", "embed_bodies")
    with devices.claimed_gpus(3):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
        done = run(folder, TINY, "--cores", "32", "--resources", "gpu=4", *forced)
    assert done.returncode == 0, done.stdout
    assert "Execute 4 jobs..." in done.stdout
    logs = [path.read_text() for path in (folder / "results/logs/embed_bodies").rglob("*.log")]
    assert len(logs) == 4
    assert all("on GPU 3 of 0, 1, 2, 3" in log for log in logs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"faces.yunet_sface": {"detecter": None}}, "config: faces.yunet_sface: unknown key detecter"),
        (
            {"data.source": "files", "data.train": [], "data.search": ["val"]}
            | {"data.files": {"val": {"annotations": "none.json", "images": "."}}, "reid.networks": []},
            "none.json: cannot be read: No such file or directory",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(tmp_path, changes, message):
    done = run(tmp_path, with_changes(changes))
    assert done.returncode != 0
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "results").exists()


def test_json_that_is_cut_off_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "val.json").write_text('{"tt1": {"cast": [')
    val = {"annotations": str(tmp_path / "val.json"), "images": str(tmp_path)}
    changes = {"data.source": "files", "data.train": [], "data.search": ["val"], "data.files": {"val": val}}
    done = run(tmp_path / "run", with_changes(changes | {"reid.networks": []}))
    assert done.returncode != 0
    assert "val.json: is not complete JSON" in done.stdout
