"""The formats that a film's appearances can be written in.

Another format is a module with an entry in this table and a function `render`, which takes a
`film_timeline.FilmTimeline` and returns the texts of its files by their names. What is no text, or too large for the
memory, has a function `write` instead, which takes the folder first.
"""

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from castsearch import files

if TYPE_CHECKING:
    from castsearch.export.film_timeline import FilmTimeline

FORMATS: Mapping[str, str] = {
    "elan": "castsearch.export.elan",
    "webvtt": "castsearch.export.webvtt",
    "otio": "castsearch.export.otio",
    "edl": "castsearch.export.edl",
    "cvat": "castsearch.export.cvat",
    "mot": "castsearch.export.mot",
    "web_annotation": "castsearch.export.web_annotation",
    "tib": "castsearch.export.tib",
    "preview": "castsearch.export.preview",
}
"""Full name of the module of each format, by the name under which a configuration chooses it."""


def write_formats(folder: str | Path, timeline: "FilmTimeline", names: Iterable[str]) -> None:
    """Write a film's appearances in the formats of these names, of `FORMATS`."""
    for name in names:
        module = import_module(FORMATS[name])
        if hasattr(module, "write"):
            module.write(folder, timeline)
            continue
        for path, text in module.render(timeline).items():
            files.write_text(Path(folder, path), text)
