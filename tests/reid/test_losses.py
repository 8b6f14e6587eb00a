import numpy as np
import pytest
import torch

from castsearch.reid.losses import TripletLoss, pairwise_distance

METRICS = ["euclidean", "sqeuclidean", "cosine"]
MININGS = ["hard", "uniform", "adaptive"]


@pytest.mark.parametrize("case", range(18))
def test_loss_top1_and_gradient_are_the_seeds(golden, case):
    with np.load(golden / "triplet.npz") as stored:
        expected = {name.split("_")[1]: stored[name] for name in stored.files if name.startswith(f"triplet{case}_")}
    margin = str(expected["margin"])
    criterion = TripletLoss(
        margin if margin == "soft" else float(margin), str(expected["mode"]), str(expected["metric"])
    )
    embeddings = torch.tensor(expected["embeddings"], requires_grad=True)

    loss, top1 = criterion(embeddings, torch.from_numpy(expected["labels"]))
    loss.backward()

    assert loss.item() == pytest.approx(float(expected["loss"]), rel=1e-5)
    assert top1.item() == pytest.approx(float(expected["top1"]), rel=1e-5)
    scale = np.abs(expected["gradient"]).max()
    np.testing.assert_allclose(embeddings.grad, expected["gradient"], rtol=1e-5, atol=1e-5 * scale)


def test_mined_distances_are_those_of_a_walk_row_by_row():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(7, 3)), np.array([0, 1, 0, 1, 2, 2, 2])
    gaps = []
    for row, label in zip(rows, labels, strict=True):
        others = np.linalg.norm(rows - row, axis=1)
        gaps.append(others[labels == label].max() - others[labels != label].min())

    loss, _ = TripletLoss(0.3, "hard", "euclidean")(torch.from_numpy(rows), torch.from_numpy(labels))

    assert loss.item() == pytest.approx(np.maximum(np.array(gaps) + 0.3, 0).mean(), rel=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_distances_of_nearly_identical_rows_do_not_cancel(metric):
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(100 + rng.normal(size=64) + 1e-4 * rng.normal(size=(5, 64))).float()

    distance = pairwise_distance(rows, metric)
    exact = pairwise_distance(rows.double(), metric)

    apart = ~torch.eye(5, dtype=torch.bool)
    # Normalising a row already rounds it to 1e-7 of its length, which is a part of so small a cosine distance.
    tolerance = 0.2 if metric == "cosine" else 1e-5
    torch.testing.assert_close(distance[apart].double(), exact[apart], rtol=tolerance, atol=0)


@pytest.mark.parametrize("metric", METRICS)
def test_the_hardest_triplets_among_nearly_identical_rows_are_found(metric):
    """An identity with one image repeats it, and augmentation changes it little."""
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(100 + rng.normal(size=64) + 1e-3 * rng.normal(size=(8, 64))).float()
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    exact = pairwise_distance(rows.double(), metric)
    same = labels[:, None] == labels
    gap = exact.where(same, 0).amax(dim=1) - exact.where(~same, torch.inf).amin(dim=1)

    loss, _ = TripletLoss(1e-9, "hard", metric)(rows, labels)

    # Normalising a row already rounds it to 1e-7 of its length, which is a part of so small a cosine distance.
    assert loss.item() == pytest.approx(torch.relu(gap + 1e-9).mean().item(), rel=0.02 if metric == "cosine" else 1e-4)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("mining", MININGS)
def test_gradient_is_finite_where_an_image_is_repeated(mining, metric):
    embeddings = torch.tensor([[1.0, 2.0], [1.0, 2.0], [3.0, 1.0], [3.0, 1.0]], requires_grad=True)

    loss, _ = TripletLoss("soft", mining, metric)(embeddings, torch.tensor([0, 0, 1, 1]))
    loss.backward()

    assert torch.isfinite(loss)
    assert torch.isfinite(embeddings.grad).all()
    assert embeddings.grad.abs().sum() > 0


@pytest.mark.parametrize("mining", MININGS)
def test_rows_without_a_triplet_add_nothing(mining):
    rows = torch.tensor([[0.0, 0.0], [0.0, 1.0], [5.0, 0.0]], requires_grad=True)
    criterion = TripletLoss(10.0, mining, "euclidean")

    loss, _ = criterion(rows, torch.tensor([0, 0, 1]))  # the third row has no positive
    expected, _ = criterion(rows[:2], torch.tensor([0, 0]))  # no negatives at all
    loss.backward()

    assert loss.item() == pytest.approx(10 + 1 - (5 + 26**0.5) / 2, rel=1e-6)
    assert expected.item() == 0
    assert torch.isfinite(rows.grad).all()


@pytest.mark.parametrize("arguments", [("hard",), (0.3, "easy"), (0.3, "hard", "manhattan")])
def test_an_unknown_choice_is_refused(arguments):
    with pytest.raises(ValueError, match=str(arguments[-1])):
        TripletLoss(*arguments)(torch.eye(2), torch.tensor([0, 1]))
