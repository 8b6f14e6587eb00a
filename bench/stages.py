"""What each stage of a finished run cost, from the workflow's own benchmarks.

    python bench/stages.py [RESULTS]        the folder `results` here, if no other is named

Seconds are sums over a stage's jobs, as they passed and as the processor worked them; memory is the largest job's.
"""

import argparse
from pathlib import Path

import pandas as pd

# Where each stage leaves its results, in the order data flows.
STAGES = {
    "demo_movie": "demo",
    "demo_split": None,
    "import_mxnet": "models",
    "verify_mxnet": None,
    "insightface_pack": "models",
    "crop": "crops",
    "crop_training": None,
    "detect": "detections",
    "embed_faces": "faces",
    "validation_set": None,
    "train_reid": "reid",
    "embed_bodies": "bodies",
    "rerank": "rerank",
    "fuse": "rankings",
    "submission": "submission",
    "names": "names",
    "appearances": "appearances",
    "evaluate": "tables",
    "evaluate_names": None,
    "report": None,
    "provenance": None,
}


def measurements(results: Path, rule: str) -> list[Path]:
    """The benchmark of each of a rule's jobs."""
    return sorted([*results.glob(f"benchmarks/{rule}.tsv"), *results.glob(f"benchmarks/{rule}/**/*.tsv")])


def stage(results: Path, rule: str, folder: str | None) -> dict[str, object]:
    """Sum up one stage."""
    jobs = pd.concat([pd.read_csv(path, sep="\t", na_values="-") for path in measurements(results, rule)])
    written = [path for path in (results / folder).rglob("*") if path.is_file()] if folder else []
    folders = pd.Series([path.parent for path in written], dtype=object)
    return {
        "rule": rule,
        "jobs": len(jobs),
        "seconds": round(jobs["s"].sum()),
        "processor seconds": round(jobs["cpu_time"].sum()),
        "MB, largest job": jobs["max_rss"].max().round(),  # not a number if all were too short to be sampled
        "files": len(written),
        "MB of files": round(sum(path.stat().st_size for path in written) / 2**20, 1),
        "most files in a folder": int(folders.value_counts().max()) if written else 0,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Sum up what each stage of a finished run cost.")
    parser.add_argument("results", nargs="?", type=Path, default=Path("results"))
    results = parser.parse_args().results
    rows = [stage(results, rule, folder) for rule, folder in STAGES.items() if measurements(results, rule)]
    if not rows:
        parser.exit(message=f"{results} has no benchmarks: no run has finished there\n")
    print(pd.DataFrame(rows).to_markdown(index=False))


if __name__ == "__main__":
    main()
