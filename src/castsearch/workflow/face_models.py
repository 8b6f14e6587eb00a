"""Which files a face engine is made of, and which of them the workflow makes: imports from MXNet and downloads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

from castsearch.errors import InputError

PARTS = ("detector", "recogniser")
FOLDER = "results/models"
PACKS = "~/.insightface/models"  # where the package insightface keeps its own downloads

# Of the networks that are imported from MXNet: what their input must be, None for any size, …
INPUT_SIZES = {"detector": None, "recogniser": (112, 112)}
# … and inputs to try them on: one, several, and for the detector sides that no stride divides.
TRIAL_SHAPES = {
    "detector": [(1, 3, 160, 128), (2, 3, 211, 173)],
    "recogniser": [(1, 3, 112, 112), (3, 3, 112, 112)],
}


@dataclass(frozen=True)
class FaceModels:
    """What the rules need to know of a face engine.

    Attributes:
        detection: options of the engine where it only detects, so that another recogniser does not detect anew.
        embedding: options of the engine where it embeds.
        detection_files: model files, or folders of them, that detection depends on,
        embedding_files: and embedding.
        checkpoints: by imported file the symbol and the params file that it comes from.
        pack: the name of a pack that has to be downloaded.
        gpus: how many GPUs the engine can use.
    """

    detection: Mapping[str, object]
    embedding: Mapping[str, object]
    detection_files: tuple[str, ...] = ()
    embedding_files: tuple[str, ...] = ()
    checkpoints: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    pack: str | None = None
    gpus: int = 1


def plan(engine: str, options: Mapping) -> FaceModels:
    """Find an engine's files, and what it takes to make those that are not there yet.

    Args:
        engine: its name.
        options: the engine's section of the configuration.

    Raises:
        InputError: a model file is missing.
    """
    match engine:
        case "retinaface_arcface":
            return _retinaface_arcface(options)
        case "insightface":
            return _insightface(options)
    return FaceModels(options, options, gpus=0)


def _retinaface_arcface(options: Mapping) -> FaceModels:
    files, checkpoints = {}, {}
    for part in PARTS:
        source, key = options[part], f"faces.retinaface_arcface.{part}"
        if isinstance(source, str):
            files[part] = _existing(key, source, "name an ONNX file, or an MXNet checkpoint to import")
            continue
        prefix, epoch = source["prefix"], f"{source['epoch']:04d}"
        files[part] = f"{FOLDER}/{part}/{Path(prefix).name}-{epoch}.onnx"
        remedy = "an MXNet checkpoint is two files, PREFIX-symbol.json and PREFIX-EPOCH.params"
        checkpoints[files[part]] = tuple(
            _existing(key, f"{prefix}-{rest}", remedy) for rest in ("symbol.json", f"{epoch}.params")
        )
    others = {key: value for key, value in options.items() if key not in PARTS}
    return FaceModels(
        detection=others | {"detector": files["detector"]},
        embedding=others | files,
        detection_files=(files["detector"],),
        embedding_files=tuple(files.values()),
        checkpoints=checkpoints,
    )


def _insightface(options: Mapping) -> FaceModels:
    pack, own = options["pack"], options["recogniser"]
    folders = [Path(pack).expanduser(), Path(PACKS, pack).expanduser()]
    found = next((folder for folder in folders if folder.is_dir()), None)
    if found is None and "/" in pack:
        raise InputError(f"faces.insightface.pack: {pack}: there is no such folder; a pack's name has no slash")
    folder = found or Path(FOLDER, pack)
    files = tuple(sorted(str(path) for path in found.rglob("*.onnx") if path.is_file())) if found else (str(folder),)
    detection = {key: value for key, value in options.items() if key != "recogniser"} | {"pack": str(folder)}
    if own is None:
        own_files = ()
    else:
        remedy = "name an ONNX file, or null for the pack's own recogniser"
        own_files = (_existing("faces.insightface.recogniser", own["file"], remedy),)
    return FaceModels(
        detection=detection,
        embedding=detection | {"recogniser": own},
        detection_files=files,
        embedding_files=files + own_files,
        pack=None if found else pack,
    )


def mxnet_python(command: str) -> str:
    """Find the Python of MXNet's own environment.

    Args:
        command: its path, or its name where it is on the PATH.

    Raises:
        InputError: there is no such program.
    """
    found = which(command)
    if found is None:
        raise InputError(
            f"faces.mxnet.python: {command} is not there: `make mxnet` sets it up, and so does "
            "`conda env create --prefix .venv-mxnet --file envs/mxnet.yaml`; or do without it, by "
            "faces.mxnet.verify: false"
        )
    return found


def _existing(key: str, path: str, remedy: str) -> str:
    if not Path(path).is_file():
        raise InputError(f"{key}: {path}: the model file is missing; {remedy}; see docs/face-models.md")
    return path
