"""The embedded data set as files of the challenge's format, without the workflow."""

from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from castsearch.demo import movie_ids
from castsearch.demo.movies import MovieSettings, write_movie, write_split


def write_dataset(folder: str | Path, movies: Mapping[str, int], settings: MovieSettings) -> None:
    """Write `{split}.json`, `{split}_label.json` and the image folder `{split}/` of every split.

    Args:
        folder: where they go.
        movies: how many movies each split has.
        settings: size and difficulty of the movies.

    Raises:
        InputError: see `movies.write_movie`.
    """
    folder = Path(folder)
    for split, number in movies.items():
        names = tqdm(movie_ids(split, number), f"write {split}", unit="movie")
        write_split(split, {movie: write_movie(split, movie, settings, folder / split) for movie in names}, folder)
