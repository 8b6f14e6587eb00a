import json
import os

import pytest
from rocrate.rocrate import ROCrate

from castsearch.files import file_digest
from castsearch.report.crate import FILE_NAME, Execution, write_crate

SHA256 = "ab" * 32


@pytest.fixture
def run(tmp_path):
    """A run with two results, made at 10 and at 70 seconds after 1970 began, of one file of the user's."""
    results = tmp_path / "results"
    for name, time in {"submission/val.txt": 10, "report/val/tt1.html": 70, "Snakefile": 90, "config.yaml": 90}.items():
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(name)
        os.utime(results / name, (time, time))
    os.utime(results / "report", (70, 70))
    (tmp_path / "val.json").write_text("{}")
    return Execution(
        workflow=results / "Snakefile",
        config=results / "config.yaml",
        commit="0123456789ab",
        config_digest="sha256 00",
        seeds={"demo": 7},
        versions={"Python": "3.11", "snakemake": "9"},
        models=[{"model": "engine", "file": "face.onnx", "sha256": SHA256, "licence": "for research"}],
        given=[tmp_path / "val.json"],
        results=[results / "submission/val.txt", results / "report"],
        run_by={"name": "Ada Lovelace", "orcid": "https://orcid.org/0000-0002-1825-0097"},
    )


@pytest.fixture
def crate(run, tmp_path):
    write_crate(tmp_path / "results" / FILE_NAME, run)
    return ROCrate(tmp_path / "results")


def named(entities):
    return {entity["name"]: entity for entity in entities}


def test_a_crate_names_the_workflow_its_commit_and_what_it_ran_with(crate, tmp_path):
    workflow = crate.mainEntity
    assert workflow["version"] == "0123456789ab"
    assert workflow["sha256"] == file_digest(tmp_path / "results/Snakefile")
    assert workflow["programmingLanguage"]["version"] == "9"
    assert {each["name"]: each["softwareVersion"] for each in workflow["softwareRequirements"]} == {
        "Python": "3.11",
        "snakemake": "9",
    }


def test_a_crate_names_what_went_in_by_its_content(crate, tmp_path):
    given = named(crate.get("#run")["object"])
    assert given["val.json"]["sha256"] == file_digest(tmp_path / "val.json")
    assert given["The whole configuration"]["identifier"] == "sha256 00"
    assert given["seed of demo"]["value"] == 7
    assert given["engine: face.onnx"]["sha256"] == SHA256
    assert given["engine: face.onnx"]["license"]["name"] == "for research"
    assert given["engine: face.onnx"].id == "ni:///sha-256;q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s"


def test_a_crate_has_the_results_and_their_times(crate, tmp_path):
    action = crate.get("#run")
    results = named(action["result"])
    assert set(results) == {"submission/val.txt", "report"}
    assert results["submission/val.txt"]["sha256"] == file_digest(tmp_path / "results/submission/val.txt")
    assert (action["startTime"], action["endTime"]) == ("1970-01-01T00:00:10+00:00", "1970-01-01T00:01:10+00:00")
    assert crate.root_dataset["datePublished"] == action["endTime"]


def test_a_crate_says_who_ran_it(crate):
    agent = crate.get("#run")["agent"]
    assert (agent.id, agent["name"]) == ("https://orcid.org/0000-0002-1825-0097", "Ada Lovelace")


def test_the_same_files_give_the_same_bytes(crate, run, tmp_path):
    path = tmp_path / "results" / FILE_NAME
    before = path.read_bytes()
    write_crate(path, run)
    assert path.read_bytes() == before


def test_files_of_the_same_content_are_one(run, tmp_path):
    (tmp_path / "copy.json").write_text("{}")
    path = tmp_path / "results" / FILE_NAME
    write_crate(path, Execution(**{**vars(run), "given": [*run.given, tmp_path / "copy.json"]}))
    ids = [part["@id"] for part in json.loads(path.read_text())["@graph"]]
    assert len(ids) == len(set(ids))
