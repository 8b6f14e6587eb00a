"""Work in other threads."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

_Item = TypeVar("_Item")


def in_threads(work: Callable[[_Item], None], items: Iterable[_Item]) -> None:
    """Work on each of some items, in as many threads as the job has: Snakemake says so in `OMP_NUM_THREADS`."""
    # OpenMP allows a number for each level of nested threads; the first is that of the outermost.
    threads = int((os.environ.get("OMP_NUM_THREADS") or "1").partition(",")[0])
    if threads <= 1:
        for item in items:
            work(item)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, items):
            pass


def read_ahead(items: Iterable[_Item], depth: int = 4) -> Iterator[_Item]:
    """Yield `items`, making up to `depth` of them in another thread while the caller works."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as reader:
        waiting = deque(reader.submit(next, iterator, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(reader.submit(next, iterator, end))
            yield cast(_Item, item)
