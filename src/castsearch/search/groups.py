"""Stage groups: which of the boxes that nobody in the cast is likely for show one unknown person.

People are groups of candidates that are linked with each other more than with others, in the graph in which the
diffusion spreads labels: Blondel, Guillaume, Lambiotte and Lefebvre, "Fast unfolding of communities in large networks",
J. Stat. Mech. 2008, as networkx has it.
"""

from collections.abc import Sequence
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from castsearch.data.crops import read_crops
from castsearch.data.names import UNKNOWN, read_names
from castsearch.search import diffusion
from castsearch.search.gallery import Gallery
from castsearch.search.similarity import best_portrait, concatenate, face_similarity

_LEAST = 0.5  # weight of a link that holds a group together; below, two are rather different people
COLUMNS = ("movie", "box", "group")
"""Columns of the table of groups: a row per box that shows somebody unknown who was seen at least twice."""


def find_groups(graph: sparse.csr_array, frames: NDArray[np.integer]) -> NDArray[np.int64]:
    """Divide candidates into people.

    Args:
        graph: (n, n) symmetric links, 0 where there is none.
        frames: (n,) numbers; candidates of one frame are different people.

    Returns:
        (n,) numbers of groups, by falling size; −1 for whoever is alone in one.
    """
    graph = graph.multiply(graph >= _LEAST).tocsr()
    communities = nx.community.louvain_communities(nx.from_scipy_sparse_array(graph), seed=0)
    groups = []
    for community in communities:
        members = np.array(sorted(community))
        strength = graph[members][:, members].sum(axis=1)
        # Of two in a frame, the one that is better linked within the group is in it.
        members = members[np.argsort(-strength, kind="stable")]
        _, first = np.unique(frames[members], return_index=True)
        groups.append(np.sort(members[first]))
    groups = sorted((group for group in groups if len(group) > 1), key=lambda group: (-len(group), group[0]))
    numbers = np.full(len(frames), -1)
    for number, group in enumerate(groups):
        numbers[group] = number
    return numbers


def group_unknown(
    gallery: Gallery, engine: str, networks: Sequence[str], crops: Sequence[str | Path], names: str | Path
) -> pd.DataFrame:
    """Group the unknown people of a gallery, each movie by itself.

    Args:
        gallery: what was searched, without any re-ranking.
        engine: face engine.
        networks: networks whose bodies were searched.
        crops: crop table of each movie.
        names: the table of their names.

    Returns:
        A table of `COLUMNS`; groups are called "unknown 1", "unknown 2" and so on, by falling number of candidates.
    """
    faces, num_cast = gallery.faces[engine], len(gallery.cast)
    _, frames = np.unique(np.asarray(gallery.frames, str), return_inverse=True)
    graph = diffusion.link(
        best_portrait(face_similarity(faces.feature, num_cast), gallery.person),
        faces.feature[num_cast:],
        concatenate([gallery.bodies[network] for network in networks]) if networks else None,
        frames=frames,
        has_face=faces.selected,
    )
    named = read_names([names])
    unknown = set(named.loc[named["person"] == UNKNOWN, "box"])
    movie_of = {name: movie.movie for movie in map(read_crops, crops) for name in movie.candidates}
    boxes = gallery.ranked
    movies = np.array([movie_of[own[0]] for own in boxes], object)
    open_ = np.array([own[0] in unknown for own in boxes], bool)
    rows = []
    for movie in dict.fromkeys(movies):
        own = np.flatnonzero(open_ & (movies == movie))
        for candidate, group in zip(own, find_groups(graph[own][:, own], frames[own]), strict=True):
            rows += [(movie, box, f"{UNKNOWN} {group + 1}") for box in boxes[candidate] if group >= 0]
    return pd.DataFrame(rows, columns=COLUMNS)
