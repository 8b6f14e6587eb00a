#!/usr/bin/env bash
# networkx writes who is with whom as GraphML. Seconds that happen to be whole are often Python integers among floats.
#
# Expected: an edge attribute with the values 2 and 2.5 is one attribute of numbers in the file, which others read.
# Seen (networkx 3.6.1): the file declares "seconds" twice, as long and as double. igraph 1.0.0 refuses it. With
# named_key_ids=True both declarations have one id as well, and networkx itself cannot read its file any more.
# What helps: make all values of an attribute float, or infer_numeric_types=True.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check networkx==3.6.1 igraph==1.0.0
cd "$room"
cat > show.py <<'PYTHON'
import igraph
import networkx


def by_igraph(path):
    return igraph.Graph.Read_GraphML(path).es["seconds"]


def by_networkx(path):
    return [seconds for _, _, seconds in networkx.read_graphml(path).edges(data="seconds")]


def read(reader, **options):
    graph = networkx.Graph()
    graph.add_edge("ada", "bo", seconds=2)
    graph.add_edge("bo", "cy", seconds=2.5)
    networkx.write_graphml(graph, "graph.graphml", **options)
    try:
        return reader("graph.graphml")
    except Exception as error:
        return f"{type(error).__name__}: {str(error).split(' -- ')[0]}"


seen = {}
for name, options in (("by default", {}), ("named ids", {"named_key_ids": True}), ("one type", {"infer_numeric_types": True})):
    seen[name] = read(by_networkx, **options), read(by_igraph, **options)
    print(f"{name}: read by networkx {seen[name][0]}; by igraph {seen[name][1]}")
assert seen["by default"][0] == [2, 2.5] and "Duplicate attribute name" in seen["by default"][1]
assert seen["named ids"][0].startswith("ValueError") and "Duplicate attribute ID" in seen["named ids"][1]
assert seen["one type"] == ([2, 2.5], [2, 2.5])
PYTHON
echo "networkx 3.6.1 and igraph 1.0.0:"
"$room/venv/bin/python" show.py
