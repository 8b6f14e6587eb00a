"""Small inputs and what the project computes from them, so that a clone without ../shared can prove its fidelity.

The numbers were written by a version that equals the reference system's own outputs in ../shared/golden. A change of
results that is wanted needs new ones: run `python tests/reference/reference.py` after the tests with ../shared passed.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from castsearch.faces.alignment import align, box_chip, centre_chip
from castsearch.faces.selection import select_candidate_face, select_cast_face
from castsearch.reid.losses import TripletLoss
from castsearch.search.cascade import rank_candidates
from castsearch.search.propagation import competitive_consensus, label_propagation
from castsearch.search.rerank import expanded_cross_neighborhood, k_reciprocal

Arrays = dict[str, np.ndarray]
FOLDER = Path(__file__).parent
NUM_CAST = 3


def clustered(rng: np.random.Generator, people: np.ndarray, dimension: int) -> np.ndarray:
    """(n, dimension) float32 features, alike for the same person."""
    centres = 1.2 * rng.normal(size=(people.max() + 1, dimension))
    return (centres[people] + rng.normal(size=(len(people), dimension))).astype(np.float32)


def cascade_inputs(rng: np.random.Generator) -> Arrays:
    people = np.concatenate([np.arange(NUM_CAST), rng.integers(0, NUM_CAST + 2, 45)])
    return {
        "face": clustered(rng, people, 16),
        "body": clustered(rng, people, 24)[NUM_CAST:],
        "frames": rng.integers(0, 25, 45),
        "has_face": rng.random(45) < 0.6,
    }


def cascade(face: np.ndarray, body: np.ndarray, frames: np.ndarray, has_face: np.ndarray) -> Arrays:
    return {
        f"{'reranked' if face_rerank else 'plain'}_{'reranked' if body_rerank else 'plain'}": rank_candidates(
            face, body, frames, has_face, NUM_CAST, face_rerank=face_rerank, body_rerank=body_rerank
        )
        for face_rerank in (False, True)
        for body_rerank in (False, True)
    }


def reranking_inputs(rng: np.random.Generator) -> Arrays:
    features = clustered(rng, rng.integers(0, 6, 36), 12)
    return {"features": features / np.linalg.norm(features, axis=1, keepdims=True)}


def reranking(features: np.ndarray) -> Arrays:
    cosine = np.clip(features @ features.T, -1, 1)
    distances = np.sqrt(2 - 2 * cosine + 1e-4)
    return {
        "k_reciprocal": k_reciprocal(distances, NUM_CAST),
        "k_reciprocal_small": k_reciprocal(distances, NUM_CAST, 5, 2, 0.5),
        "expanded_cross_neighborhood": expanded_cross_neighborhood(features, NUM_CAST),
        "expanded_cross_neighborhood_small": expanded_cross_neighborhood(features, NUM_CAST, 3, 4),
    }


def propagation_inputs(rng: np.random.Generator) -> Arrays:
    affinity = np.triu(rng.random((30, 30)) ** 4, 1)
    return {"affinity": affinity + affinity.T}


def propagation(affinity: np.ndarray) -> Arrays:
    return {
        "competitive_consensus": competitive_consensus(affinity, NUM_CAST),
        "label_propagation": label_propagation(affinity, NUM_CAST),
    }


def losses_inputs(rng: np.random.Generator) -> Arrays:
    return {"embeddings": clustered(rng, np.arange(12) // 4, 8), "labels": np.arange(12) // 4}


def losses(embeddings: np.ndarray, labels: np.ndarray) -> Arrays:
    found = {}
    for margin in ("soft", 0.3):
        for mining in ("hard", "uniform", "adaptive"):
            for metric in ("euclidean", "sqeuclidean", "cosine"):
                rows = torch.tensor(embeddings, requires_grad=True)
                loss, top1 = TripletLoss(margin, mining, metric)(rows, torch.from_numpy(labels))
                loss.backward()
                name = f"{margin}_{mining}_{metric}"
                found[f"{name}_loss"] = np.array([loss.item(), top1.item()])
                found[f"{name}_gradient"] = rows.grad.numpy()
    return found


def selection_inputs(rng: np.random.Generator) -> Arrays:
    corners = rng.uniform(0, 1, (60, 5, 2)) * (90, 200)
    sizes = rng.uniform(8, 50, (60, 5, 1))
    boxes = np.concatenate([corners, corners + sizes], axis=2).round(1)
    return {"boxes": boxes, "scores": rng.uniform(0.8, 1, (60, 5)).round(3), "faces": rng.integers(0, 6, 60)}


def selection(boxes: np.ndarray, scores: np.ndarray, faces: np.ndarray) -> Arrays:
    persons = [
        (100, 220, box[:number], score[:number]) for box, score, number in zip(boxes, scores, faces, strict=True)
    ]
    picked = {"cast": map(select_cast_face, *zip(*persons, strict=True))}
    picked["candidate"] = map(select_candidate_face, *zip(*persons, strict=True))
    return {role: np.array([-1 if index is None else index for index in found]) for role, found in picked.items()}


def alignment_inputs(rng: np.random.Generator) -> Arrays:
    y, x = np.mgrid[0:90, 0:70]
    photo = np.stack([127 + 120 * np.sin(x / 9 + channel) * np.cos(y / (7 + channel)) for channel in range(3)], axis=2)
    face = np.array([(20, 30), (45, 28), (34, 44), (24, 58), (44, 57)], float)
    return {
        "photo": photo.astype(np.uint8),
        "landmarks": face + rng.normal(size=(2, 5, 2)),
        "box": np.array([15, 20, 50, 65]),
    }


def alignment(photo: np.ndarray, landmarks: np.ndarray, box: np.ndarray) -> Arrays:
    chips = [align(photo, points) for points in landmarks] + [box_chip(photo, box), centre_chip(photo)]
    return {name: chip[::4, ::4] for name, chip in zip(("first", "second", "box", "centre"), chips, strict=True)}


CASES: dict[str, tuple[Callable[..., Arrays], Callable[..., Arrays]]] = {
    "cascade": (cascade_inputs, cascade),
    "reranking": (reranking_inputs, reranking),
    "propagation": (propagation_inputs, propagation),
    "losses": (losses_inputs, losses),
    "selection": (selection_inputs, selection),
    "alignment": (alignment_inputs, alignment),
}


def main() -> None:
    for name, (inputs, compute) in CASES.items():
        given = inputs(np.random.default_rng(0))
        stored = {f"given_{key}": array for key, array in given.items()}
        stored |= {f"expected_{key}": array for key, array in compute(**given).items()}
        np.savez_compressed(FOLDER / f"{name}.npz", **stored)


if __name__ == "__main__":
    main()
