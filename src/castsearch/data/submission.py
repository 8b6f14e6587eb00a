"""The challenge's answer file: one line per cast member, `castid cand1,cand2,...`, best candidate first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from castsearch import files
from castsearch.errors import InputError
from castsearch.misnamed import instead_of, nearly


def write_submission(path: str | Path, rankings: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Write cast ids, each with a ranking of candidate ids, one after the other.

    The format has no line for an empty answer, so a cast member of a movie without candidates is left out.
    """
    with files.replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(f"{cast} {','.join(ranking)}\n" for cast, ranking in rankings if ranking)


def read_submission(
    path: str | Path,
    *,
    cast_ids: Collection[str] | None = None,
    candidates: Mapping[str, Collection[str]] | None = None,
    everyone: Collection[str] = (),
) -> dict[str, list[str]]:
    r"""Read an answer file, refusing it whole rather than scoring what happens to parse.

    Short answers, missing cast members and repeated candidates are allowed, as in the challenge; so are `\r\n` line
    ends and a byte order mark.

    Args:
        path: the file.
        cast_ids: the only cast ids that may appear; None allows any.
        candidates: the ids of its movie's candidates for every cast id of the split; stands in for `cast_ids` too.
        everyone: with `candidates`, the ids of all movies' candidates: a movie without a cast has its own, too.

    Returns:
        The candidate ids per cast id, as written, in file order.

    Raises:
        InputError: the file cannot be read, is not text, or one of its lines is malformed; names line and reason.
    """
    if candidates is not None:
        cast_ids = candidates.keys()
    answers: dict[str, list[str]] = {}
    for number, line in enumerate(_lines(path), start=1):
        try:
            cast, ranking = _parse(line)
            if cast in answers:
                raise ValueError(f"cast id '{cast}' appears a second time")
            if cast_ids is not None and cast not in cast_ids:
                raise ValueError(f"unknown cast id '{cast}'")
            if candidates is not None:
                _check_movie(cast, ranking, candidates, everyone)
        except ValueError as error:
            raise InputError(f"{path}: line {number}: {error}") from None
        answers[cast] = ranking
    return answers


def _lines(path: str | Path) -> list[str]:
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}{nearly(Path(path))}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}: {instead_of('a text', Path(path), f'line {line}: not UTF-8 text')}") from None
    # Not splitlines(): it also splits at characters that are no line ends in this format.
    return text.removesuffix("\n").split("\n") if text else []


def _parse(line: str) -> tuple[str, list[str]]:
    words = line.split()
    if len(words) != 2:
        raise ValueError("expected 'castid cand1,cand2,...': two words with one space between them")
    if not all(word.isprintable() for word in words):
        raise ValueError("contains unprintable characters")
    cast, ranking = words[0], words[1].split(",")
    if "" in ranking:
        raise ValueError(f"candidate {ranking.index('') + 1} of cast id '{cast}' is empty")
    return cast, ranking


def _check_movie(
    cast: str, ranking: list[str], candidates: Mapping[str, Collection[str]], everyone: Collection[str]
) -> None:
    own = candidates[cast]
    stray = next((candidate for candidate in ranking if candidate not in own), None)
    if stray is not None:
        elsewhere = any(stray in others for others in (everyone, *candidates.values()))
        reason = "belongs to another movie" if elsewhere else "is not in the split"
        raise ValueError(f"candidate '{stray}' of cast id '{cast}' {reason}")
