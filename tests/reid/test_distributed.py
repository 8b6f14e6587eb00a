import copy
import logging
from functools import partial

import pytest
import torch
from torch import distributed as dist
from torch import multiprocessing

from castsearch.errors import InputError
from castsearch.reid import distributed, networks
from castsearch.reid.learner import Learner
from castsearch.reid.recipe import Recipe

pytestmark = pytest.mark.slow  # each test starts processes that import torch

LABELS = torch.arange(5).repeat_interleave(3)


@pytest.mark.parametrize(
    ("threads", "gpus", "split"), [(8, 0, (1, 0)), (8, 1, (1, 7)), (16, 2, (2, 7)), (1, 2, (2, 0))]
)
def test_threads_are_divided_among_what_trains_and_what_loads(threads, gpus, split):
    assert distributed.split_threads(threads, gpus) == split


class WithoutNorms(torch.nn.Module):
    """Two parts without batch norms, whose statistics are shared on GPUs alone."""

    def __init__(self):
        super().__init__()
        self.embeddings = torch.nn.ModuleList(torch.nn.Linear(24, 7) for _ in range(2))
        self.classifier = torch.nn.Linear(7, 5)
        self.spare = torch.nn.Parameter(torch.ones(1))  # without a gradient

    def forward(self, images):
        parts = [embed(images.flatten(1).double()) for embed in self.embeddings]
        return [(part, self.classifier(part)) for part in parts]


def one_step(network, pixels, sizes):
    """Losses and gradients of one step."""
    torch.set_num_threads(1)
    losses = Learner(network, Recipe("triplet", "none", label_smoothing=0.1), sizes).step(pixels, LABELS)
    return losses, {name: parameter.grad for name, parameter in network.named_parameters()}


def share(rank, network, pixels, sizes, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=len(sizes))
    torch.save(one_step(network, pixels.split(sizes)[rank], sizes), folder / str(rank))
    dist.destroy_process_group()


def test_two_processes_have_the_loss_and_the_gradient_of_one(tmp_path):
    torch.manual_seed(0)
    network = WithoutNorms().double()
    pixels = torch.randint(0, 256, (15, 4, 2, 3), dtype=torch.uint8)

    arguments = copy.deepcopy(network), pixels, [8, 7], tmp_path
    multiprocessing.start_processes(share, arguments, nprocs=2, start_method="fork")

    expected = one_step(network, pixels, [15])
    for rank in ("0", "1"):
        for part, whole in zip(torch.load(tmp_path / rank), expected, strict=True):
            torch.testing.assert_close(part, whole, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "timm/test_efficientnet"])
def test_all_batch_norms_share_their_statistics(backbone):
    network = networks.build("triplet", backbone, 5, input_size=(64, 32))
    names = set(network.state_dict())
    distributed.share_batch_norms(network)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    assert all(isinstance(norm, torch.nn.SyncBatchNorm) for norm in norms)
    assert set(network.state_dict()) == names


def test_norms_that_cannot_be_shared_are_named():
    with pytest.raises(InputError, match=r"^the network has layers of type BatchNorm3d, .*reid\.gpus: 1$"):
        distributed.share_batch_norms(torch.nn.BatchNorm3d(1))


def write_rank(folder):
    logging.getLogger("castsearch").info("this is process %d", distributed.rank())
    (folder / f"{distributed.rank()} of {distributed.world_size()}").touch()


def test_processes_know_their_number_and_the_first_one_logs(tmp_path, capfd):
    distributed.launch(partial(write_rank, tmp_path), 2, "cpu")
    assert {path.name for path in tmp_path.iterdir()} == {"0 of 2", "1 of 2"}
    log = capfd.readouterr().err
    assert "this is process 0" in log
    assert "this is process 1" not in log


def fail_in_the_second():
    if distributed.rank() == 1:
        raise InputError("movie.arrow: e: the crop is not an image")
    dist.barrier()


def test_what_one_process_cannot_use_ends_all_with_its_message():
    with pytest.raises(InputError, match=r"^movie.arrow: e: the crop is not an image$"):
        distributed.launch(fail_in_the_second, 2, "cpu")
