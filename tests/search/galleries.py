import numpy as np
import pyarrow as pa

from castsearch import files
from castsearch.data.crops import SCHEMA
from castsearch.search.gallery import Gallery, load_gallery
from castsearch.search.variant import Variant

RERANKING = {"method": "k_reciprocal", "k1": 4, "k2": 2, "lambda_value": 0.3}


def write_movie(folder, num_cast=2, n=6, unreadable=(), prefix="p"):
    """Write the tables of a movie of people with features near the axes; rows in `unreadable` have no image."""
    rng = np.random.default_rng(0)
    rows = num_cast + n
    images = [None if row in unreadable else b"jpeg" for row in range(rows)]
    columns = {
        "id": [f"{prefix}{row}" for row in range(rows)],
        "role": ["cast"] * num_cast + ["candidate"] * n,
        "frame": [f"f{row}" for row in range(rows)],
        "image": images,
    }
    rest = {field.name: pa.nulls(rows, field.type) for field in SCHEMA if field.name not in columns}
    table = pa.table({name: (columns | rest)[name] for name in SCHEMA.names}, schema=SCHEMA)
    files.write_table(folder / "crops.arrow", table)
    person = np.r_[np.arange(num_cast), np.arange(n) % num_cast if num_cast else np.zeros(n, int)]
    face = np.eye(8, dtype=np.float32)[person] + 0.05 * rng.standard_normal((rows, 8)).astype(np.float32)
    features = pa.array([None if image is None else list(row) for image, row in zip(images, face, strict=True)])
    seen = [row % 3 != 2 or row < num_cast for row in range(rows)]
    faces = {"id": columns["id"], "detected": seen, "selected": seen}
    files.write_table(folder / "faces.arrow", pa.table(faces | {"feature": features.cast(pa.list_(pa.float32(), 8))}))
    body = np.eye(8, dtype=np.float32)[person[num_cast:]] + 0.05 * rng.standard_normal((n, 8)).astype(np.float32)
    files.write_array(folder / "net.npy", body)


def load(*folders) -> Gallery:
    """Load movies that `write_movie` wrote, as one gallery."""
    return load_gallery(
        [folder / "crops.arrow" for folder in folders],
        {"dlib": [folder / "faces.arrow" for folder in folders]},
        {"net": [folder / "net.npy" for folder in folders]},
    )


def movie(folder, **options) -> Gallery:
    """Write a movie and load it."""
    write_movie(folder, **options)
    return load(folder)


def variant(
    method="cascade", *, bodies=False, face_rerank=False, body_rerank=False, engine="dlib", **fields
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
