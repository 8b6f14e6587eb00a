import copy
import csv

import pytest
import torch
from sightings import people_rows, rows_of, write_movie
from torch import distributed as dist
from torch import multiprocessing

from castsearch.errors import InputError
from castsearch.reid import distributed, networks, training
from castsearch.reid.history import LOSSES
from castsearch.reid.losses import TripletLoss
from castsearch.reid.training import Settings, train

LABELS = torch.arange(5).repeat_interleave(3)


def one_step(network, shared, pixels, sizes):
    """Losses, gradients and running statistics after one step."""
    torch.set_num_threads(1)
    still = torch.optim.SGD(network.parameters(), lr=0.0)
    settings = Settings(label_smoothing=0.1)
    losses = training._step(shared, still, TripletLoss(), (pixels, LABELS), settings=settings, sizes=sizes)
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    return losses, gradients, dict(network.named_buffers())


def share(rank, network, pixels, sizes, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=len(sizes))
    own = pixels.split(sizes)[rank]
    torch.save(one_step(network, distributed.parallel(network), own, sizes), folder / str(rank))
    dist.destroy_process_group()


@pytest.mark.parametrize(
    ("kind", "backbone"),
    [("triplet", "mobilenet_v2"), ("mgn", "mobilenet_v2"), ("triplet", "timm/test_efficientnet")],
)
def test_two_processes_have_the_loss_and_the_gradient_of_one(kind, backbone, tmp_path):
    torch.manual_seed(0)
    network = networks.build(kind, backbone, 5, input_size=(64, 32)).train().double()
    network.spare = torch.nn.Parameter(torch.ones(1))  # without a gradient
    network.register_forward_pre_hook(lambda _, arguments: (arguments[0].double(),))
    pixels = torch.randint(0, 256, (15, 64, 32, 3), dtype=torch.uint8)

    arguments = copy.deepcopy(network), pixels, [8, 7], tmp_path
    multiprocessing.start_processes(share, arguments, nprocs=2, start_method="fork")

    expected = one_step(network, network, pixels, [15])
    for rank in ("0", "1"):
        for part, whole in zip(torch.load(tmp_path / rank), expected, strict=True):
            torch.testing.assert_close(part, whole, rtol=1e-4, atol=1e-6)


def test_norms_that_cannot_be_shared_are_named(monkeypatch):
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    with pytest.raises(InputError, match=r"^the network has layers of type BatchNorm3d, .*reid\.gpus: 1$"):
        distributed.parallel(torch.nn.BatchNorm3d(1))


def trained(folder, crops, processes):
    """Train for an epoch of one step, and return its losses."""
    settings = Settings(epochs=1, people=5, images=3, height=64, width=32)
    files = {"weights_out": folder / "weights.safetensors", "history_out": folder / "history.tsv"}
    folders = {"checkpoint_dir": folder / "checkpoints", "log_dir": folder / "log"}
    options = {"imagenet": None, "device": "cpu", "processes": processes}
    train([crops], "triplet", "mobilenet_v2", settings, **files, **folders, **options)
    with (folder / "history.tsv").open() as file:
        [row] = csv.DictReader(file, delimiter="\t")
    return [float(row[name]) for name in LOSSES]


def test_training_in_two_processes_is_that_in_one(tmp_path):
    crops = write_movie(tmp_path / "movie.arrow", people_rows("abcde", 3))
    assert trained(tmp_path / "two", crops, 2) == pytest.approx(trained(tmp_path / "one", crops, 1), rel=1e-4)
    parts = [networks.load_weights(tmp_path / each / "weights.safetensors").state_dict() for each in ("one", "two")]
    assert parts[0].keys() == parts[1].keys()


def test_a_crop_that_one_process_cannot_read_ends_all_with_its_name(tmp_path):
    crops = write_movie(tmp_path / "movie.arrow", people_rows("abcd", 3) + rows_of("e", [b"no image"]))
    with pytest.raises(InputError, match=r"^\S+: e_candidate_0: the crop is not an image that can be decoded$"):
        trained(tmp_path, crops, 2)
