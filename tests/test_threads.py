import pytest

from castsearch.threads import read_ahead


def test_reading_ahead_keeps_order_and_errors():
    def items():
        yield from range(10)
        raise ValueError("the last one")

    seen = []
    with pytest.raises(ValueError, match="the last one"):
        seen.extend(read_ahead(items()))
    assert list(read_ahead(range(3), depth=8)) == [0, 1, 2]
