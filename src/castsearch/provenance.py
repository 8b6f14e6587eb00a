"""What a result was made with: the code behind a rule, files, packages and the commit."""

import ast
import hashlib
import json
import platform
import shutil
import subprocess
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
    "dlib": ["dlib-bin"],
    "onnxruntime": ["onnxruntime", "onnxruntime-gpu"],
    "onnx2torch": ["onnx2torch"],
    "insightface": ["insightface"],
    "cv2": ["opencv-python-headless"],
    "PIL": ["pillow"],
    "pyarrow": ["pyarrow"],
}

_PACKAGE = Path(__file__).resolve().parent


def source_digest(script: str | Path) -> str:
    """Return a digest of `script`, of every module of this package that it imports, directly or not, and of versions.

    A rule that carries it as a parameter is rerun when library code that it uses has changed, or one of the `COMPUTING`
    packages that this code imports, and only then: comments, docstrings and layout do not count.
    """
    digest = hashlib.sha256()
    closure = _closure(Path(script).resolve())
    for path in sorted(closure, key=lambda path: path.relative_to(_PACKAGE.parent)):
        digest.update(path.relative_to(_PACKAGE.parent).as_posix().encode() + b"\0" + _meaning(path))
    imported = {name.partition(".")[0] for path in closure for name in _imports(path)}
    packages = [package for name in COMPUTING if name in imported for package in COMPUTING[name]]
    digest.update(json.dumps(_installed(packages)).encode())
    return digest.hexdigest()[:16]


@cache
def _meaning(path: Path) -> bytes:
    """What of a file decides on results: a module without comments and docstrings, any other file as it is."""
    if path.suffix != ".py":
        return path.read_bytes()
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree).encode()


def _closure(script: Path) -> set[Path]:
    seen: set[Path] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting.extend(_parts(path))
    return seen


def _parts(path: Path) -> set[Path]:
    """Files of this package that one file imports, and the templates that lie beside them."""
    files = {file for name in _imports(path) for file in _files_of(name)}
    if path.suffix == ".py" and path.parent == _PACKAGE:
        files.update(path.parent.glob(f"{path.stem}.*.j2"))
        files.update(path.parent.glob(f"{path.stem}.css"))
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
    return [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()]


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
