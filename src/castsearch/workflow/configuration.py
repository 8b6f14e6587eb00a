"""Refuse a configuration that cannot work before anything runs, naming the key."""

import copy
import math
import re
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from castsearch.errors import InputError
from castsearch.export.formats import FORMATS
from castsearch.faces import engines
from castsearch.search.methods import METHODS
from castsearch.workflow.contradictions import contradictions

_KINDS = {"array": "list", "object": "mapping"}  # what JSON calls otherwise than YAML


def validate_config(config: MutableMapping, schema: Mapping) -> None:
    """Check `config` against a JSON schema, then the combinations that a schema cannot express.

    What the sections of the face engines leave out is filled in with the engines' own defaults, and numbers without a
    fraction become integers, so that 5.0 can be used to count.

    Args:
        config: the configuration.
        schema: of the configuration without what the library knows: the names of methods, re-rankings and face engines,
            and the sections of the engines.

    Raises:
        InputError: names every key that is wrong, one line each.
    """
    schema = completed(schema)
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda error: list(map(str, error.path)))
    lines = [_explain(error) for error in errors] or [*_not_finite(config), *contradictions(config)]
    if lines:
        raise InputError(*(f"config: {line}" for line in lines))
    for name in engines.available():
        section = config["faces"].setdefault(name, {})
        for option, description in engines.load(name).OPTIONS.items():
            if "default" in description:
                section.setdefault(option, copy.deepcopy(description["default"]))
    _make_integers(config)


def _make_integers(section: Any) -> None:
    for key, value in section.items() if isinstance(section, dict) else enumerate(section):
        if isinstance(value, dict | list):
            _make_integers(value)
        elif isinstance(value, float) and value.is_integer():
            section[key] = int(value)


def check_keys(path: str | Path) -> None:
    """Check a configuration file for what YAML understands otherwise than people do.

    Of a key that occurs twice in its section it would lose the first; `010` is 8 to it, and `1:30` is 90.

    Raises:
        InputError: names the file, the lines and the key or the number.
    """
    try:
        root = yaml.compose(Path(path).read_text(encoding="utf-8-sig"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # an anchor, which may even contain itself
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.ScalarNode) and _is_odd_number(node):
            line = node.start_mark.line + 1
            raise InputError(f"{path}: line {line}: YAML takes {node.value} for another number; write it in decimals")
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if name in lines:
                    raise InputError(f"{path}: the key {name} occurs twice, in lines {lines[name]} and {line}")
                lines[name] = line
                waiting.append(value)


def _is_odd_number(node: yaml.ScalarNode) -> bool:
    """Whether a scalar is a number with the base 8 or 60, which YAML 1.1 sees in a zero before it or a colon in it."""
    number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
    return number and (":" in node.value or re.fullmatch(r"[-+]?0[0-9_]+", node.value) is not None)


def check_interpreter(path: str) -> None:
    """Check that Snakemake can start scripts by this Python: it puts the path into a command line as it is.

    Raises:
        InputError: the path has characters that a shell takes for its own.
    """
    if special := re.search(r"""[\s"'`\\$&;|<>()\[\]{}*?!#~^]""", path):
        raise InputError(
            f"the path of Python, {path}, has the character {special[0]!r}, with which Snakemake cannot start scripts; "
            "move the project to a folder without it and run `make install` there"
        )


def completed(schema: Mapping) -> dict:
    """The schema with the names of all methods, re-rankings and face engines, and a section for each engine."""
    completed = copy.deepcopy(dict(schema))
    completed["$defs"]["method"] = {"enum": list(METHODS)}
    completed["properties"]["export"]["items"] = {"enum": list(FORMATS)}
    rerank = completed["properties"]["rerank"]["properties"]
    rerank["method"] = {"enum": [name for name in rerank if name != "method"]}
    completed["$defs"]["engine"] = {"enum": engines.available()}
    for name in engines.available():
        completed["properties"]["faces"]["properties"][name] = {
            "type": "object",
            "additionalProperties": False,
            "properties": engines.load(name).OPTIONS,
        }
    return completed


def _explain(error: ValidationError) -> str:
    if error.context:  # of several forms that a value may have, the one that it comes closest to
        closest = best_match([error])
        if closest is error:
            key = ".".join(str(part) for part in error.absolute_path)
            return f"{key}: {', and '.join(dict.fromkeys(_message(part) for part in error.context))}"
        return _explain(closest)
    key = ".".join(str(part) for part in error.absolute_path) or "top level"
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        known = set(schema.get("properties", {}))
        unknown = ", ".join(sorted(map(str, set(error.instance) - known)))
        return f"{key}: unknown key {unknown}; known here: {', '.join(sorted(known))}"
    meaning = schema.get("description")
    return f"{key}: {_message(error)}" + (f"; it is {meaning}" if meaning else "") + _hint(error)


def _message(error: ValidationError) -> str:
    """What is wrong, in the words of YAML."""
    if error.validator != "type":
        return str(error.message)
    asked = error.validator_value
    kinds = map(str, asked) if isinstance(asked, list) else [str(asked)]
    return f"{error.instance!r} is not of type {', '.join(repr(_KINDS.get(kind, kind)) for kind in kinds)}"


def _hint(error: ValidationError) -> str:
    """What to write for a number that YAML takes for a text, or for a text that it takes for something else."""
    if (
        error.validator == "type"
        and "string" in str(error.validator_value)
        and not isinstance(error.instance, dict | list)
    ):
        return "" if error.instance is None else "; YAML does not read it as text: put it into quotation marks"
    if error.validator != "type" or error.validator_value not in ("number", "integer"):
        return ""
    try:
        number = float(str(error.instance))
    except ValueError:
        return ""
    return f"; YAML takes it for a text: write {number!r}, without quotation marks and with a point before any exponent"


def _not_finite(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{key}: {value} is no finite number"
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _not_finite(part, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _not_finite(part, f"{key}.{number}")
