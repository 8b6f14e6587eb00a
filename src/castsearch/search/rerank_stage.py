"""Stage rerank: the similarities by re-ranking that the variants of the search share. It reaches no method."""

from collections.abc import Iterable, Iterator

import numpy as np

from castsearch.search.gallery import Gallery
from castsearch.search.rerank import RERANKINGS
from castsearch.search.similarity import body_similarity, concatenate
from castsearch.search.variant import RerankedSimilarity


def rerank_gallery(gallery: Gallery, wanted: Iterable[RerankedSimilarity]) -> Iterator[tuple[str, np.ndarray]]:
    """Compute similarities by re-ranking, one after the other, since each may be as large as memory allows.

    Args:
        gallery: its n candidates and their cast.
        wanted: the similarities.

    Yields:
        A key and (c, n) similarities of the faces of the c portraits that are searched by, with whatever stands in for
        a missing face, or (n, n) of bodies.
    """
    return ((each.key, _rerank(gallery, each)) for each in wanted)


def _rerank(gallery: Gallery, wanted: RerankedSimilarity) -> np.ndarray:
    parameters = dict(wanted.rerank)
    rerank = RERANKINGS[parameters.pop("method")]
    if wanted.engine is not None:
        faces = gallery.faces[wanted.engine]
        num_cast = faces.num_searched
        return rerank(faces.searched_feature, slice(num_cast), slice(num_cast, None), **parameters)
    features = concatenate([gallery.bodies[network] for network in wanted.networks])
    return body_similarity(features, rerank(features, slice(None), slice(None), **parameters))
