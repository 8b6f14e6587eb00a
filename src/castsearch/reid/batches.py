"""The batches of a training, made by as many processes as share them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from castsearch.errors import InputError
from castsearch.reid import distributed, sampler
from castsearch.reid.identities import Identities
from castsearch.reid.recipe import Recipe
from castsearch.reid.transforms import Images, augment, decode_ahead, draw_variations

_Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]


class Batches(Dataset[_Arrays | InputError]):
    """This process's part of the training batches, by the number of the step, counted through all epochs.

    Args:
        identities: who is learnt.
        recipe: how.

    Attributes:
        recipe: as given.
        steps: batches of an epoch.
        size: images of a batch, in all processes together.
        sizes: how many of them each process has.

    Raises:
        InputError: a batch has fewer images than there are processes.
    """

    def __init__(self, identities: Identities, recipe: Recipe) -> None:
        self._identities, self.recipe = identities, recipe
        self._image: Images = partial(identities.image, size=recipe.input_size)
        self._owner = {row: person for person, rows in enumerate(identities.members) for row in rows.tolist()}
        self.steps = sampler.steps_per_epoch(len(identities.names), recipe.people)
        self.size = recipe.images * min(recipe.people, len(identities.names))
        self.sizes = [len(part) for part in np.array_split(range(self.size), distributed.world_size())]
        self._own = np.array_split(range(self.size), len(self.sizes))[distributed.rank()].tolist()
        if not all(self.sizes):
            raise InputError(f"a batch of {self.size} images cannot be divided among {len(self.sizes)} GPUs")

    def decode(self, folders: Sequence[Path]) -> None:
        """Decode all images once for all epochs, into a nameless file in the first of the folders that has room.

        Where none has, images are decoded in every epoch.

        Raises:
            InputError: a crop is not an image.
        """
        rows = np.concatenate(self._identities.members).tolist()
        places = {row: place for place, row in enumerate(rows)}
        load = self._image
        threads = torch.get_num_threads()
        decoded = decode_ahead(
            lambda place: load(rows[place]), len(rows), self.recipe.input_size, folders=folders, threads=threads
        )
        self._image = _by_row(decoded, places)

    def __getitem__(self, number: int) -> _Arrays | InputError:
        """Return this process's images, uint8 (n, height, width, 3), and who is in each of the batch's, int64 (size,).

        An error is returned, too, because one raised in a worker process arrives with its stack trace as its message.
        """
        recipe, (epoch, step) = self.recipe, divmod(number, self.steps)
        rows = sampler.batch(
            self._identities.members, recipe.people, recipe.images, seed=recipe.seed, epoch=epoch, step=step
        ).tolist()
        # For the whole batch, so that its pixels are the same whatever the number of processes.
        variations = draw_variations(
            self.size,
            recipe.input_size,
            np.random.default_rng((recipe.seed, epoch, 1 + step, 1)),
            flip=recipe.flip,
            pad=recipe.pad,
            erasing=recipe.erasing,
            erasing_area=recipe.erasing_area,
            erasing_aspect=recipe.erasing_aspect,
        )
        try:
            images = np.stack([self._image(rows[place]) for place in self._own])
        except InputError as error:
            return error
        varied = augment(images, [variations[place] for place in self._own])
        return varied, np.array([self._owner[row] for row in rows])

    def first(self) -> tuple[Tensor, Tensor]:
        """Return the first batch of training, as `stream` would.

        Raises:
            InputError: a crop is not an image.
        """
        return _unpacked(self[0])

    def stream(self, epoch: int, *, workers: int, pin_memory: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches from an epoch on, counted from 0: images and labels as `__getitem__` has them.

        Args:
            epoch: the first.
            workers: processes that load images; 0 for none but this one.
            pin_memory: whether the images are for a GPU.

        Raises:
            InputError: a crop is not an image.
        """
        loader = DataLoader(
            self,
            batch_size=None,
            sampler=range(epoch * self.steps, self.recipe.epochs * self.steps),
            num_workers=workers,
            multiprocessing_context="fork" if workers else None,  # decoded images are read from an open file
            pin_memory=pin_memory,
            generator=torch.Generator(),  # or it would draw from the global one
        )
        for batch in loader:
            yield _unpacked(batch)


def _by_row(decoded: Images, places: Mapping[int, int]) -> Images:
    return lambda row: decoded(places[row])


def _unpacked(batch: Sequence[NDArray | Tensor] | InputError) -> tuple[Tensor, Tensor]:
    if isinstance(batch, InputError):
        raise batch
    images, labels = map(torch.as_tensor, batch)
    return images, labels
