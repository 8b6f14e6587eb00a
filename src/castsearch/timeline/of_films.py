"""The appearances of a film, from the tables of what was found in it.

Apart from the tables of all movies, so that what needs one film alone does not wait for the others.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from castsearch import files
from castsearch.data.name_tables import read_names
from castsearch.film.followed import join_boxes
from castsearch.timeline import appearances
from castsearch.tsv import read_tsv


class FilmTables(NamedTuple):
    """What is known of a film's time.

    Attributes:
        tracks: path of its table of tracks.
        followed: paths of the tables of who was followed, of its parts.
        shots: path of its table of shots.
        step: seconds between samples.
    """

    tracks: str | Path
    followed: Sequence[str | Path]
    shots: str | Path
    step: float


def read_named(names: str | Path, groups: str | Path) -> pd.DataFrame:
    """Read a table of names, in which unknown people who were seen more than once have the names of their groups."""
    table = read_names([names])
    group = table[["movie", "box"]].merge(read_tsv(groups), how="left")["group"]
    return table.assign(person=group.fillna(table["person"]))


def read_shots(film: FilmTables) -> pd.DataFrame:
    """Read the film's table of shots."""
    return pd.read_csv(film.shots, sep="\t")


def film_appearances(names: pd.DataFrame, film: FilmTables) -> pd.DataFrame:
    """Make the table of appearances of a film.

    Args:
        names: the film's rows of `read_named`.
        film: its other tables.
    """
    boxes = join_boxes(files.read_table(film.tracks), [files.read_table(path) for path in film.followed])
    return appearances.of_film(names, boxes, read_shots(film), film.step)
