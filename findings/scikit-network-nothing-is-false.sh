#!/usr/bin/env bash
# Who is on screen with whom is a graph in a GraphML file, whose nodes and edges say more by booleans: who is credited, whether
# two met indoors. scikit-network reads such files: from_graphml.
#
# Expected: "false" is false, and an edge from somebody to the same one weighs what the file says.
# Seen (scikit-network 0.33.5): a boolean is true if its text is not empty, so that "false" and "true" are both true, whether
# networkx 3.6.1 or igraph 1.0.0 wrote it. An edge from a node to itself weighs twice what it says in an undirected graph, as it
# is entered once for each direction. A weight that the file gives as the default is not looked at: it is 1. igraph reads all
# of it right.
# What helps: read with networkx or igraph, and give scikit-network the adjacency matrix.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    numpy==2.4.6 scipy==1.17.1 networkx==3.6.1 igraph==1.0.0 scikit-network==0.33.5
cd "$room"
cat > show.py <<'PYTHON'
import igraph
import networkx
from sknetwork.data import from_graphml

graph = networkx.Graph()
graph.add_node("ada", credited=True)
graph.add_node("bo", credited=False)
graph.add_edge("ada", "bo", weight=2.0)
graph.add_edge("bo", "bo", weight=3.0)
networkx.write_graphml(graph, "networkx.graphml")
igraph.Graph.Read_GraphML("networkx.graphml").write_graphml("igraph.graphml")
with open("networkx.graphml") as file:
    text = file.read()
[key] = [line for line in text.splitlines() if 'attr.name="weight"' in line]
with_default = key.replace("/>", "><default>7.0</default></key>")
with open("default.graphml", "w") as file:
    file.write(text.replace(key, with_default).replace('<data key="d1">2.0</data>', ""))


def by_scikit_network(path):
    data = from_graphml(path)
    return data.node_attribute["credited"].tolist(), data.adjacency.toarray().tolist()


def by_igraph(path):
    graph = igraph.Graph.Read_GraphML(path)
    return graph.vs["credited"], graph.es["weight"]


for path in ("networkx.graphml", "igraph.graphml", "default.graphml"):
    print(f"{path}: credited and matrix by scikit-network {by_scikit_network(path)}")
    print(f"{path}: credited and weights by igraph {by_igraph(path)}")
for path in ("networkx.graphml", "igraph.graphml"):
    assert by_scikit_network(path) == ([True, True], [[0.0, 2.0], [2.0, 6.0]])
    assert by_igraph(path) == ([True, False], [2.0, 3.0])
assert by_scikit_network("default.graphml") == ([True, True], [[0.0, 1.0], [1.0, 6.0]])
assert by_igraph("default.graphml") == ([True, False], [7.0, 3.0])
PYTHON
"$room/venv/bin/python" -W ignore show.py
