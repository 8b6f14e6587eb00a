"""The methods of the search: what each needs, and what can be asked of it.

Another method is a module with a function `search`, which takes a `search_input.SearchInput` and returns a
`search_result.SearchResult`, and an entry in this table. This module imports none of them, so that a change in one of
them leaves what does not use it alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Method:
    """What is true of one method.

    Attributes:
        module: full name of the module whose function `search` it is.
        face_mask: whose face the method goes by: of a candidate in which the detector found any face ("detected"),
            even a neighbour's, or in which one was taken for the candidate's own ("selected").
        thresholds: whether it has thresholds on similarities.
        face_rerank: whether it can use re-ranked similarities of faces.
        body_rerank: whether it can use re-ranked similarities of bodies.
        across: whether its memory allows it to search all movies of a split at once.
        each_network: whether the default comparison has it with each ReID network alone.
        shares: whether it tells how probable each person is, so that boxes can be named.
    """

    module: str
    face_mask: Literal["detected", "selected"] = "selected"
    thresholds: bool = False
    face_rerank: bool = True
    body_rerank: bool = True
    across: bool = False
    each_network: bool = True
    shares: bool = False


METHODS: Mapping[str, Method] = {
    "cascade": Method("castsearch.search.cascade", face_mask="detected", thresholds=True),
    "propagation": Method("castsearch.search.propagation", each_network=False),
    "diffusion": Method("castsearch.search.diffusion", body_rerank=False, across=True, shares=True),
    "online": Method("castsearch.search.online", face_rerank=False, body_rerank=False, each_network=False),
}
