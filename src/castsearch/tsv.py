"""Tables as tab-separated text."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from castsearch import files


def write_tsv(
    path: str | Path, table: pd.DataFrame, made_with: Mapping[str, str] | None = None, decimals: int = 6
) -> None:
    """Write a table.

    Args:
        path: the file.
        table: the table.
        made_with: what it was made with; a line above the header for each, after "# ".
        decimals: of floating-point numbers; with six, results can be compared.
    """
    lines = "".join(f"# {key}: {value}\n" for key, value in (made_with or {}).items())
    rows = table.to_csv(sep="\t", index=False, float_format=f"%.{decimals}f", lineterminator="\n")
    files.write_text(path, lines + rows)


def read_tsv(path: str | Path) -> pd.DataFrame:
    """Read a table without lines above its header, all of it as texts."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def with_numbers(table: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """Return a table of texts with some columns as numbers of these types; what is empty is missing."""
    return table.assign(
        **{name: pd.to_numeric(table[name].replace("", None)).astype(type_) for name, type_ in types.items()}
    )
