"""Whether a change made the workflow slower: this checkout against a commit, on small sizes, in some minutes.

    python bench/quick.py                     against the last commit, when something is not committed yet
    python bench/quick.py --against COMMIT    against another one
    python bench/quick.py --pack FOLDER       and face detection against InsightFace's own loop, by a detector of yours

Both plan 200 movies and run a small demo, in turns, with the same Python, so the commit must run with the packages that
are installed or on PYTHONPATH. Seconds are the processor's, the median of the turns: of a whole run, and of the jobs of
each rule in it, which say themselves what they took when they end. A ratio below 1 means that this checkout is faster.
Ratios within a tenth of 1 say nothing on a busy machine.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pandas as pd
import yaml
from dag import ROOT, configuration, snakemake
from tqdm import tqdm

PLANNED = {"train": 100, "val": 100}
SMALL = {
    "data": {"demo": {"movies": {"train": 1, "val": 1, "test": 0}, "candidates": 300}, "search": ["val"]},
    "reid": {
        "recipe": {"height": 128, "width": 64},
        "networks": [{"name": "triplet", "kind": "triplet", "backbone": "mobilenet_v2", "imagenet": "packaged"}],
    },
}

# Python imports a module of this name when it starts. Snakemake's own benchmarks miss what is short.
USAGE = """
import atexit, os, resource, sys

@atexit.register
def say():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    with open(os.environ["USAGE"], "a") as file:
        print(os.path.basename(sys.argv[0]), usage.ru_utime + usage.ru_stime, file=file)
"""


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """A folder with the project as it was at a commit."""
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name, "tree")
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def by_rule(usage: Path) -> dict[str, float]:
    """Processor seconds of each rule's jobs, whose scripts are `{random name}.{rule}.py` when they run."""
    processes = pd.read_csv(usage, sep=" ", names=["script", "seconds"])
    rules = processes["script"].str.extract(r"^tmp\w+\.(\w+)\.py$")[0]
    return processes["seconds"].groupby(rules, sort=False).sum().add_prefix("rule ").to_dict()


def measure(tree: Path, folder: Path) -> dict[str, float]:
    """Processor seconds of each thing that is compared."""
    shutil.rmtree(folder, ignore_errors=True)
    planned, run, hook = folder / "planned", folder / "run", folder / "hook"
    for part in (planned, run, hook):
        part.mkdir(parents=True)
    (hook / "sitecustomize.py").write_text(USAGE)
    (planned / "config.yaml").write_text(yaml.safe_dump(configuration(planned, PLANNED, networks=2)))
    (run / "config.yaml").write_text(yaml.safe_dump(SMALL))
    seconds = {"plan 200 movies": snakemake(tree, planned, "--dry-run", "--quiet", "rules")[0]}
    paths = [str(hook), os.environ.get("PYTHONPATH", "")]
    own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "USAGE": str(folder / "usage")}
    with patch.dict(os.environ, own):
        seconds["a small demo, start to end"] = snakemake(tree, run)[0]
    seconds["find that nothing is to be done"] = snakemake(tree, run, "--dry-run")[0]
    return seconds | by_rule(folder / "usage")


def detectors(pack: Path, demo: Path) -> pd.DataFrame:
    """A row with the milliseconds that a crop takes in InsightFace's own loop, and in the engine `insightface`."""
    import packs  # noqa: PLC0415 (it gives numerical libraries one thread, also in processes that are started later)

    loop, engine = (packs.detection(pack, packs.read_people(demo))[0]["ms a crop"][row] for row in (0, 2))
    return pd.DataFrame({"before": loop, "now": engine}, index=["InsightFace's loop and the engine, ms a crop"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare this checkout's speed with a commit's.")
    parser.add_argument("--against", default="HEAD", help="the commit")
    parser.add_argument("--turns", type=int, default=2, help="how often each is measured")
    parser.add_argument("--pack", type=Path, help="folder with a detector that InsightFace can read")
    options = parser.parse_args()
    measured: dict[str, list[dict[str, float]]] = {"before": [], "now": []}
    with checkout(options.against) as before, tempfile.TemporaryDirectory() as folder:
        for _ in tqdm(range(options.turns)):
            for name, tree in (("before", before), ("now", ROOT)):
                measured[name].append(measure(tree, Path(folder, name)))
        table = pd.DataFrame({name: pd.DataFrame(turns).median() for name, turns in measured.items()})
        table = table.reindex(dict.fromkeys(name for turns in measured.values() for turn in turns for name in turn))
        if options.pack:
            table = pd.concat([table, detectors(options.pack, Path(folder, "now/run/results/demo"))])
    table["now / before"] = table["now"] / table["before"]
    print(table.map("{:.2f}".format).replace("nan", "").to_markdown(disable_numparse=True, stralign="right"))


if __name__ == "__main__":
    main()
