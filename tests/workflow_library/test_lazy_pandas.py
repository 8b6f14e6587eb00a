import subprocess
import sys

SCRIPT = """
import sys
import pyarrow as pa
from castsearch.workflow.lazy_pandas import spare_pandas
spare_pandas()
table = pa.table({"names": ["ada", None], "numbers": [1, 2]})
assert table["numbers"].to_numpy().tolist() == [1, 2]
assert "pandas" not in sys.modules, "pyarrow has imported it"
import pandas as pd
assert table.to_pandas()["numbers"].equals(pd.Series([1, 2])), "tables become no data frames any more"
"""


def test_pyarrow_imports_pandas_only_for_data_frames():
    done = subprocess.run([sys.executable, "-c", SCRIPT], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
