#!/usr/bin/env bash
# Three kinds of valid TIFF files give other pixels in Pillow than they hold, without a word.
#
# Expected: the picture that was written, or a refusal, as for the same files in the other byte order.
# Seen (pillow 13.0.0): grey of 16 bits whose zero is white comes out as its negative, while 8 bits are right; RGB of 16
# bits in separate planes is garbled where it is not compressed, while compressed it is right; grey of signed 8 bits is off
# by 128.
# What helps: TiffImagePlugin.READ_LIBTIFF = True for the planes; the tags PhotometricInterpretation and SampleFormat for
# the others.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 tifffile==2026.3.3 numpy==2.4.6
cd "$room"
"$room/venv/bin/python" - <<'PYTHON'
import io

import numpy as np
import tifffile
from PIL import Image

grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
colour = np.stack([grey, grey.T, grey[::-1]])


def read(stored, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, stored, byteorder="<", **options)
    found = np.asarray(Image.open(file)).astype(int)
    return found // 257 if found.max() > 255 else found


def off(found, expected):
    return np.abs(found - expected).max()


sixteen, planes = grey.astype(np.uint16) * 257, {"photometric": "rgb", "planarconfig": "separate"}
results = {
    "8 bits, zero is white": off(read(grey, photometric="miniswhite"), 255 - grey.astype(int)),
    "16 bits, zero is white": off(read(sixteen, photometric="miniswhite"), 255 - grey.astype(int)),
    "planes of 16 bits, zlib": off(read(colour.astype(np.uint16) * 257, compression="zlib", **planes), colour.transpose(1, 2, 0)),
    "planes of 16 bits": off(read(colour.astype(np.uint16) * 257, **planes), colour.transpose(1, 2, 0)),
    "signed 8 bits": off(read((grey.astype(int) - 128).astype(np.int8), photometric="minisblack"), grey.astype(int)),
}
for kind, difference in results.items():
    print(f"pillow 13.0.0: {kind}: off by up to {difference} of 255")
assert list(map(bool, results.values())) == [False, True, False, True, True]
PYTHON
