#!/usr/bin/env bash
# Without what it declares to need: that includes an OpenCV that wants a display's libraries.
set -euo pipefail
pip install --no-deps insightface==2.1
