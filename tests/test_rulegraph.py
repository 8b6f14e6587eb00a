import sys

import pytest

from castsearch.errors import InputError
from castsearch.rulegraph import print_jobs, summarize_jobs

DOT = """digraph snakemake_dag {
    graph[bgcolor=white];
\t0[label = "all", color = "0.2 0.6 0.8", style="rounded"];
\t1[label = "crop\\nmovie: a", color = "0.4 0.6 0.8", style="rounded,dashed"];
\t2[label = "crop\\nmovie: b", color = "0.4 0.6 0.8", style="rounded"];
\t1 -> 0
\t2 -> 0
}
"""


def test_jobs_are_counted_by_rule_and_edges_joined():
    assert summarize_jobs(DOT) == {"jobs": {"all": 1, "crop": 2}, "edges": [["crop", "all"]]}


def python(program):
    return [sys.executable, "-c", program]


def test_the_printed_graph_is_returned_and_the_rest_goes_to_the_log(capsys):
    said = python("import sys; print('digraph'); print('Building DAG', file=sys.stderr)")
    assert print_jobs(said) == "digraph\n"
    assert capsys.readouterr().err == "Building DAG\n"


@pytest.mark.parametrize(
    ("program", "reason"),
    [("import sys; sys.exit('Error:\\n  no rule\\n')", "no rule"), ("import sys; sys.exit(3)", "exit status 3")],
)
def test_a_graph_that_cannot_be_had_is_one_line(program, reason):
    with pytest.raises(InputError, match=f"the graph of jobs cannot be had: {reason}$"):
        print_jobs(python(program))
