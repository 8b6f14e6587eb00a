"""Faults in whole runs of the workflow; prints the table of docs/faults.md.

    python tests/faults/faults.py [--sources demo film]

A run from nothing to the report, of a film and of the demo, has to end with the bytes of an undisturbed one, although
the disk is full, memory is refused, and the script is killed as by the kernel, once each in every rule: Snakemake tries
the job again (`--retries`). What the user is told is in the table.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "tests/workflow")]

from runs import TINY, command, result_files  # noqa: E402

from castsearch.demo.film import Take, Walk, write_film  # noqa: E402

SEARCH = {
    "detect": "detections/yunet_sface/*",
    "embed_faces": "faces/yunet_sface/*",
    "embed_bodies": "bodies/*",
    "rerank": "rerank/*",
    "fuse": "rankings/*",
    "submission": "submission/*.txt",
    "names": "names/*",
    "appearances": "tables/screen_time.tsv",
    "evaluate": "tables/ablation.tsv",
    "evaluate_names": "tables/names.tsv",
    "report": "report.html",
    "provenance": "provenance/config.yaml",
}
RULES = {  # by source, and by rule a pattern of what one of its jobs writes, in results/
    "film": {
        "changes": "shots/parts/good/*",
        "shots": "shots/good.tsv",
        "shot_pictures": "shots/pictures/good/*",
        "persons": "persons/good/*",
        "tracks": "tracks/good.arrow",
        "cut_tracks": "tracks/crops/good/*",
        "crop_film": "crops/films/*",
        "film_scores": "tables/films.tsv",
        "film_labels": "tables/labels/films.json",
        "export": "export/good/*",
        "pretrained_reid": "reid/imagenet/weights.safetensors",
        **SEARCH,
        "detect": "tracks/detections/yunet_sface/*",
        "embed_faces": "tracks/faces/yunet_sface/*",
        "embed_portraits": "faces/yunet_sface/*",
    },
    "demo": {
        "demo_movie": "demo/annotations/val/*",
        "demo_split": "demo/val.json",
        "crop": "crops/val/*",
        "crop_training": "crops/train/0/*",
        "validation_set": "reid/validation.arrow",
        "train_reid": "reid/triplet/weights.safetensors",
    },
}
KINDS = ("full", "memory", "killed")
TOLD = {"disk full": "error: results/", "memory refused": "error: there is not enough memory"}
SCRIPT = (Take(1.6, 1, (Walk(0, 0.2, 0.4, 0.16), Walk(1, 0.7, 0.6, 0.15))), Take(1.2, 1, (Walk(0, 0.5, 0.5, 0.25),)))


def start(folder: Path, config: Mapping, faults: Path, *options: str) -> subprocess.CompletedProcess:
    """Start a run with the faults that are left."""
    path = f"{ROOT}/tests/faults/inject:{os.environ.get('PYTHONPATH', '')}"
    return subprocess.run(
        command(folder, config, "--nolock", "--rerun-incomplete", "--show-failed-logs", *options),
        env=os.environ | {"FAULTS": str(faults), "PYTHONPATH": path},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def write_faults(folder: Path, kinds: Iterable[str], rules: Mapping[str, str]) -> None:
    """Write a folder of faults, see `inject/sitecustomize.py`; a temporary name has a dot and eight digits more."""
    folder.mkdir()
    for rule, pattern in rules.items():
        for kind in kinds:
            place, _, name = pattern.rpartition("/")
            stem, dot, suffix = name.partition(".")
            temporary = "*" if "*" in name else f".{stem}.????????{dot}{suffix}"
            opened = f"*results/{place}/{temporary}".replace("//", "/")
            renamed = f"*results/{pattern}"
            (folder / f"{kind}-{rule}").write_text(opened if kind in ("full", "memory") else renamed)


def told(output: str, rule: str) -> list[str]:
    """The first line that begins with "error:" of each of a rule's failures, as Snakemake shows them."""
    found = []
    for block in re.findall(rf"Error in rule {rule},?.*?(?=\n\[|\Z)", output, re.DOTALL):
        lines = [line for line in block.splitlines() if line.startswith("error: ")]
        found.append(lines[0] if lines else "trace" if "Traceback" in block else "")
    return found


def _first(lines: Iterable[str], begin: str) -> str:
    """The first of a rule's lines that begins so, without its remedy; a rule that does not say it fails the run."""
    return next((line.partition(";")[0] for line in lines if line.startswith(begin)), "nothing")


def compare(folder: Path, undisturbed: Mapping[str, bytes]) -> str:
    """Whether a run left the same bytes."""
    found = {path: data for path, data in result_files(folder).items() if "checkpoints" not in path}
    differ = [path for path in undisturbed.keys() | found.keys() if undisturbed.get(path) != found.get(path)]
    return f"{len(differ)} files differ: {differ[:3]}" if differ else "the same bytes"


def run_rows(title: str, config: Mapping, rules: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run one source undisturbed, and with faults in its scripts."""
    with tempfile.TemporaryDirectory() as name:
        folder, none = Path(name), Path(name, "none")
        none.mkdir()
        done = start(folder / "undisturbed", config, none)
        if done.returncode != 0:
            raise SystemExit(done.stdout)
        results = result_files(folder / "undisturbed")
        undisturbed = {path: data for path, data in results.items() if "checkpoints" not in path}

        write_faults(folder / "script", KINDS, rules)
        done = start(folder / "faults", config, folder / "script", "--retries", str(len(KINDS)))
        result = compare(folder / "faults", undisturbed) if done.returncode == 0 else "the run failed"
        for rule in rules:
            lines = told(done.stdout, rule)
            left = [kind for kind in KINDS if (folder / f"script/{kind}-{rule}").exists()]
            yield {
                "source": title,
                "rule": rule,
                **{told_of: _first(lines, begin) for told_of, begin in TOLD.items()},
                "after these and a kill -9": f"{', '.join(left)} did not happen" if left else result,
            }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Inject faults into runs of the workflow.")
    parser.add_argument("--sources", nargs="+", choices=RULES, default=list(RULES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write_film(Path(name, "good"), script=SCRIPT)
        one = TINY["reid"] | {"networks": TINY["reid"]["networks"][:1]}
        film = {"data": {"source": "films", "films": name}, "export": ["elan"]}
        configs = {"film": film, "demo": TINY | {"reid": one}}
        rows = []
        for source in options.sources:
            for row in run_rows(source, configs[source], RULES[source]):
                print(*row.values(), sep="; ", file=sys.stderr, flush=True)
                rows.append(row)
    table = pd.DataFrame(rows)
    print(table.to_markdown(index=False))
    sys.exit(not table.iloc[:, -1].eq("the same bytes").all() or bool(table.eq("nothing").any(axis=None)))


if __name__ == "__main__":
    main()
