from castsearch.rulegraph import summarize_jobs

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
