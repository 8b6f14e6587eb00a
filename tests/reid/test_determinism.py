import pytest
import torch

from castsearch.reid.determinism import deterministic


def kernels():
    backends = torch.backends
    return {
        "deterministic": torch.are_deterministic_algorithms_enabled() and backends.cudnn.deterministic,
        "by the stopwatch": backends.cudnn.benchmark,
        "memory filled": torch.utils.deterministic.fill_uninitialized_memory,
        "TF32": (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32),
    }


@pytest.mark.parametrize(("precision", "tf32"), [("float32", False), ("bfloat16", True)])
def test_a_gpu_is_deterministic_and_rounds_to_tf32_only_where_float32_is_not_asked_for(precision, tf32):
    before = kernels()
    with deterministic(torch.device("cuda"), precision):
        assert kernels() == {
            "deterministic": True,
            "by the stopwatch": False,
            "memory filled": False,
            "TF32": (tf32, tf32),
        }
    assert kernels() == before
