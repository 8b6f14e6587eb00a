"""What a JSON schema cannot say of a configuration: keys whose values do not go together."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec

from castsearch.search.methods import METHODS
from castsearch.workflow.planning import is_trained

_READ_BY = {"films": ("films", "cast"), "files": ("files",)}  # by source, the keys of `data` that no other source reads
PHOTOGRAPHED = 10
"""How many people there are in `castsearch.demo`, which is not imported for its weight."""


def contradictions(config: Mapping) -> Iterator[str]:
    """Yield what of a configuration, which its schema allows, cannot be; each time with the key."""
    data, faces, networks = config["data"], config["faces"], config["reid"]["networks"]
    own = data["source"]
    for source, keys in _READ_BY.items():
        for key in keys:
            if data[key] and source != own:
                yield f"data.{key}: the source {own} does not read it; set data.source to {source}, or leave it out"
    for purpose in ("train", "search"):
        for split in data[purpose]:
            if data["source"] == "files" and not data["files"].get(split):
                yield f"data.{purpose}: the split {split} has no entry under data.files"
    if data["source"] == "demo" and data["demo"]["cast"] + data["demo"]["others"] > PHOTOGRAPHED:
        yield f"data.demo: cast + others is more than the {PHOTOGRAPHED} people that there are photographs of"
    yield from _of_networks(data, networks)
    yield from _of_recipes(config["reid"])
    trained = list(filter(is_trained, networks)) if data["train"] else []
    best = [network["name"] for network in trained if (config["reid"]["recipe"] | network)["use"] == "best"]
    if best and not any(_labelled(data, split) for split in data["search"] if split not in data["train"]):
        yield f"reid: use best of {', '.join(best)}: no searched split has labels and does not train; use the last"
    low, high = faces["selection"].get("centre_band", (0, 1))
    if low >= high:
        yield f"faces.selection.centre_band: {low} is not below {high}"
    yield from _of_search(config)
    listed = {f"variants.{number}": variant for number, variant in enumerate(config["variants"])}
    for key, variant in {"fusion": config["fusion"], **listed}.items():
        thresholds = variant.get("thresholds") or []
        if sorted(thresholds, reverse=True) != thresholds:
            yield f"{key}.thresholds: each must not be above the one before it"


def _of_search(config: Mapping) -> Iterator[str]:
    name, networks = config["search"]["method"], config["reid"]["networks"]
    method = METHODS[name]
    if config["search"]["scope"] == "split" and not method.across:
        able = ", ".join(other for other, method in METHODS.items() if method.across)
        yield f"search.scope: split needs more memory with search.method {name}; {able} can do it"
    if config["search"]["corrections"] and not method.shares:
        able = ", ".join(other for other, method in METHODS.items() if method.shares)
        yield f"search.corrections: search.method {name} cannot use them; {able} can"
    if config["export"] and config["data"]["source"] != "films":
        yield "export: only films have times; leave it empty, or set data.source to films"
    if config["export"] and not method.shares:
        able = ", ".join(other for other, method in METHODS.items() if method.shares)
        yield f"export: search.method {name} names no boxes; {able} does"
    if config["fusion"]["face_rerank"] and not method.face_rerank:
        yield f"fusion.face_rerank: search.method {name} takes cosines of faces as they are; set it to false"
    if config["fusion"]["body_rerank"] and not (method.body_rerank and networks):
        why = f"search.method {name} links bodies as they are" if networks else "reid.networks is empty"
        yield f"fusion.body_rerank: {why}; set it to false"


def _labelled(data: Mapping, split: str) -> bool:
    if data["source"] == "demo":
        return split != "test" and data["demo"]["movies"][split] > 0
    return "labels" in data["files"].get(split, {})


def _known_to_timm(name: str) -> bool:
    """Whether timm has pretrained weights of this model, whose name may have their tag.

    Where timm is not installed, as where Snakemake has an environment of its own, it is the training that looks.
    """
    if find_spec("timm") is None:
        return True
    import timm  # noqa: PLC0415 (it takes seconds, and few configurations name one of its models)

    return timm.is_model_pretrained(name)


def _of_recipes(reid: Mapping) -> Iterator[str]:
    for number, network in enumerate(reid["networks"]):
        if not is_trained(network):
            continue
        recipe = reid["recipe"] | network
        if 0 < recipe["epochs"] <= recipe["warmup"]:
            yield f"reid.networks.{number}: warmup takes all of its {recipe['epochs']} epochs"
        for key in ("erasing_area", "erasing_aspect"):
            if recipe[key][0] > recipe[key][1]:
                yield f"reid.networks.{number}: {key}: {recipe[key][0]} is above {recipe[key][1]}"
        if reid["gpus"] > recipe["people"] * recipe["images"]:
            yield f"reid.gpus: more than the images of a batch of reid.networks.{number}"


def _of_networks(data: Mapping, networks: list[Mapping]) -> Iterator[str]:
    names = [network["name"] for network in networks]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"reid.networks: the name {name} occurs twice"
    for number, network in enumerate(networks):
        backbone = network.get("backbone", "")
        if backbone.startswith("timm/") and not _known_to_timm(backbone.removeprefix("timm/")):
            yield f"reid.networks.{number}.backbone: {backbone} is none of timm's models that have pretrained weights"
        if network.get("imagenet") == "packaged" and backbone != "mobilenet_v2":
            yield f"reid.networks.{number}.imagenet: only mobilenet_v2 is packaged; name the file for {backbone}"
    if not data["train"] or not any(map(is_trained, networks)):
        return
    if data["source"] == "demo" and not sum(data["demo"]["movies"][split] for split in data["train"]):
        yield "data.demo.movies: no movie to train the networks on; add one, or empty data.train"
