"""Real runs of the real workflow, each in a folder of its own, on the smallest demo that shows what is asked."""

import copy
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
AFTER_FUSING = {"submission", "names", "appearances", "evaluate", "evaluate_names", "report"}

TINY = {
    "data": {"demo": {"movies": {"train": 2, "val": 1, "test": 1}, "candidates": 14, "cast": 2, "others": 1}},
    "reid": {
        "recipe": {"epochs": 1, "people": 2, "images": 2, "height": 128, "width": 64, "checkpoint_every": 1},
        "networks": [
            {"name": "triplet", "kind": "triplet", "backbone": "mobilenet_v2", "imagenet": "packaged"},
            {"name": "mgn", "kind": "mgn", "backbone": "mobilenet_v2", "imagenet": "packaged"},
        ],
    },
    "report": {"crops": 5},
}


def with_changes(changes, config=TINY):
    """`config` with the values at dotted paths replaced."""
    config = copy.deepcopy(config)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = config
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = value
    return config


def command(folder, config, *arguments, project=ROOT):
    """The command line of a run of `project` in `folder`; `config` is written there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    options = ["--snakefile", str(project / "Snakefile"), "--directory", str(folder), "--cores", "2"]
    return [sys.executable, "-m", "snakemake", *options, "--configfile", str(folder / "config.yaml"), *arguments]


# Runs start from a process that has Snakemake already: to import it takes nearly half of the time of a plan.
READY = multiprocessing.get_context("forkserver")
READY.set_forkserver_preload(["snakemake.cli"])


def snakemake(arguments, output, environment):
    """Be a process of Snakemake with these arguments, whose output goes to a file."""
    from snakemake.cli import main  # noqa: PLC0415 (where it is there already)

    with open(output, "w") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(environment)
    main(arguments)


def run(folder, config=TINY, *arguments, project=ROOT):
    """Run the workflow in `folder`; the finished process has all output in `stdout`."""
    line = command(folder, config, *arguments, project=project)
    return finish(line[3:])


def run_snakefile(folder, *arguments):
    """Run a Snakefile of a test's own, with the `config.yaml` beside it."""
    line = ["--directory", str(folder), "--snakefile", str(folder / "Snakefile")]
    return finish([*line, "--configfile", str(folder / "config.yaml"), "--cores", "1", *arguments])


def finish(arguments):
    """Run Snakemake to its end."""
    with tempfile.NamedTemporaryFile("r") as output:
        process = READY.Process(target=snakemake, args=(arguments, output.name, dict(os.environ)))
        process.start()
        process.join()
        return subprocess.CompletedProcess(arguments, process.exitcode, stdout=output.read())


def planned(folder, config, project=ROOT):
    """Number of jobs per rule that a run would do, by Snakemake's own account; `all` and `provenance` are left out."""
    done = run(folder, config, "--dry-run", project=project)
    assert done.returncode == 0, done.stdout
    return planned_jobs(done.stdout)


def planned_jobs(said):
    """Number of jobs per rule in what Snakemake says of a plan; see `planned`."""
    stats = said.partition("Job stats:")[2].partition("\ntotal")[0]
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)$", stats, re.MULTILINE)}
    for rule in ("all", "provenance"):  # which follow whatever else runs
        jobs.pop(rule, None)
    return jobs


def promises():
    """The table of docs/reruns.md: change → rules."""
    section = (ROOT / "docs/reruns.md").read_text().partition("| You change …")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (?!---)(.+?) \| (.+?) \|$", section, re.MULTILINE)
    return {change: set(re.findall(r"`(\w+)`", rules)) for change, rules in rows}


def result_files(folder):
    """Bytes of every result, by path; those that hold times of the run are left out."""
    results = folder / "results"
    skipped = {"logs", "benchmarks", "ro-crate-metadata.json"}
    return {
        path.relative_to(results).as_posix(): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file() and path.relative_to(results).parts[0] not in skipped and path.name[0] != "."
    }
