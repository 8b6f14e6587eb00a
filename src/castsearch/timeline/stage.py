"""Stage appearances: the tables of who is on screen when, of all movies."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from castsearch import files
from castsearch.data.name_tables import read_names
from castsearch.timeline import appearances, summary
from castsearch.timeline.of_films import FilmTables, film_appearances, read_named, read_shots
from castsearch.tsv import write_tsv


class Tables(NamedTuple):
    """What the stage makes: see `appearances` and `summary`.

    Attributes:
        appearances: a table per movie, in the order that was asked for.
        screen_time: of all movies.
        together: of all movies.
    """

    appearances: list[pd.DataFrame]
    screen_time: pd.DataFrame
    together: pd.DataFrame


def film_tables(
    parts: Mapping[str, int],
    tracks: Iterable[str | Path],
    followed: Iterable[str | Path],
    shots: Iterable[str | Path],
    steps: Iterable[float],
) -> dict[str, FilmTables]:
    """Return what is known of the time of each film, by its name.

    Args:
        parts: by film, how many parts it has.
        tracks: the table of tracks of each film.
        followed: the tables of who was followed, of all parts, film by film.
        shots: the table of shots of each film.
        steps: seconds between samples of each film.
    """
    waiting = iter(followed)
    return {
        film: FilmTables(own, list(islice(waiting, count)), own_shots, step)
        for (film, count), own, own_shots, step in zip(parts.items(), tracks, shots, steps, strict=True)
    }


def make_tables(
    names: Iterable[tuple[str, str | Path, str | Path]],
    movies: Sequence[tuple[str, str]],
    films: Mapping[str, FilmTables],
) -> Tables:
    """Make the tables of all movies.

    Args:
        names: split, and paths of the tables of names and of groups, of what was searched together.
        movies: split and name of each movie.
        films: by name of the movie; a movie that is missing here has no times.
    """
    by_movie = {
        (split, movie): rows
        for split, path, groups in names
        for movie, rows in read_named(path, groups).groupby("movie", sort=False)
    }
    nobody = read_names([])
    made: list[pd.DataFrame] = []
    screen, pairs = [], []
    for split, movie in movies:
        own = by_movie.get((split, movie), nobody)
        if movie in films:
            film = films[movie]
            shots = read_shots(film)
            rows = film_appearances(own, film)
            length = shots["end"].max() - shots["start"].min()
        else:
            shots = pd.DataFrame(columns=["shot", "length"])
            rows = appearances.of_boxes(own)
            length = own["frame"].nunique()
        made.append(rows)
        screen.append(summary.screen_time(split, movie, rows, length))
        pairs.append(summary.together(split, movie, rows, dict(zip(shots["shot"], shots["length"], strict=True))))
    return Tables(made, summary.stack(screen, summary.SCREEN_TIME), summary.stack(pairs, summary.TOGETHER))


def write_tables(
    tables: Tables, paths: Iterable[str | Path], screen_time: str | Path, together: str | Path, graph: str | Path
) -> None:
    """Write the tables: the appearances of each movie, and three files of all."""
    for table, path in zip(tables.appearances, paths, strict=True):
        appearances.write_appearances(path, table)
    for path, table in ((screen_time, tables.screen_time), (together, tables.together)):
        write_tsv(path, table, decimals=3)
    files.write_text(graph, summary.to_graphml(summary.graph(tables.screen_time, tables.together)))
