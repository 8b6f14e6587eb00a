#!/usr/bin/env bash
# Of some people in a graph of who is with whom something is not known, as whether they are credited, since when they are in the
# film, which role they have: the attribute of the node is None. igraph writes the graph as GraphML.
#
# Expected: what is not known is left out, as GraphML has it, and is None again, or at least not a value, when it is read.
# Seen (igraph 1.0.0): it depends on what the others have. Among numbers None is left out of GraphML, and comes back as "not
# a number". Among booleans it is written as false, so that nobody can tell who is not credited from who is not known.
# Among texts it is the text "None", a role like another one. networkx 3.6.1 reads all that as it stands.
# What helps: numbers for all three, 1 and 0 for booleans; or write by networkx, which leaves out what a node does not have.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check networkx==3.6.1 igraph==1.0.0
cd "$room"
cat > show.py <<'PYTHON'
import igraph
import networkx

PEOPLE = {"credited": [True, False, None], "since": [1.0, None, 2.5], "role": ["lead", None, ""]}
graph = igraph.Graph.Ring(3, circular=False)
graph.vs["person"] = ["ada", "bo", "cy"]
for name, values in PEOPLE.items():
    graph.vs[name] = values
graph.write_graphml("graph.graphml")
read = igraph.Graph.Read_GraphML("graph.graphml")
seen = {name: ["nan" if value != value else value for value in read.vs[name]] for name in PEOPLE}
by_networkx = [values for _, values in networkx.read_graphml("graph.graphml").nodes(data=True)]
print("given:", PEOPLE)
print("written and read by igraph 1.0.0:", seen)
print("read by networkx 3.6.1:", by_networkx)
assert seen == {"credited": [True, False, False], "since": [1.0, "nan", 2.5], "role": ["lead", "None", ""]}
assert [person["credited"] for person in by_networkx] == [True, False, False]
assert by_networkx[1]["role"] == "None" and "since" not in by_networkx[1]
PYTHON
"$room/venv/bin/python" show.py
