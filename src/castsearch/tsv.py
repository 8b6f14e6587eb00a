"""Tables of results as tab-separated text."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from castsearch import files


def write_tsv(path: str | Path, table: pd.DataFrame, made_with: Mapping[str, str] | None = None) -> None:
    """Write a table with six decimals, which is what results are compared with.

    Args:
        path: the file.
        table: the table.
        made_with: what it was made with; a line above the header for each, after "# ".
    """
    lines = "".join(f"# {key}: {value}\n" for key, value in (made_with or {}).items())
    rows = table.to_csv(sep="\t", index=False, float_format="%.6f", lineterminator="\n")
    files.write_text(path, lines + rows)
