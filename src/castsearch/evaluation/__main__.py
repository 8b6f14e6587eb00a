"""Run as a program, `python -m castsearch.evaluation`, the package scores a submission file."""

import sys

from castsearch.evaluation.metrics import main

sys.exit(main())
