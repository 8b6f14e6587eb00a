"""The graph of rules of a workflow, read from the job graph that `snakemake --dag` prints."""

import re
from collections import Counter

_JOB = re.compile(r'^\s*(\d+)\[label = "(\w+)', re.MULTILINE)
_EDGE = re.compile(r"^\s*(\d+) -> (\d+)", re.MULTILINE)


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
