import json

import pytest
import yaml
from runs import ROOT, run_snakefile

# The workflow, and then what Snakemake has understood of it.
SNAKEFILE = f"""
from types import SimpleNamespace

include: "{ROOT}/Snakefile"

MOVIE = dict(movie=MOVIES[SEARCH[0]][0], group=MOVIES[SEARCH[0]][0], split=SEARCH[0], part="0")
ONE = SimpleNamespace(engine="yunet_sface", network=next(iter(NETWORKS)), **MOVIE)

def claimed(resource):
    return [resource.evaluate(ONE, attempt=attempt, threads=1).value for attempt in (1, 2)]

CLAIMS = ("gpu", "mem_mb", "runtime")

with open("rules.json", "w") as file:
    json.dump(
        {{
            each.name: {{
                "log": list(map(str, each.log)),
                "benchmark": each.benchmark and str(each.benchmark),
                "environment": str(each.conda_env).rpartition("/")[2].removesuffix(".yaml"),
                "claims": {{name: claimed(claim) for name, claim in each.resources.items() if name in CLAIMS}},
                "code": each.params.code(ONE),
                "group": each.group,
                "params": list(each.params.keys()),
            }}
            for each in workflow.rules
            if each.name != "all"
        }},
        file,
    )
"""


@pytest.fixture(scope="session")
def rules(tmp_path_factory):
    """By name what Snakemake knows of every rule: of the demo, and of films, which have rules of their own."""
    folder = tmp_path_factory.mktemp("rules")
    film = folder / "films/film"
    film.mkdir(parents=True)
    for name in ("film.mp4", "ada.png", "truth.json"):
        (film / name).touch()
    found = {}
    for data in ({"source": "demo"}, {"source": "films", "films": "films"}):
        (folder / "config.yaml").write_text(yaml.safe_dump({"data": data}))
        (folder / "Snakefile").write_text(SNAKEFILE)
        done = run_snakefile(folder, "--list-rules")
        assert done.returncode == 0, done.stdout
        found |= json.loads((folder / "rules.json").read_text())
    return found
