#!/usr/bin/env bash
# Short jobs keep their tables in Arrow files, and never ask for a data frame. pandas is installed for other jobs.
#
# Expected: pyarrow imports pandas when it makes a data frame, and not before.
# Seen (pyarrow 26.0.1, pandas 3.1.1): `import pyarrow` does not, and nor does reading a file. The first array that is
# made of a list does, to ask whether the list is a series of pandas's. That is a third of a second and 30 MB a job.
# What helps: nothing that pyarrow offers; an environment without pandas, or to hide it while the first array is made.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pyarrow==26.0.1 pandas==3.1.1
cd "$room"
venv/bin/python -c 'import pyarrow as pa; from pyarrow import feather; feather.write_feather(pa.table({"a": [1]}), "a.arrow")'
cat > show.py <<'PYTHON'
import sys

import pyarrow as pa
from pyarrow import feather

print("after the import:", "pandas" in sys.modules)
assert "pandas" not in sys.modules
assert feather.read_table("a.arrow").num_rows == 1
print("after reading a table:", "pandas" in sys.modules)
assert "pandas" not in sys.modules
pa.array([1])
print("after an array of one number:", "pandas" in sys.modules)
assert "pandas" in sys.modules
PYTHON
venv/bin/python show.py
