"""Refuse a configuration that cannot work before anything runs, naming the key."""

import copy
import math
import re
from collections.abc import Iterator, Mapping, MutableMapping
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from castsearch.errors import InputError
from castsearch.export.formats import FORMATS
from castsearch.faces import engines
from castsearch.faces.engine_files import EngineFiles
from castsearch.search.methods import METHODS

_PHOTOGRAPHED = 10  # people in castsearch.demo, which is not imported for its weight


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
    lines = [_explain(error) for error in errors] or [*_not_finite(config), *_impossible(config)]
    if lines:
        raise InputError("\n".join(f"config: {line}" for line in lines))
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
    """Check that no key of a configuration file occurs twice in its section, of which YAML would lose the first.

    Raises:
        InputError: names the file, the lines and the key.
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
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if name in lines:
                    raise InputError(f"{path}: the key {name} occurs twice, in lines {lines[name]} and {line}")
                lines[name] = line
                waiting.append(value)


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


def adapt(config: dict) -> None:
    """Put into a valid configuration, in place, what follows from the rest of it.

    Films have nobody to train networks on. Where nobody trains, other networks take the place of those that would have
    to be trained.
    """
    if config["data"]["source"] == "films":
        config["data"] |= {"train": [], "search": ["films"]}
    reid = config["reid"]
    if not config["data"]["train"] and any(map(is_trained, reid["networks"])):
        reid["networks"] = [network for network in reid["networks"] if not is_trained(network)] or reid["untrained"]


def is_trained(network: Mapping) -> bool:
    """Whether an entry of `reid.networks` is trained by the run."""
    return network["kind"] in ("triplet", "mgn") and "weights" not in network


def plan_engine(config: Mapping, name: str, folder: str) -> EngineFiles:
    """Find the files of a face engine.

    Args:
        config: a valid configuration.
        name: of the engine.
        folder: where files are put that have to be made or downloaded.

    Raises:
        InputError: a file is missing; the message names its key.
    """
    options = config["faces"][name]
    engine = engines.load(name)
    missing = [option for option in engine.OPTIONS if option not in options]
    if missing:
        raise InputError(f"faces.{name}: {', '.join(missing)} must be given for this engine")
    try:
        return engine.plan(options, folder)
    except InputError as error:
        raise InputError(f"faces.{name}.{error}") from None


class PersonDetection(NamedTuple):
    """What the rule `persons` needs to know of its detector.

    Attributes:
        options: of the detector.
        files: its model files, or folders of them.
        modules: the library's modules that it chooses by name.
        threads: how many it can use.
    """

    options: Mapping
    files: tuple[str, ...]
    modules: tuple[str, ...]
    threads: int


def plan_persons(config: Mapping, folder: str) -> PersonDetection:
    """Find the files of the detector of persons in films.

    Args:
        config: a valid configuration.
        folder: where files are put that have to be made or downloaded.

    Raises:
        InputError: the detector's settings or a file is missing; the message names its key.
    """
    persons = config["film"]["persons"]
    kind = persons["detector"]
    module = f"castsearch.film.detectors.{kind}"
    if kind == "faces":
        engine = config["faces"]["engine"]
        files = plan_engine(config, engine, folder)
        modules = (module, f"castsearch.faces.engines.{engine}")
        options = {"engine": engine, "options": files.detection}
        return PersonDetection(options, files.detection_files, modules, engines.load(engine).THREADS)
    if kind not in persons:
        raise InputError(f"film.persons.{kind}: must be given for this detector")
    options = dict(persons[kind])
    if options["file"] is None:  # of torchvision's, which the rule torchvision_detector downloads
        options["file"] = f"{folder}/torchvision/{options['name']}.pth"
    elif not Path(options["file"]).is_file():
        raise InputError(f"film.persons.{kind}.file: {options['file']}: there is no such file")
    return PersonDetection(options, (options["file"],), (module,), 8)


def check_mxnet(python: str) -> None:
    """Check that the Python of MXNet's own environment is there.

    Args:
        python: its path, or its name where it is on the PATH.

    Raises:
        InputError: there is no such program.
    """
    if which(python) is None:
        raise InputError(
            f"faces.mxnet.python: {python} is not there: `make mxnet` sets it up, and so does "
            "`conda env create --prefix .venv-mxnet --file envs/mxnet.yaml`; or do without it, by "
            "faces.mxnet.verify: false"
        )


def check_files(splits: Mapping[str, Mapping[str, str]]) -> None:
    """Check that the image folder of every split is there: without it, skipping bad images would skip them all.

    Raises:
        InputError: names the key and the folder.
    """
    for split, files in splits.items():
        if not Path(files["images"]).is_dir():
            raise InputError(f"config: data.files.{split}.images: no such folder: {files['images']}")


def _explain(error: ValidationError) -> str:
    if error.context:  # of several forms that a value may have, the one that it comes closest to
        closest = best_match([error])
        if closest is error:
            key = ".".join(str(part) for part in error.absolute_path)
            return f"{key}: {', and '.join(dict.fromkeys(part.message for part in error.context or ()))}"
        error = closest
    key = ".".join(str(part) for part in error.absolute_path) or "top level"
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        known = set(schema.get("properties", {}))
        unknown = ", ".join(sorted(map(str, set(error.instance) - known)))
        return f"{key}: unknown key {unknown}; known here: {', '.join(sorted(known))}"
    meaning = schema.get("description")
    return f"{key}: {error.message}" + (f"; it is {meaning}" if meaning else "") + _hint(error)


def _hint(error: ValidationError) -> str:
    """What to write for a number that YAML takes for a text."""
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


def _impossible(config: Mapping) -> Iterator[str]:
    data, faces, networks = config["data"], config["faces"], config["reid"]["networks"]
    for purpose in ("train", "search"):
        for split in data[purpose]:
            if data["source"] == "files" and not data["files"].get(split):
                yield f"data.{purpose}: the split {split} has no entry under data.files"
    if data["source"] == "demo" and data["demo"]["cast"] + data["demo"]["others"] > _PHOTOGRAPHED:
        yield f"data.demo: cast + others is more than the {_PHOTOGRAPHED} people that there are photographs of"
    yield from _impossible_networks(data, networks)
    yield from _impossible_recipes(config["reid"])
    trained = list(filter(is_trained, networks)) if data["train"] else []
    best = [network["name"] for network in trained if (config["reid"]["recipe"] | network)["use"] == "best"]
    if best and not any(_labelled(data, split) for split in data["search"] if split not in data["train"]):
        yield f"reid: use best of {', '.join(best)}: no searched split has labels and does not train; use the last"
    low, high = faces["selection"].get("centre_band", (0, 1))
    if low >= high:
        yield f"faces.selection.centre_band: {low} is not below {high}"
    yield from _impossible_search(config)
    listed = {f"variants.{number}": variant for number, variant in enumerate(config["variants"])}
    for key, variant in {"fusion": config["fusion"], **listed}.items():
        thresholds = variant.get("thresholds") or []
        if sorted(thresholds, reverse=True) != thresholds:
            yield f"{key}.thresholds: each must not be above the one before it"


def _impossible_search(config: Mapping) -> Iterator[str]:
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


def _impossible_recipes(reid: Mapping) -> Iterator[str]:
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


def _impossible_networks(data: Mapping, networks: list[Mapping]) -> Iterator[str]:
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
