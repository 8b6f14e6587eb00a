"""`python -m castsearch.evaluation` is `castsearch evaluate`: it scores a submission file."""

import sys

from castsearch.cli import main

sys.exit(main(["evaluate", *sys.argv[1:]]))
