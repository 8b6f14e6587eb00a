"""What every rule has, as Snakemake understands it."""

from pathlib import Path

import pytest
import yaml

from castsearch.workflow import claims

pytestmark = pytest.mark.xdist_group("rules")  # which are read once
ROOT = Path(__file__).parents[2]


def test_every_rule_leaves_a_log_and_a_benchmark(rules):
    assert [name for name, rule in rules.items() if len(rule["log"]) != 1 or not rule["benchmark"]] == []


def test_every_rule_claims_more_memory_and_time_when_it_is_tried_again(rules):
    for name, rule in rules.items():
        for first, second in (rule["claims"]["mem_mb"], rule["claims"]["runtime"]):
            assert second == 2 * first > 0, name


def test_claims_cover_the_peaks_that_were_measured(rules):
    """Of jobs of the demo and of the generated film; docs/scaling.md has the table."""
    peaks = {"crop": 133, "submission": 118, "evaluate": 155, "evaluate_names": 155, "report": 170, "appearances": 136}
    peaks |= {"provenance": 87, "demo_movie": 156, "shots": 154, "film_scores": 194, "film_labels": 168, "tracks": 192}
    peaks |= {"import_mxnet": 1865, "detect": 224, "embed_faces": 460}
    for name, peak in peaks.items():
        assert peak + claims.SNAKEMAKE_MB < rules[name]["claims"]["mem_mb"][0] < 2 * (peak + claims.SNAKEMAKE_MB), name


def test_every_rule_runs_again_with_code_of_its_own(rules):
    assert len({rule["code"] for rule in rules.values()}) == len(rules)


def test_every_environment_is_some_rules_and_there(rules):
    assert {rule["environment"] for rule in rules.values()} <= {path.stem for path in (ROOT / "envs").glob("*.yaml")}


def test_the_rules_of_networks_ask_for_a_gpu(rules):
    asking = {name for name, rule in rules.items() if "gpu" in rule["claims"]}
    assert asking == {"changes", "persons", "detect", "embed_faces", "embed_portraits", "train_reid", "embed_bodies"}


def test_the_rules_that_read_a_users_film_know_it_by_its_contents(rules):
    """A file may be replaced by one with an older time."""
    known = {"changes": "video", "persons": "video", "cut_tracks": "video", "crop_film": "portraits"}
    known |= {"shot_pictures": "video", "film_scores": "truths", "film_labels": "truths"}
    assert [rule for rule, param in known.items() if param not in rules[rule]["params"]] == []


def test_a_shared_result_with_the_name_of_a_film_in_it_is_known_by_that_name(rules):
    """Snakemake's cache sees no wildcards."""
    for name in ("crop_film", "detect", "embed_faces", "embed_portraits"):
        assert "movie" in rules[name]["params"]


def test_the_profile_names_rules_that_exist_and_counts_groups_that_it_makes(rules):
    settings = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    assert rules.keys() >= {*settings["groups"], *settings["set-resources"]}
    assert {*settings["groups"].values()} >= {*settings["group-components"]}


def test_one_machine_plans_without_groups(rules):
    assert {rule["group"] for rule in rules.values()} == {None}
