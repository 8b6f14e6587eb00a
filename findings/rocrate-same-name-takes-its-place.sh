#!/usr/bin/env bash
# A Research Object Crate keeps the files of a run with what is known of each. The Python package rocrate adds a file by its
# path.
#
# Expected: two tables of the same name from two folders, film1/names.tsv and film2/names.tsv, are two files in the crate,
# or the second one is refused.
# Seen (rocrate 0.16.0): one. Both get the name of the file without its folder, and the second takes the place of the first
# without a word, description included.
# What helps: give each its place in the crate: add_file(path, dest_path=path).
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check rocrate==0.16.0
cd "$room"
cat > show.py <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

from rocrate.rocrate import ROCrate

paths = []
for film in ("film1", "film2"):
    Path(film).mkdir()
    paths.append(Path(film, "names.tsv"))
    paths[-1].write_text(film)


def written(folder, **places):
    crate = ROCrate()
    for path in paths:
        crate.add_file(path, properties={"description": f"of {path.parent}"}, **{key: str(path) for key in places})
    crate.write(folder)
    files = {str(path.relative_to(folder)): path.read_text() for path in Path(folder).rglob("*.tsv")}
    return files, [entity["description"] for entity in crate.data_entities]


by_path, placed = written("crate1"), written("crate2", dest_path=True)
print(f"rocrate {version('rocrate')}, two files added by their paths:", *by_path)
print("with places:", *placed)
assert by_path == ({"names.tsv": "film2"}, ["of film2"])
assert placed == ({"film1/names.tsv": "film1", "film2/names.tsv": "film2"}, ["of film1", "of film2"])
PYTHON
"$room/venv/bin/python" show.py
