"""How a ReID network is trained."""

import math
from dataclasses import dataclass
from typing import Literal

from castsearch.float_precision import FloatPrecision
from castsearch.reid.heads import Kind, Neck, Pooling
from castsearch.reid.losses import Metric, Mining


@dataclass(frozen=True)
class Recipe:
    """What is trained, and how. The defaults are the recipe of the reference system.

    Attributes:
        kind: "triplet" or "mgn", see `networks.build`.
        backbone: see `networks.build`.
        epochs: passes over the people.
        people: people in a batch.
        images: images of each of them in a batch.
        learning_rate: of Adam.
        weight_decay: of Adam, added to the gradient.
        schedule: "step" multiplies the learning rate by `step_factor` after every `step` epochs. "cosine" lets it fall
            to zero along half a cosine (Loshchilov and Hutter, "SGDR", 2017).
        step: epochs between the steps.
        step_factor: factor of each step.
        warmup: epochs at the start in which the learning rate rises in equal steps to its full height.
        margin: of the triplet loss, a number or "soft".
        mining: of the triplet loss: "hard", "uniform" or "adaptive".
        metric: of the triplet loss: "euclidean", "sqeuclidean" or "cosine".
        label_smoothing: share of the classifier's target that is spread over all people (Szegedy et al., "Rethinking
            the Inception Architecture for Computer Vision", 2016).
        pooling: "average" or "gem", see `networks.build`.
        neck: "seed" or "bnneck", see `networks.build`.
        validate_every: epochs between validations. The last epoch is always validated.
        checkpoint_every: epochs between checkpoints.
        checkpoints_kept: how many of the newest checkpoints are kept, in addition to the one of the best epoch.
        use: which epoch's weights are the result: "last", or "best" by the mAP of validation.
        seed: of the initial weights, the batches and the augmentation.
        height: of the input in pixels.
        width: of the input in pixels.
        flip: probability that an image is mirrored.
        pad: largest shift of an image in pixels.
        erasing: probability that a rectangle of an image is erased.
        erasing_area: smallest and largest share of the image that is erased.
        erasing_aspect: smallest and largest ratio of the rectangle's height to its width.
        precision: "float32", which on GPUs excludes TF32; or "bfloat16", which is autocast, with TF32 for the rest. The
            latter is faster on GPUs and on CPUs that multiply bfloat16 natively (AVX512-BF16, AMX), and many times
            slower on other CPUs.
    """

    kind: Kind
    backbone: str
    epochs: int = 450
    people: int = 18
    images: int = 4
    learning_rate: float = 3e-4
    weight_decay: float = 5e-4
    schedule: Literal["step", "cosine"] = "step"
    step: int = 150
    step_factor: float = 0.1
    warmup: int = 0
    margin: float | Literal["soft"] = "soft"
    mining: Mining = "hard"
    metric: Metric = "euclidean"
    label_smoothing: float = 0.0
    pooling: Pooling = "average"
    neck: Neck = "seed"
    validate_every: int = 25
    checkpoint_every: int = 50
    checkpoints_kept: int = 1
    use: Literal["last", "best"] = "last"
    seed: int = 0
    height: int = 256
    width: int = 128
    flip: float = 0.5
    pad: int = 10
    erasing: float = 0.5
    erasing_area: tuple[float, float] = (0.02, 0.4)
    erasing_aspect: tuple[float, float] = (0.3, 3.3)
    precision: FloatPrecision = "float32"

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the input in pixels."""
        return self.height, self.width


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """Return the learning rate of an epoch, counted from 0."""
    if epoch < recipe.warmup:
        return recipe.learning_rate * (epoch + 1) / recipe.warmup
    if recipe.schedule == "step":
        return recipe.learning_rate * recipe.step_factor ** (epoch // recipe.step)
    done = (epoch - recipe.warmup) / (recipe.epochs - recipe.warmup)
    return recipe.learning_rate * (1 + math.cos(math.pi * done)) / 2
