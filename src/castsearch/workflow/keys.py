"""Every key of the configuration as a Markdown page, made from its schema: `python -m castsearch.workflow.keys`."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from castsearch.workflow.configuration import completed

_ROOT = Path(__file__).resolve().parents[3]
_NONE = object()  # in place of a default, where there is none
_LIMITS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}
_HEAD = """# The keys of the configuration

Snakemake reads `config/config.yaml` where this workflow was deployed by `snakedeploy`, and any file that is named by
`--configfile`. It needs only the keys that differ from the defaults. [config.yaml](../config.yaml) explains every key,
and [configs/](../configs) has examples.

This page is made from the schema by `.venv/bin/python -m castsearch.workflow.keys > config/README.md`.

| key | value | default |
| --- | --- | --- |
"""


def page(schema: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Return the page: a row for each key that a valid configuration may have at a fixed place.

    Args:
        schema: of the configuration, complete.
        defaults: the configuration that fills in what a user leaves out.
    """
    rows = [
        f"| `{key}` | {_value(node, schema)} | {default} |" for key, node, default in _keys(schema, schema, defaults)
    ]
    return _HEAD + "\n".join(rows) + "\n"


def _keys(
    node: Mapping[str, Any], schema: Mapping[str, Any], defaults: object, prefix: str = ""
) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Yield the keys below a node of the schema, depth first, with their own nodes and defaults."""
    for name, value in _resolved(node, schema).get("properties", {}).items():
        child = _resolved(value, schema)
        default = defaults.get(name, _NONE) if isinstance(defaults, Mapping) else _NONE
        if "properties" in child:
            yield from _keys(child, schema, default, f"{prefix}{name}.")
        else:
            default = child.get("default", default)
            yield f"{prefix}{name}", child, "" if default is _NONE else f"`{json.dumps(default)}`"


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node that a reference stands for."""
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return node


def _value(node: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a value must be, in words."""
    node = _resolved(node, schema)
    if "enum" in node:
        return ", ".join(f"`{json.dumps(value)}`" for value in node["enum"])
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    for several in ("oneOf", "anyOf"):
        if several in node:
            return " or ".join(_value(each, schema) for each in node[several])
    kinds = node.get("type", "any")
    words = " or ".join(kinds) if isinstance(kinds, list) else kinds
    return words + "".join(f", {word} {node[key]}" for key, word in _LIMITS.items() if key in node)


def main() -> None:
    """Write the page of this project to the standard output."""
    schema = yaml.safe_load((_ROOT / "schemas/config.schema.yaml").read_text())
    sys.stdout.write(page(completed(schema), yaml.safe_load((_ROOT / "config.yaml").read_text())))


if __name__ == "__main__":
    main()
