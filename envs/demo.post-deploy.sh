#!/usr/bin/env bash
# Packages that carry photographs; see data.txt for why they come without what they declare to need.
set -euo pipefail
pip install --no-deps insightface==2.1 mahotas==1.4.19 scikit-image==0.26.0
