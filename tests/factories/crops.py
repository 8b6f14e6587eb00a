"""Crop tables of people who can be told apart."""

import cv2
import numpy as np

from castsearch import files
from castsearch.data.crops import crop_table


def person(rng, colours):
    """JPEG of one sighting: two patches of the person's colours on noise, moved, in light of any strength and hue."""
    image = rng.integers(0, 256, (96, 48, 3))
    top, left = rng.integers(0, 12, 2)
    for index, colour in enumerate(colours):
        image[top + 40 * index : top + 40 * (index + 1), left : left + 36] = colour
    light = rng.uniform(0.5, 1.1) * rng.uniform(0.6, 1.1, 3)
    pixels = np.clip(image * light + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def rows_of(label, images, role="candidate"):
    box = {"frame": "", "x": 0, "y": 0, "width": 48, "height": 96, "problem": None}
    return [
        {"id": f"{label}_{role}_{index}", "role": role, "label": label, "image": image, **box}
        for index, image in enumerate(images)
    ]


def people_rows(labels, images, seed=0):
    """Rows of `images` sightings of each of `labels`."""
    rng = np.random.default_rng(seed)
    clothes = {label: rng.integers(0, 256, (2, 3)) for label in labels}
    return [row for label in labels for row in rows_of(label, [person(rng, clothes[label]) for _ in range(images)])]


def write_crops(path, rows):
    """Write the crop table `{split}/{movie}.arrow` of these rows."""
    files.write_table(path, crop_table(path.parent.name, path.stem, rows))
    return path
