"""Stage groups: which of the boxes that nobody in the cast is likely for show one unknown person; and what to review.

Candidates are joined step by step, those first that are linked best in a graph like the one in which the diffusion
spreads labels: agglomerative clustering with links that must not be, as two who are in one frame are two people.
Average linkage would never join two large groups, since a candidate has links with its nearest others only. The
strength of two groups' links is therefore their sum over as many as there can be.
"""

import heapq
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from castsearch.data.crops import read_crops
from castsearch.data.name_tables import read_names
from castsearch.data.nameless import UNKNOWN
from castsearch.search.gallery import Gallery
from castsearch.search.links import link
from castsearch.search.moments import Frames, presence
from castsearch.search.review import propose
from castsearch.search.similarity import best_portrait, concatenate, face_similarity
from castsearch.search.strangers import certain_strangers

EVEN_FACE_IN_GROUPS = 3.0
EVEN_BODY_IN_GROUPS = 2.25
"""`even_face` and `even_body` of `links.link` for groups, measured by bench/groups.py. The search has others: there a
single link spreads a label, while people are joined by all of their links."""
_LEAST = 0.2  # strength of the links of two groups that are one person; measured by bench/groups.py
_LINKS = 10  # that a candidate has with its nearest others, of each kind
_PROPOSED = 12  # candidates of a movie to look at
COLUMNS = ("movie", "box", "group")
"""Columns of the table of groups: a row per box that shows somebody unknown who was seen at least twice."""
REVIEW = ("movie", "box")
"""Columns of the table of what to review: a row per box, or the first box of a track; see `review`."""


def find_groups(graph: sparse.csr_array, frames: Frames) -> NDArray[np.int64]:
    """Divide candidates into people.

    Args:
        graph: (n, n) symmetric links, 0 where there is none.
        frames: of the n candidates, see `Frames`.

    Returns:
        (n,) numbers of groups, by falling size; −1 for whoever is alone in one.
    """
    joined = _join(graph, presence(frames))
    groups = sorted((group for group in joined if len(group) > 1), key=lambda own: (-len(own), own[0]))
    numbers = np.full(graph.shape[0], -1)
    for number, group in enumerate(groups):
        numbers[group] = number
    return numbers


def _join(graph: sparse.csr_array, present: sparse.csr_array) -> list[list[int]]:
    """The members of each group, in order; see `find_groups`."""
    members = [[candidate] for candidate in range(present.shape[0])]
    places = [set(moments.tolist()) for moments in np.split(present.indices, present.indptr[1:-1])]
    links: list[dict[int, float]] = [{} for _ in members]  # of each group with others, summed
    upper = sparse.triu(graph, 1, format="coo")
    for one, other, weight in zip(upper.row.tolist(), upper.col.tolist(), upper.data.tolist(), strict=True):
        links[one][other] = links[other][one] = weight

    def strength(one: int, other: int) -> float:
        small, large = sorted((len(members[one]), len(members[other])))
        return links[one][other] / (small * min(large, _LINKS))

    # A pair is here once for each strength that it had; only the last one counts.
    waiting = [(-strength(one, other), one, other) for one in range(len(links)) for other in links[one] if one < other]
    heapq.heapify(waiting)
    while waiting and -waiting[0][0] >= _LEAST:
        negative, one, other = heapq.heappop(waiting)
        if other not in links[one] or strength(one, other) != -negative:
            continue
        del links[one][other], links[other][one]
        if places[one] & places[other]:
            continue
        members[one] += members[other]
        places[one] |= places[other]
        members[other] = []
        for third, weight in links[other].items():
            del links[third][other]
            links[one][third] = links[third][one] = links[one].get(third, 0) + weight
        links[other] = {}
        for third in links[one]:
            heapq.heappush(waiting, (-strength(one, third), min(one, third), max(one, third)))
    return [sorted(group) for group in members if group]


def group_unknown(
    gallery: Gallery, engine: str, networks: Sequence[str], crops: Sequence[str | Path], names: str | Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Group the unknown people of a gallery, each movie by itself, and propose what to review.

    Args:
        gallery: what was searched, without any re-ranking.
        engine: face engine.
        networks: networks whose bodies were searched.
        crops: crop table of each movie.
        names: the table of their names.

    Returns:
        A table of `COLUMNS`; groups are called "unknown 1", "unknown 2" and so on, by falling number of candidates. And
        a table of `REVIEW`.
    """
    graph, present = _link_gallery(gallery, engine, networks), presence(gallery.frames)
    named = read_names([names]).set_index("box").loc[[boxes[0] for boxes in gallery.ranked]]
    is_unknown, confidence = (named["person"] == UNKNOWN).to_numpy(), named["confidence"].to_numpy(float)
    movie_of = {name: movie.movie for movie in map(read_crops, crops) for name in movie.candidates}
    movies = np.array([movie_of[boxes[0]] for boxes in gallery.ranked], object)
    rows, proposed = [], []
    for movie in dict.fromkeys(movies):
        own = np.flatnonzero(is_unknown & (movies == movie))
        for candidate, group in zip(own, find_groups(graph[own][:, own], present[own]), strict=True):
            rows += [(movie, box, f"{UNKNOWN} {group + 1}") for box in gallery.ranked[candidate] if group >= 0]
        own = np.flatnonzero(movies == movie)
        best = propose(graph[own][:, own], confidence[own], _PROPOSED)
        proposed += [(movie, gallery.ranked[candidate][0]) for candidate in own[best]]
    return pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame(proposed, columns=REVIEW)


def _link_gallery(gallery: Gallery, engine: str, networks: Sequence[str]) -> sparse.csr_array:
    """Link the candidates of a gallery, by the face engine and the networks with which they were searched."""
    faces = gallery.faces[engine]
    features, num_cast = faces.searched_feature, faces.num_searched
    _, person = np.unique(gallery.person[faces.searched], return_inverse=True)
    by_person = best_portrait(face_similarity(features, num_cast), person)
    return link(
        certain_strangers(by_person, gallery.frames, faces.selected),
        features[num_cast:],
        concatenate([gallery.bodies[network] for network in networks]) if networks else None,
        frames=gallery.frames,
        has_face=faces.selected,
        even_face=EVEN_FACE_IN_GROUPS,
        even_body=EVEN_BODY_IN_GROUPS,
        clothes=gallery.clothes if networks else None,
    )
