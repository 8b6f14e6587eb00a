"""Refuse a configuration that cannot work before anything runs, naming the key."""

from collections.abc import Mapping

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from castsearch.errors import InputError

_PHOTOGRAPHED = 10  # people in castsearch.demo, which is not imported for its weight


def validate(config: Mapping, schema: Mapping) -> None:
    """Check `config` against a JSON schema, then the combinations that a schema cannot express.

    Raises:
        InputError: names every key that is wrong, one line each.
    """
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda error: list(map(str, error.path)))
    lines = [_explain(error) for error in errors] or list(_impossible(config))
    if lines:
        raise InputError("\n".join(f"config: {line}" for line in lines))


def _explain(error: ValidationError) -> str:
    key = ".".join(str(part) for part in error.absolute_path) or "top level"
    if error.validator == "additionalProperties":
        known = set(error.schema.get("properties", {}))
        unknown = ", ".join(sorted(map(str, set(error.instance) - known)))
        return f"{key}: unknown key {unknown}; known here: {', '.join(sorted(known))}"
    return f"{key}: {error.message}"


def _impossible(config: Mapping):
    data, faces, networks = config["data"], config["faces"], config["reid"]["networks"]
    for purpose in ("train", "search"):
        for split in data[purpose]:
            if data["source"] == "files" and not data["files"].get(split):
                yield f"data.{purpose}: the split {split} has no entry under data.files"
    if data["source"] == "demo" and data["demo"]["cast"] + data["demo"]["others"] > _PHOTOGRAPHED:
        yield f"data.demo: cast + others is more than the {_PHOTOGRAPHED} people that there are photographs of"
    names = [network["name"] for network in networks]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"reid.networks: the name {name} occurs twice"
    for number, network in enumerate(networks):
        backbone = network["backbone"]
        if network["imagenet"] == "packaged" and backbone != "mobilenet_v2":
            yield f"reid.networks.{number}.imagenet: only mobilenet_v2 is packaged; name the file for {backbone}"
    if networks and not data["train"]:
        yield "data.train: no split to train the networks on; name one, or empty reid.networks"
    if faces["engine"] not in faces:
        yield f"faces.engine: {faces['engine']} has no section under faces"
    method = config["search"]["method"]
    if config["search"]["scope"] == "split" and method != "diffusion":
        yield f"search.scope: split needs the memory of search.method diffusion, not {method}"
    if config["fusion"]["body_rerank"] and method == "diffusion":
        yield "fusion.body_rerank: search.method diffusion links bodies as they are; set it to false"
    thresholds = config["fusion"]["thresholds"]
    if sorted(thresholds, reverse=True) != thresholds:
        yield "fusion.thresholds: each must not be above the one before it"
