import pytest

from castsearch.threads import in_threads, read_ahead


def test_reading_ahead_keeps_order_and_errors():
    def items():
        yield from range(10)
        raise ValueError("the last one")

    seen = []
    with pytest.raises(ValueError, match="the last one"):
        seen.extend(read_ahead(items()))
    assert list(read_ahead(range(3), depth=8)) == [0, 1, 2]


@pytest.mark.parametrize("threads", ["", "1", "2,1"])
def test_all_is_worked_on_in_as_many_threads_as_a_job_has(monkeypatch, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    done = []
    in_threads(done.append, range(5))
    assert sorted(done) == [0, 1, 2, 3, 4]
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda number: 1 / number, [1, 0])
