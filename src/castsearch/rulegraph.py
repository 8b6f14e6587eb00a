"""The graph of rules of a workflow, read from the job graph that `snakemake --dag` prints."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

from castsearch.errors import InputError

_JOB = re.compile(r'^\s*(\d+)\[label = "(\w+)', re.MULTILINE)
_EDGE = re.compile(r"^\s*(\d+) -> (\d+)", re.MULTILINE)


def print_jobs(command: Sequence[str]) -> str:
    """Run the command that prints the job graph, and return it; what it says besides goes to standard error.

    Raises:
        InputError: the command failed; the message is the last line of what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stderr, file=sys.stderr, end="")
    if done.returncode != 0:
        said = done.stderr.split("\n")
        reason = next((line.strip() for line in reversed(said) if line.strip()), f"exit status {done.returncode}")
        raise InputError(f"the graph of jobs cannot be had: {reason}")
    return done.stdout


def summarize_jobs(dot: str) -> dict[str, object]:
    """Count the jobs of each rule and find which rule uses which rule's output.

    Args:
        dot: the job graph in the DOT language.

    Returns:
        "jobs": rule → number of jobs; "edges": sorted pairs [rule, rule that uses its output].
    """
    rule_of = dict(_JOB.findall(dot))
    edges = {(rule_of[source], rule_of[target]) for source, target in _EDGE.findall(dot)}
    return {"jobs": dict(sorted(Counter(rule_of.values()).items())), "edges": sorted(map(list, edges))}
