"""The page of all keys."""

from pathlib import Path

import yaml

from castsearch.workflow import keys
from castsearch.workflow.configuration import completed

ROOT = Path(__file__).parents[2]
SCHEMA = {
    "$defs": {"count": {"type": "integer", "minimum": 1}},
    "properties": {
        "film": {"properties": {"fps": {"$ref": "#/$defs/count"}, "cuts": {"enum": ["a", "b"]}}},
        "file": {"type": ["string", "null"]},
    },
}


def test_each_key_has_a_row_with_its_values_and_its_default():
    rows = keys.page(SCHEMA, {"film": {"fps": 5}, "file": None}).splitlines()[-3:]
    assert rows == [
        "| `film.fps` | integer, at least 1 | `5` |",
        '| `film.cuts` | `"a"`, `"b"` |  |',
        "| `file` | string or null | `null` |",
    ]


def test_the_page_is_that_of_the_schema():
    schema = completed(yaml.safe_load((ROOT / "schemas/config.schema.yaml").read_text()))
    page = keys.page(schema, yaml.safe_load((ROOT / "config.yaml").read_text()))
    assert (ROOT / "config/README.md").read_text() == page
