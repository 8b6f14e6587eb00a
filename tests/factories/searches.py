"""Galleries with features, and searches."""

import numpy as np
import pyarrow as pa

from castsearch import files
from castsearch.data.crops import crop_table
from castsearch.search.gallery import Gallery, load_gallery
from castsearch.search.search_input import SearchInput
from castsearch.search.similarity import face_similarity
from castsearch.search.variant import Variant

FRONTAL = [0, 0, 2, 0, 1, 1, 0.3, 2, 1.7, 2]  # a face as a detector finds it: eyes, nose, corners of the mouth
RERANKING = {"method": "k_reciprocal", "k1": 4, "k2": 2, "lambda_value": 0.3}


def write_gallery(folder, num_cast=2, n=6, unreadable=(), prefix="p", labels=None, unclear=()):
    """Write the tables of a movie of people with features near the axes.

    Rows in `unreadable` have no image, portraits in `unclear` two faces; the cast have the `labels`, or none.
    """
    rng = np.random.default_rng(0)
    rows = num_cast + n
    images = [None if row in unreadable else b"jpeg" for row in range(rows)]
    ids = [f"{prefix}{row}" for row in range(rows)]
    people = [
        {
            "id": name,
            "role": "cast" if row < num_cast else "candidate",
            "frame": f"f{row}",
            "width": 1,
            "height": 1,
            "image": image,
            "label": labels[row] if labels and row < num_cast else None,
        }
        for row, (name, image) in enumerate(zip(ids, images, strict=True))
    ]
    files.write_table(folder / "crops.arrow", crop_table("val", folder.name, people))
    person = np.r_[np.arange(num_cast), np.arange(n) % num_cast if num_cast else np.zeros(n, int)]
    face = np.eye(8, dtype=np.float32)[person] + 0.05 * rng.standard_normal((rows, 8)).astype(np.float32)
    features = pa.array([None if image is None else list(row) for image, row in zip(images, face, strict=True)])
    seen = [row % 3 != 2 or row < num_cast for row in range(rows)]
    faces = {"id": ids, "detected": seen, "selected": seen}
    faces["num_faces"] = pa.array([2 if row in unclear else int(own) for row, own in enumerate(seen)], pa.int32())
    faces |= {name: pa.array([0.9 if own else None for own in seen], pa.float32()) for name in ("size", "score")}
    faces["landmarks"] = pa.array([FRONTAL if own else None for own in seen], pa.list_(pa.float32(), 10))
    files.write_table(folder / "faces.arrow", pa.table(faces | {"feature": features.cast(pa.list_(pa.float32(), 8))}))
    body = np.eye(8, dtype=np.float32)[person[num_cast:]] + 0.05 * rng.standard_normal((n, 8)).astype(np.float32)
    files.write_array(folder / "net.npy", body)


def load(*folders, on_unclear="skip") -> Gallery:
    """Load movies that `write_gallery` wrote, as one gallery."""
    return load_gallery(
        [folder / "crops.arrow" for folder in folders],
        {"yunet_sface": [folder / "faces.arrow" for folder in folders]},
        {"net": [folder / "net.npy" for folder in folders]},
        on_unclear,
    )


def gallery(folder, on_unclear="skip", **options) -> Gallery:
    """Write a movie and load it."""
    write_gallery(folder, **options)
    return load(folder, on_unclear=on_unclear)


def search_input(face, body, frames, has_face, num_cast, **fields) -> SearchInput:
    """What a method is given of a movie whose portraits are of one person each; faces have the cast first."""
    fields = {"face_similarity": face_similarity(face, num_cast), "body_similarity": None} | fields
    return SearchInput(
        cast_face=face[:num_cast],
        face=face[num_cast:],
        body=body,
        frames=frames,
        has_face=has_face,
        frontal=np.ones(len(has_face), np.float32),
        person=np.arange(num_cast),
        cast_movies=np.zeros(num_cast, int),
        **fields,
    )


def variant(
    method="cascade", *, bodies=False, face_rerank=False, body_rerank=False, engine="yunet_sface", **fields
) -> Variant:
    """A search with an engine, and with the bodies of one network or without; its key tells it from any other."""
    fields = {"thresholds": (0.5, 0.4) if method == "cascade" else ()} | fields
    return Variant(
        key=" ".join(map(str, (method, engine, bodies, face_rerank, body_rerank, fields["thresholds"]))),
        engine=engine,
        networks=("net",) if bodies else (),
        method=method,
        face_rerank=RERANKING if face_rerank else None,
        body_rerank=RERANKING if body_rerank else None,
        **fields,
    )
