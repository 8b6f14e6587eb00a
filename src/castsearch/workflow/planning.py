"""What a run does by its configuration: which networks are trained, and which files engines and detectors need."""

from collections.abc import Mapping
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

from castsearch.errors import InputError
from castsearch.faces import engines
from castsearch.faces.engine_files import EngineFiles
from castsearch.misnamed import nearly


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


def recipe_of(reid: Mapping, network: Mapping) -> dict[str, Any]:
    """Return the recipe by which a network is trained: the shared one, changed by the network's own keys.

    Args:
        reid: the section `reid` of a valid configuration.
        network: one of its networks that are trained.
    """
    recipe = reid["recipe"] | network
    return {key: recipe[key] for key in sorted(recipe) if key not in ("name", "imagenet")}


def file_mb(path: str) -> float:
    """Return the megabytes of a file of weights; 0 where there is none, such as of the packaged one, which is small."""
    return Path(path).stat().st_size / 2**20 if Path(path).is_file() else 0


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
    if kind in ("faces", "ssdlite"):
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
        raise InputError(
            f"film.persons.{kind}.file: {options['file']}: there is no such file{nearly(Path(options['file']))}"
        )
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
            folder = Path(files["images"])
            raise InputError(f"config: data.files.{split}.images: no such folder: {folder}{nearly(folder)}")
