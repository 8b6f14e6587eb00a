"""Whatever changes among a rule's params runs it again, though Snakemake remembers them without their names."""

import json
import re

import pytest
import yaml
from runs import ROOT, run_snakefile

SNAKEFILE = """
from dataclasses import make_dataclass
from pathlib import Path

ROOT = Path(workflow.basedir)
Setting = make_dataclass("Setting", ["value"])

rule a:
    output: "a.txt"
    params: first=config["first"], second=lambda wildcards: config["second"]
    shell: "echo {params.first} {params.second} > {output}"

rule b:
    output: "b.txt"
    params: setting=Setting(1)
    shell: "echo > {output}"

include: "RULES/params.smk"
"""


def result_of(folder, first, second):
    (folder / "config.yaml").write_text(yaml.safe_dump({"first": first, "second": second}))
    (folder / "Snakefile").write_text(SNAKEFILE.replace("RULES", str(ROOT / "rules")))
    done = run_snakefile(folder, "a.txt")
    assert done.returncode == 0, done.stdout
    return (folder / "a.txt").read_text().strip()


@pytest.mark.parametrize(
    ("before", "after"),
    [((1, 2), (2, 1)), (("x", None), (None, "x")), ((0, 0), (0, False))],
)
def test_params_that_change_run_a_rule_again(tmp_path, before, after):
    first = result_of(tmp_path, *before)
    assert result_of(tmp_path, *after) != first


def test_a_param_without_a_plain_form_is_refused(tmp_path):
    (tmp_path / "config.yaml").write_text("{first: 1, second: 2}")
    (tmp_path / "Snakefile").write_text(SNAKEFILE.replace("RULES", str(ROOT / "rules")))
    done = run_snakefile(tmp_path, "b.txt")
    assert done.returncode != 0
    assert "Setting is not JSON serializable" in done.stdout


def test_every_job_of_a_run_remembers_a_digest_of_all_its_params(finished):
    records = [json.loads(path.read_text()) for path in (finished / ".snakemake/metadata").rglob("*") if path.is_file()]
    assert len(records) > 20
    for record in records:
        assert any(re.fullmatch("'[0-9a-f]{64}'", text) for text in record["params"]), record["rule"]


def test_no_job_remembers_where_the_project_lies(finished):
    records = [path.read_text() for path in (finished / ".snakemake/metadata").rglob("*") if path.is_file()]
    assert not [record for record in records if str(ROOT) in json.dumps(json.loads(record)["params"])]
