"""The model files of a run: which they were, and on what terms they can be used."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from castsearch import files


def list_models(
    face_tables: Sequence[str | Path],
    licences: Mapping[str, str],
    networks: Mapping[str, str | Path],
    imported: Mapping[str, str],
) -> list[dict[str, str]]:
    """Describe the model files of a run.

    Args:
        face_tables: one of each face engine; its metadata name `engine` and `models`, each with `file` and `sha256`.
        licences: terms of use of each engine's models.
        networks: path of the trained weights per ReID network.
        imported: file that they were imported from, of those that this run did not train.

    Returns:
        For each file its `model`, `file`, `sha256` and `licence`.
    """
    engines = [json.loads(files.read_table(path).schema.metadata[b"engine"]) for path in face_tables]
    faces = [
        {"model": engine["engine"], "licence": licences[engine["engine"]], **model}
        for engine in engines
        for model in engine["models"]
    ]
    return faces + [
        {
            "model": name,
            "file": Path(path).name,
            "sha256": files.file_digest(path),
            "licence": f"that of {imported[name]}" if name in imported else "trained by this run",
        }
        for name, path in networks.items()
    ]
