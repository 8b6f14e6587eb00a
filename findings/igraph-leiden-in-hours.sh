#!/usr/bin/env bash
# Who is on screen with whom is a graph whose weights are times. igraph finds circles of people in it by Leiden's method,
# community_leiden(weights=...), the successor of Louvain's.
#
# Expected: the same circles in seconds and in hours, as Louvain's method gives here (community_multilevel) and in networkx.
# Both maximise modularity.
# Seen (igraph 1.0.0): two circles of three people in seconds, six people alone in hours, and in milliseconds all six together.
# By default it maximises the constant Potts model with a resolution of 1, which compares a weight with 1.
# What helps: objective_function="modularity", or weights that are divided by a time that means something.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check igraph==1.0.0 networkx==3.6.1
cd "$room"
cat > show.py <<'PYTHON'
import igraph
import networkx

SECONDS = [("a", "b", 90), ("a", "c", 80), ("b", "c", 70), ("d", "e", 60), ("d", "f", 95), ("e", "f", 80), ("c", "d", 3)]
UNITS = {"milliseconds": 1000, "seconds": 1, "hours": 1 / 3600}
TWO = ["abc", "def"]

graph = igraph.Graph.TupleList(SECONDS, weights=True)
seen = {}


def circles(found):
    return sorted("".join(graph.vs[group]["name"]) for group in found)


for unit, factor in UNITS.items():
    weights = [factor * seconds for seconds in graph.es["weight"]]
    seen[unit] = circles(graph.community_leiden(weights=weights))
    print(f"{unit}: Leiden by default {seen[unit]}")
    assert circles(graph.community_leiden(weights=weights, objective_function="modularity")) == TWO
    assert circles(graph.community_multilevel(weights=weights)) == TWO
    others = networkx.Graph()
    others.add_weighted_edges_from((one, other, factor * seconds) for one, other, seconds in SECONDS)
    assert sorted("".join(sorted(group)) for group in networkx.community.louvain_communities(others, seed=0)) == TWO
print(f"Leiden by modularity, Louvain's method, and networkx: {TWO} in every unit")
assert seen == {"milliseconds": ["abcdef"], "seconds": TWO, "hours": list("abcdef")}
PYTHON
"$room/venv/bin/python" show.py
