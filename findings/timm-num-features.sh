#!/usr/bin/env bash
# Backbones of timm give features when they are made with num_classes=0, and say how many by num_features.
#
# Expected: num_features is the width of these features, so that a head of one's own can be put behind them.
# Seen (timm 1.0.31): of MobileNetV3 and V4, GhostNet, LCNet, HGNetV2, EfficientViT and VGG num_features is the width before the
# last layer of the head, which stays with num_classes=0: 960 is said and 1280 given, 256 and 1280, 512 and 4096. Of
# ResNet, EfficientNet, ConvNeXt and ViT both are the same.
# What helps: head_hidden_size, or the shape of what an empty image gives.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 timm==1.0.31 torch==2.14.1 torchvision==0.29.2
cd "$room"
cat > show.py <<'PYTHON'
import timm
import torch

EXPECTED = {
    "resnet18": (512, 512),
    "efficientnet_b0": (1280, 1280),
    "convnext_atto": (320, 320),
    "vit_tiny_patch16_224": (192, 192),
    "mobilenetv3_large_100": (960, 1280),
    "mobilenetv4_conv_small": (960, 1280),
    "ghostnet_100": (960, 1280),
    "lcnet_050": (256, 1280),
    "hgnetv2_b0": (1024, 2048),
    "efficientvit_b0": (128, 1280),
    "vgg11": (512, 4096),
}
for name, expected in EXPECTED.items():
    net = timm.create_model(name, num_classes=0).eval()
    with torch.inference_mode():
        given = net(torch.zeros(1, *net.default_cfg["input_size"])).shape[1]
    print(f"timm {timm.__version__}, {name}: num_features {net.num_features}, features given {given}")
    assert (net.num_features, given, net.head_hidden_size) == (*expected, expected[1])
PYTHON
"$room/venv/bin/python" -W ignore show.py
