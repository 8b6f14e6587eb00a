"""Work in another thread."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

_Item = TypeVar("_Item")


def read_ahead(items: Iterable[_Item], depth: int = 4) -> Iterator[_Item]:
    """Yield `items`, making up to `depth` of them in another thread while the caller works."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as reader:
        waiting = deque(reader.submit(next, iterator, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(reader.submit(next, iterator, end))
            yield cast(_Item, item)
