"""The formats that a film's appearances can be written in.

Another format is a module with a function `render`, which takes a `film_timeline.FilmTimeline` and returns the texts of
its files by their names, and an entry in this table.
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
}
"""Full name of the module of each format, by the name under which a configuration chooses it."""


def write_formats(folder: str | Path, timeline: "FilmTimeline", names: Iterable[str]) -> None:
    """Write a film's appearances in the formats of these names, of `FORMATS`."""
    for name in names:
        for path, text in import_module(FORMATS[name]).render(timeline).items():
            files.write_text(Path(folder, path), text)
