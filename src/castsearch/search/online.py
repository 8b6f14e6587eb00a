"""The rules of InsightFace 2.1's `PersonAnalysis`, which decides on a film's people one frame after the other.

Its guide: https://github.com/deepinsight/insightface/blob/master/python-package/docs/person_analysis.md. A face that is
like a person's portrait is that person, if nobody else is nearly as like; the body with it becomes a sample of how that
person is dressed. Else the body decides likewise, by the samples of the frames before.

The rules decide, they do not rank. For a ranking, those whom they give a person are followed by those whom they give
nobody, and these by those whom they give somebody else.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from castsearch.search.neighbors import l2_normalize
from castsearch.search.search_input import SearchInput
from castsearch.search.search_result import SearchResult
from castsearch.search.similarity import best_portrait, without_faceless

# The package's defaults.
_FACE = (0.45, 0.05)  # least similarity, and least margin over anybody else
_BODY = (0.85, 0.10)
_SAMPLES = 4  # bodies kept of a person, the latest ones
_DUPLICATE = 0.98  # a body this similar to a sample is not another one

_OTHERS, _NOBODYS, _BY_BODY, _BY_FACE = range(4)


def rank(
    face: np.ndarray,
    body: np.ndarray | None,
    *,
    frames: Sequence[str | tuple[str, ...]],
    has_face: np.ndarray,
) -> np.ndarray:
    """Rank every candidate for every person.

    Args:
        face: (people, n) face similarities.
        body: (n, d) body features of any length; None to go by faces alone.
        frames: n names, or n tuples of names, see `moments.Frames`; they come in the order of the candidates.
        has_face: (n,) bool, whether the candidate's face can be seen.

    Returns:
        (people, n) int64, each row a permutation of the candidates, best first: whom the face shows, whom the body
        shows, whom nobody is found in, and whom somebody else is found in; each by similarity.
    """
    num_people, n = face.shape
    score = without_faceless(face, has_face)
    decided = np.full((num_people, n), _NOBODYS)
    samples: list[deque[np.ndarray]] = [deque(maxlen=_SAMPLES) for _ in range(num_people)]
    bodies = None if body is None else l2_normalize(body)
    for together in _in_order(frames):
        learned = []
        for row in together:
            person, kind = _match(score[:, row], *_FACE), _BY_FACE
            if person is not None:
                learned.append((person, row))
            elif bodies is not None:
                similarity = np.array([max((sample @ bodies[row] for sample in own), default=-1) for own in samples])
                person, kind = _match(similarity, *_BODY), _BY_BODY
                if person is not None:
                    score[person, row] = similarity[person]
            if person is not None:
                decided[:, row] = _OTHERS
                decided[person, row] = kind
        if bodies is not None:
            for person, row in learned:
                if all(sample @ bodies[row] < _DUPLICATE for sample in samples[person]):
                    samples[person].append(bodies[row])
    return np.lexsort((-score, -decided), axis=1)


def search(given: SearchInput) -> SearchResult:
    """Rank every candidate for every cast member: `rank`, as a method of the search."""
    similarity = best_portrait(given.face_similarity, given.person)
    order = rank(similarity, given.body, frames=given.frames, has_face=given.has_face)
    return SearchResult(order, given.person)


def _match(similarity: np.ndarray, least: float, margin: float) -> int | None:
    """The person who is alike, and more so than anybody else."""
    if not len(similarity):
        return None
    best = int(similarity.argmax())
    second = np.delete(similarity, best).max(initial=-1)
    return best if similarity[best] >= least and similarity[best] - second >= margin else None


def _in_order(frames: Sequence[str | tuple[str, ...]]) -> list[list[int]]:
    """The candidates of each frame, or of each moment the tracks that are first seen at it."""
    groups: dict[str, list[int]] = {}
    for row, frame in enumerate(frames):
        groups.setdefault(frame if isinstance(frame, str) else frame[0], []).append(row)
    return list(groups.values())
