"""Rank person boxes for portraits, from arrays of face features of any network.

    python rank_boxes.py portraits.npy boxes.npy

Each row is one feature; a row of zeros is a box in which no face is seen. For each portrait it prints the ten best
boxes, by number, with the probability that they show that person. Features of bodies, and which boxes are of one frame,
make the ranking better: see `castsearch.search.diffusion.rank`. Needs `pip install .` in a clone, and nothing else.
"""

import sys

import numpy as np

from castsearch.search.diffusion import rank
from castsearch.search.similarity import face_similarity


def main(portraits_file: str, boxes_file: str) -> None:
    """Print the best boxes of each portrait."""
    portraits, boxes = np.load(portraits_file), np.load(boxes_file)
    found = rank(
        face_similarity(np.concatenate([portraits, boxes]), len(portraits)),
        boxes,
        None,
        frames=[str(number) for number in range(len(boxes))],  # each box in a frame of its own
        has_face=boxes.any(axis=1),
    )
    for portrait, order in enumerate(found.order):
        best = (f"{box} ({found.share[portrait, box]:.2f})" for box in order[:10])
        print(f"portrait {portrait}: {', '.join(best)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
