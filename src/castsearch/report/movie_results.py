"""What the report says of each movie: its cast, what was found for each of them, and how right that is."""

from collections import ChainMap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from castsearch import files
from castsearch.data.crops import Crops, movie_tables, read_crops
from castsearch.data.portraits import searched_portraits
from castsearch.data.rankings import by_split, read_alike, read_ranks
from castsearch.evaluation.labels import cast_of, read_labels
from castsearch.evaluation.metrics import average_precision_at
from castsearch.evaluation.tables import score_queries, summarize
from castsearch.report.stored_image import Encoded, stored_images


@dataclass(frozen=True)
class Hit:
    """One candidate in the ranking of a cast member.

    Attributes:
        id: the candidate id.
        rank: from 1.
        rank_before: its rank in the baseline; None where it is not listed.
        right: whether it shows the cast member; None without labels.
        num_relevant: how many candidates show the cast member.
        faceless: whether the detector found no face in it.
        image: the crop; None where it cannot be read.
    """

    id: str
    rank: int
    rank_before: int | None
    right: bool | None
    num_relevant: int
    faceless: bool
    image: Encoded | None

    @property
    def beyond(self) -> bool:
        """Whether its rank is so low that all relevant candidates have room above it."""
        return self.right is not None and self.rank > self.num_relevant

    @property
    def found(self) -> bool:
        """Whether R-precision counts it: right, and among the first R, R being the number of relevant candidates."""
        return bool(self.right) and not self.beyond

    @property
    def found_before(self) -> bool:
        """The same for the baseline."""
        return bool(self.right) and self.rank_before is not None and self.rank_before <= self.num_relevant

    @property
    def climb(self) -> int:
        """By how many ranks it stands higher than in the baseline."""
        return 0 if self.rank_before is None else self.rank_before - self.rank


@dataclass(frozen=True)
class Query:
    """One cast member and the answer to the portrait.

    Attributes:
        cast: the cast id.
        person: who it is: the name that all portraits of this person share.
        image: the portrait; None where it cannot be read.
        num_faces: how many faces the detector found in the portrait.
        searched: what of the portrait is searched, in a few words.
        warning: what may be wrong with the portrait, in a few words; None if nothing is.
        hits: the first candidates of the ranking, then those further down that show this person.
        labelled: whether it is known which candidates show this person.
        num_relevant: how many candidates show this person.
        ap: average precision; NaN where there is none.
        ap_before: that of the baseline.
    """

    cast: str
    person: str
    image: Encoded | None
    num_faces: int
    searched: str
    warning: str | None
    hits: Sequence[Hit]
    labelled: bool
    num_relevant: int
    ap: float
    ap_before: float


@dataclass(frozen=True)
class MovieResults:
    """One searched movie.

    Attributes:
        split: its split.
        name: the movie id.
        queries: its cast.
        num_candidates: how many person boxes it has.
        num_faceless: in how many of them the detector found no face.
        scores: `queries`, `mAP` and `CMC@k`, see `tables.summarize`.
        scores_before: those of the baseline.
    """

    split: str
    name: str
    queries: Sequence[Query]
    num_candidates: int
    num_faceless: int
    scores: pd.Series
    scores_before: pd.Series

    @property
    def portraits(self) -> dict[str, Encoded | None]:
        """The first portrait of each of the cast, by name."""
        first: dict[str, Encoded | None] = {}
        for query in self.queries:
            first.setdefault(query.person, query.image)
        return first

    def in_short(self) -> "MovieResults":
        """What of it the index of all movies says: of the hits, the right ones in whom no face was found."""
        short = [[hit for hit in query.hits if hit.faceless and hit.right] for query in self.queries]
        return replace(
            self, queries=[replace(query, hits=hits) for query, hits in zip(self.queries, short, strict=True)]
        )


@dataclass(frozen=True)
class _Answers:
    """What is known of one split by cast id.

    Attributes:
        labels: of the split.
        ranks: of what is shown, by candidate,
        ranks_before: and in the baseline.
        alike: portraits of another name that look like it.
    """

    labels: Mapping[str, Sequence[str]]
    ranks: Mapping[str, Mapping[str, int]]
    ranks_before: Mapping[str, Mapping[str, int]]
    alike: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Person:
    """One row of a movie's tables."""

    is_cast: bool
    image: Encoded | None
    num_faces: int
    has_own_face: bool
    turn: int
    searched: bool
    left_out: bool

    @property
    def faceless(self) -> bool:
        """Whether this is a candidate in which the detector found no face."""
        return not self.is_cast and self.image is not None and self.num_faces == 0


def read_movies(
    crop_tables: Sequence[str | Path],
    face_tables: Sequence[str | Path],
    rankings: Iterable[str | Path],
    labels: Mapping[str, str | Path],
    *,
    variant: str,
    baseline: str,
    across: bool,
    on_unclear: str,
    top: int,
) -> tuple[Iterator[MovieResults], list[tuple[str, str]]]:
    """Read what the report says of every movie, each by the rankings and labels of its own split alone.

    No ranking is held as a whole, and of movies that are searched by themselves one at a time.

    Args:
        crop_tables: those of the movies.
        face_tables: those of the same movies, in the same order.
        rankings: tables of rankings.
        labels: the label file of each split that has one.
        variant: the variant whose rankings are shown.
        baseline: the variant that it is compared with.
        across: whether all movies of a split were searched together.
        on_unclear: what happened to people without a clear portrait, see `searched_portraits`.
        top: how many candidates of each ranking to show.

    Returns:
        The movies in the order of the crop tables, one after the other; and id and reason of every label that the split
        has no place for.

    Raises:
        InputError: see `read_ranks` and `read_labels`.
    """
    tables = list(zip(crop_tables, face_tables, strict=True))
    ranked, answers, left_out = by_split(rankings), {}, []
    # A search of all movies of a split finds people of others; without one, an id may occur in several movies.
    of_splits: dict[str, dict[str, _Person]] = {}
    for crops, faces in tables:
        others = of_splits.setdefault(read_crops(crops).split, {})
        if across:
            others |= _people(crops, faces, on_unclear)
    for split in of_splits:
        known: Mapping[str, Sequence[str]] = {}
        if split in labels:
            cast = cast_of(own for own in map(read_crops, crop_tables) if own.split == split)
            # An id that the split does not have has stopped the evaluation, unless it is to be skipped.
            known, skipped = read_labels(labels[split], cast, "skip", across)
            left_out += skipped
        paths = ranked.get(split, ())
        ranks = read_ranks(paths, variant, known, top)
        answers[split] = _Answers(known, ranks, read_ranks(paths, baseline, ranks), read_alike(paths))

    def movies() -> Iterator[MovieResults]:
        for path, faces in tables:
            crops, own = read_crops(path), _people(path, faces, on_unclear)
            yield _movie(crops, own, ChainMap(own, of_splits[crops.split]), answers[crops.split])

    return movies(), left_out


def read_skipped(crop_tables: Iterable[str | Path]) -> list[tuple[str, str]]:
    """Read id and reason of every record that could not be used, movie by movie.

    Args:
        crop_tables: crop tables, and folders of them.
    """
    return [problem for path in dict.fromkeys(movie_tables(crop_tables)) for problem in read_crops(path).problems]


def _people(crop_table: str | Path, face_table: str | Path, on_unclear: str) -> dict[str, _Person]:
    crops = read_crops(crop_table)
    faces = files.read_table(face_table).select(["num_faces", "selected", "turn"]).to_pandas()
    cast = faces[: len(crops.cast)]
    names = crops.cast_names
    searched = searched_portraits(cast["num_faces"], cast["selected"], names, on_unclear)
    searched &= crops.readable[: len(cast)]
    known = {name for name, own in zip(names, searched, strict=True) if own}
    images = stored_images(crop_table, crops.readable)
    persons = {}
    for row, (name, image, face) in enumerate(zip(crops.ids, images, faces.itertuples(), strict=True)):
        is_cast = row < len(cast)
        persons[name] = _Person(
            is_cast,
            image,
            face.num_faces,
            face.selected,
            face.turn,
            searched=is_cast and bool(searched[row]),
            left_out=is_cast and not searched[row] and names[row] in known,
        )
    return persons


def _searched(portrait: _Person) -> str:
    """What of a portrait is searched."""
    if portrait.left_out:
        return "another portrait of the person"
    if not portrait.searched:
        return "nothing"
    if not portrait.has_own_face:
        return "the middle of the picture"
    return "its face" if portrait.num_faces == 1 else "the most prominent face"


def _warning(portrait: _Person, alike: Sequence[str]) -> str | None:
    if portrait.image is None:
        return "cannot be read"
    doubts = []
    if portrait.num_faces != 1:
        found = f"{portrait.num_faces} faces" if portrait.num_faces else "no face"
        doubts.append(f"{found} found, so {_searched(portrait)} is searched")
    if portrait.turn:
        doubts.append(f"it lies on its side, and is turned clockwise by {portrait.turn} degrees")
    if alike:
        doubts.append(f"it shows the same person as {', '.join(alike)}, by another name")
    return "; ".join(doubts) or None


def portraits(movies: Iterable[MovieResults]) -> pd.DataFrame:
    """Return a row per portrait: `split`, `movie`, `cast`, `faces` (how many were found), `searched` and `warning`."""
    rows = [
        (movie.split, movie.name, query.cast, query.num_faces, query.searched, query.warning)
        for movie in movies
        for query in movie.queries
    ]
    return pd.DataFrame(rows, columns=["split", "movie", "cast", "faces", "searched", "warning"])


def _movie(crops: Crops, own: Mapping[str, _Person], people: Mapping[str, _Person], answers: _Answers) -> MovieResults:
    """Describe one movie; `people` has all whom its rankings may name."""
    labels = {name: answers.labels[name] for name in crops.cast if name in answers.labels}
    return MovieResults(
        split=crops.split,
        name=crops.movie,
        queries=[
            _query(portrait, name, people, answers) for portrait, name in zip(crops.cast, crops.cast_names, strict=True)
        ],
        num_candidates=len(crops.candidates),
        num_faceless=sum(person.faceless for person in own.values()),
        scores=_scores(crops.movie, labels, answers.ranks),
        scores_before=_scores(crops.movie, labels, answers.ranks_before),
    )


def _scores(movie: str, labels: Mapping[str, Sequence[str]], ranks: Mapping[str, Mapping[str, int]]) -> pd.Series:
    hits = {cast: _ranks_of(relevant, ranks.get(cast, {})) for cast, relevant in labels.items()}
    return summarize(score_queries(labels, hits, dict.fromkeys(labels, movie)))


def _ranks_of(names: Collection[str], ranks: Mapping[str, int]) -> list[int]:
    """The ranks of some candidates, in ascending order."""
    return sorted(ranks[name] for name in set(names) & ranks.keys())


def _query(cast: str, person: str, people: Mapping[str, _Person], answers: _Answers) -> Query:
    relevant = set(answers.labels.get(cast, ()))
    labelled = cast in answers.labels
    ranks, before = answers.ranks.get(cast, {}), answers.ranks_before.get(cast, {})
    hits = [
        Hit(
            id=name,
            rank=rank,
            rank_before=before.get(name),
            right=name in relevant if labelled else None,
            num_relevant=len(relevant),
            faceless=people[name].faceless,
            image=people[name].image,
        )
        for name, rank in ranks.items()
    ]
    return Query(
        cast=cast,
        person=person,
        image=people[cast].image,
        num_faces=people[cast].num_faces,
        searched=_searched(people[cast]),
        warning=_warning(people[cast], answers.alike.get(cast, ())),
        hits=hits,
        labelled=labelled,
        num_relevant=len(relevant),
        ap=average_precision_at(_ranks_of(relevant, ranks), len(relevant)),
        ap_before=average_precision_at(_ranks_of(relevant, before), len(relevant)),
    )
