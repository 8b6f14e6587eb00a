"""How much memory and time jobs claim, by what is known of their data when they are planned.

The numbers are those of `bench/memory.py`, with some room; `docs/scaling.md` has its table.
"""

from collections.abc import Iterable, Sequence
from math import ceil

from castsearch.search.methods import METHODS
from castsearch.search.variant import Variant

CROP_MB = 750
"""Of a job that cuts people out of pictures of up to 35 megapixels, turned."""

SNAKEMAKE_MB = 250
"""Of the Snakemake that starts the script in a cluster's job."""

FACES_MB = {"yunet_sface": (850, 1200), "insightface": (1500, 1700), "retinaface_arcface": (2900, 2000)}
"""By engine, of a job that detects faces, and of one that embeds them."""

FRAMES_MB = {
    "changes": (260, 45),
    "persons": (370, 50),
    "stills": (280, 45),
    "export": (360, 45),
    "transnetv2": (1800, 45),
    "torchvision": (2400, 50),
}
"""Of a job that decodes a film, by what it does with the frames: a fixed part, and one for each megapixel."""

_FRAME = 3840 * 2160  # pixels, where nothing says how many there are
_MOST_PIXELS = 180e6  # of a picture that is read
_PYTHON_MB = 250
_TORCH_MB = 700
_IMAGE_MB = 0.045  # 4,500 numbers a network, some two times and a half
_PAIR_MB = 9e-6  # two matrices in single precision, and some of their rows
_FACE_MB = 6e-3  # 512 numbers of its face, three times
_BLOCK_MB = 4.5e-3  # of an image in the block in which a thread finds neighbours, twice
_SCORE_MB = 2e-5  # of a portrait and a candidate, while a variant is searched …
_RERANKED_MB = 4.5e-6  # … while faces are re-ranked …
_RANKED_MB = 5e-6  # … and in its ranking alone, mapped
_ROW_MB = 4e-3  # of a candidate, in all tables
_DESCRIBING_MB = 1000  # CUDA's, which were not measured; where there is none, a batch's 400
_BATCH_MB = 550  # of images that are loaded to train a network
_PIXEL_MB = 2.8e-3  # of an image that trains a network
_MINUTE_MB = 12  # of a film: 20 people in each of 300 samples, twice
_MINUTE_TRACKS = 100  # of a film: three people in a shot of two seconds
_MOST_TRACKS = 5000


def search_mb(images: int, portraits: int, networks: int, variants: Iterable[Variant], threads: int = 1) -> int:
    """Return the megabytes that the search claims.

    Args:
        images: candidates that are searched together.
        portraits: that they are searched for.
        networks: whose body features are read.
        variants: the searches of the job.
        threads: of the job.
    """
    return round(
        _gallery_mb(images, networks, threads)
        + _in_pairs(variants) * images**2 * _PAIR_MB
        + portraits * images * _SCORE_MB
    )


def rerank_mb(images: int, portraits: int, networks: int, variants: Iterable[Variant], threads: int = 1) -> int:
    """Return the megabytes that re-ranking claims; see `search_mb` for the arguments."""
    return round(
        _gallery_mb(images, networks, threads)
        + any(each.body_rerank for each in variants) * images**2 * _PAIR_MB
        + portraits * images * _RERANKED_MB
    )


def film_tracks(duration: float | None) -> int:
    """Return how many candidates a film may have, of which nobody has counted the tracks.

    Args:
        duration: in seconds; None where the film does not say it.
    """
    return _MOST_TRACKS if duration is None else min(_MOST_TRACKS, ceil(duration / 60) * _MINUTE_TRACKS)


def ranked_mb(pairs: int) -> int:
    """Return the megabytes of a job that reads one ranking after the other, of so many pairs in each variant."""
    return round(SNAKEMAKE_MB + _PYTHON_MB + pairs * _RANKED_MB)


def results_mb(candidates: int) -> int:
    """Return the megabytes of a job that reads the results of all movies, which have so many candidates."""
    return round(SNAKEMAKE_MB + _PYTHON_MB + candidates * _ROW_MB)


def reid_weights_mb(file_mb: float) -> int:
    """Return the megabytes of a job that reads the weights of a ReID network from a file of `file_mb` megabytes."""
    return round(SNAKEMAKE_MB + _TORCH_MB + 2.5 * file_mb)


def bodies_mb(images: int, file_mb: float) -> int:
    """Return the megabytes of a job that describes images by a ReID network, on a GPU or the CPU.

    Args:
        images: how many.
        file_mb: megabytes of the file that the network's weights come from.
    """
    return round(SNAKEMAKE_MB + _TORCH_MB + _DESCRIBING_MB + 4 * file_mb + images * _IMAGE_MB / 2)


def training_mb(images: int, pixels: int, gpus: int) -> int:
    """Return the megabytes of a training, as it needs them on the CPU for a network such as ResNet-50.

    Args:
        images: in a batch.
        pixels: of an image.
        gpus: how many processes train.
    """
    return round(gpus * (SNAKEMAKE_MB + _TORCH_MB + _BATCH_MB + images * pixels * _PIXEL_MB))


def crop_mb(pixels: int) -> int:
    """Return the megabytes of a job that cuts people out of pictures of so many pixels, as far as that is known.

    Pillow has four bytes for a pixel, a picture that is turned is there twice, and its file is there, too.
    """
    return max(CROP_MB, round(SNAKEMAKE_MB + 150 + 1e-5 * min(pixels, _MOST_PIXELS)))


def frames_mb(work: str, pixels: int | None, more: float = 0) -> int:
    """Return the megabytes of a job that decodes a film.

    Args:
        work: what it does with the frames, see `FRAMES_MB`.
        pixels: of a frame; None where the film does not say it.
        more: what its network takes more than the smallest one, see `detector_mb`.
    """
    fixed, each = FRAMES_MB[work]
    return round(SNAKEMAKE_MB + fixed + each * (pixels or _FRAME) / 1e6 + more)


def detector_mb(kind: str, engine: str, file_mb: float) -> float:
    """Return by how many megabytes a detector of persons takes more than those for which `FRAMES_MB` was measured.

    Args:
        kind: of the detector.
        engine: face engine, for a kind that sees faces.
        file_mb: megabytes of the file of another kind. ONNX Runtime holds one of 162 MB three and a half times.
    """
    if kind in ("faces", "ssdlite"):
        return FACES_MB[engine][0] - FACES_MB["yunet_sface"][0]
    return 0 if kind == "torchvision" else 4 * file_mb


def film_mb(minutes: int) -> int:
    """Return the megabytes of a job that reads all boxes of a film of so many minutes, or of several, one at a time."""
    return round(SNAKEMAKE_MB + _PYTHON_MB + minutes * _MINUTE_MB)


def search_minutes(images: int, variants: Sequence[Variant]) -> int:
    """Return the minutes that the search claims, of which each variant has some; see `search_mb` for the arguments."""
    return round(20 + 10 * len(variants) * (images / 20_000) ** (2 if _in_pairs(variants) else 1))


def _gallery_mb(images: int, networks: int, threads: int) -> float:
    """Megabytes of a job that reads the features of images, and finds those near others in blocks."""
    return SNAKEMAKE_MB + _PYTHON_MB + images * (networks * _IMAGE_MB + _FACE_MB + threads * _BLOCK_MB)


def _in_pairs(variants: Iterable[Variant]) -> bool:
    """Whether one of the searches compares all pairs of candidates."""
    return any(each.body_rerank or not METHODS[each.method].across for each in variants)
