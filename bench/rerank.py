"""Time and memory of k-reciprocal re-ranking, beside a matrix product with top-k of the same size.

    python bench/rerank.py                      sizes up to 32,511, all candidates of the challenge's test split
    python bench/rerank.py --largest 127000     and the 127,000 person tracks of CSM
    python bench/rerank.py --largest 127000 --docs      and rewrite docs/rerank-scaling.*

Every measurement is a process of its own, so that its peak memory is its own. Times are the best of three up to
N = 16,000 and single ones above.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from castsearch import files
from castsearch.search import k_reciprocal
from castsearch.search.neighbors import l2_normalize
from castsearch.tsv import write_tsv

SIZES = (1_000, 2_000, 4_000, 8_000, 16_000, 32_511, 127_000)
CSM_PORTRAITS = 1_218
DIMENSION = 512
DOCS = Path(__file__).parents[1] / "docs"
_BLOCK_ROWS = 1024


def features(n: int) -> np.ndarray:
    """People with 20 images each, whose neighbourhoods overlap: (n, 512) float32 of unit length, in random order."""
    rng = np.random.default_rng(0)
    people = rng.standard_normal((n // 20 + 1, DIMENSION), np.float32)
    images = rng.standard_normal((n, DIMENSION), np.float32)
    images *= 2
    images += people[rng.permutation(n) // 20]
    return l2_normalize(images)


def num_queries(n: int) -> int:
    """Half of the images; at CSM's size its portraits, since half would make a result of 16 GB."""
    return CSM_PORTRAITS if n > SIZES[-2] else n // 2


def floor(images: np.ndarray, k: int = 21) -> np.ndarray:
    """Compute all similarities in blocks and keep each row's k largest: what any re-ranking must do first."""
    n = len(images)
    nearest = np.empty((n, k), np.int32)
    for start in range(0, n, _BLOCK_ROWS):
        similarity = images[start : start + _BLOCK_ROWS] @ images.T
        nearest[start : start + _BLOCK_ROWS] = np.argpartition(similarity, n - k, axis=1)[:, n - k :]
    return nearest


def ours(images: np.ndarray) -> np.ndarray:
    """Re-rank with the usual parameters."""
    num_query = num_queries(len(images))
    return k_reciprocal.k_reciprocal_from_features(images, slice(num_query), slice(num_query, None))


METHODS = {"floor": floor, "ours": ours}


def measure(method: str, n: int) -> dict[str, float]:
    """Seconds, and peak memory in MB, of one method in this process."""
    images = features(n)
    METHODS[method](images[:1000])  # loads what is loaded lazily
    seconds = []
    for _ in range(3 if n <= 16_000 else 1):
        start = time.perf_counter()
        METHODS[method](images)
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def measured_apart(method: str, n: int) -> dict[str, float]:
    """`measure` in a process of its own."""
    line = [sys.executable, __file__, "--only", method, str(n)]
    return json.loads(subprocess.run(line, stdout=subprocess.PIPE, check=True).stdout)


def row(n: int) -> dict[str, float]:
    """One line of the table."""
    found = {method: measured_apart(method, n) for method in METHODS}
    return {
        "N": n,
        "queries": num_queries(n),
        "floor s": found["floor"]["seconds"],
        "ours s": found["ours"]["seconds"],
        "ours / floor": found["ours"]["seconds"] / found["floor"]["seconds"],
        "floor MB": found["floor"]["megabytes"],
        "ours MB": found["ours"]["megabytes"],
        "of it the result MB": num_queries(n) * (n - num_queries(n)) * 4 / 2**20,
    }


def to_markdown(table: pd.DataFrame) -> str:
    """The table with fitting decimals."""
    formats = ("d", "d", ".2f", ".2f", ".2f", ".0f", ".0f", ".0f")
    return table.astype(object).to_markdown(index=False, floatfmt=formats) + "\n"


def plot(table: pd.DataFrame, path: Path) -> None:
    """Draw time and memory over N, both axes logarithmic."""
    import matplotlib as mpl  # noqa: PLC0415 (only the plot needs it)

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "0", "font.size": 9}
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained")
    n = table["N"]
    left.loglog(n, table["ours s"], "o-", label="k-reciprocal re-ranking")
    left.loglog(n, table["floor s"], "s--", label="product and top-21")
    left.loglog(n, 2 * table["floor s"], ":", color="grey", label="twice that")
    left.set(xlabel="images N", ylabel="seconds")
    right.loglog(n, table["ours MB"] - table["of it the result MB"], "o-", label="without the result")
    right.loglog(n, table["ours MB"], "^-", label="peak")
    right.loglog(n, 4 * n.astype(float) ** 2 / 2**20, ":", color="grey", label="one N × N matrix")
    right.set(xlabel="images N", ylabel="memory, MB", ylim=(100, 1e5))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    with files.replacing(path) as temporary:
        figure.savefig(temporary, metadata={"Date": None})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Time and memory of re-ranking, beside a matrix product with top-k.")
    parser.add_argument("--largest", type=int, default=SIZES[-2], help="largest N")
    parser.add_argument("--docs", action="store_true", help="rewrite docs/rerank-scaling.tsv, .md's table and .svg")
    parser.add_argument("--only", nargs=2, metavar=("METHOD", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only[0], int(options.only[1]))))
        return
    rows = []
    for n in (size for size in SIZES if size <= options.largest):
        rows.append(row(n))
        print(to_markdown(pd.DataFrame(rows[-1:])), flush=True)
        if options.docs:
            write_docs(pd.DataFrame(rows))  # at once, as the largest takes as long as all others
    print(to_markdown(pd.DataFrame(rows)))


def write_docs(table: pd.DataFrame) -> None:
    """Rewrite the documents of the measurements."""
    write_tsv(DOCS / "rerank-scaling.tsv", table)
    plot(table, DOCS / "rerank-scaling.svg")
    machine = f"{os.cpu_count()} cores ({platform.machine()}), NumPy {np.__version__}"
    page = (DOCS / "rerank-scaling.md").read_text()
    before, _, rest = page.partition("<!-- table -->")
    after = rest.partition("<!-- end -->")[2]
    text = f"{before}<!-- table -->\n\nMeasured on {machine}.\n\n{to_markdown(table)}\n<!-- end -->{after}"
    files.write_text(DOCS / "rerank-scaling.md", text)


if __name__ == "__main__":
    main()
