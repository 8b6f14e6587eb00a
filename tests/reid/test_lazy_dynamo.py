import subprocess
import sys

SCRIPT = """
import sys
from pathlib import Path
from castsearch.reid import networks
networks.save_weights(networks.build("triplet", "mobilenet_v2", 0), Path("weights.safetensors"))
networks.load_weights(Path("weights.safetensors"))
assert "torch._dynamo" not in sys.modules, "the compiler is imported"
import torch
from torchvision.ops import roi_align
from torchvision.ops.roi_align import is_compile_supported
assert roi_align(torch.ones(1, 1, 4, 4), torch.tensor([[0.0, 0, 0, 4, 4]]), (1, 1)).tolist() == [[[[1.0]]]]
is_compile_supported("cpu")
assert "torch._dynamo" in sys.modules, "the question was not passed on"
"""


def test_torchs_compiler_is_imported_only_when_it_is_asked_for(tmp_path):
    done = subprocess.run([sys.executable, "-c", SCRIPT], stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_whatever_else_is_asked_for_comes_from_the_compiler():
    script = """
from castsearch.reid.lazy_dynamo import lazy_dynamo
with lazy_dynamo():
    from torch._dynamo.utils import counters
import torch._dynamo.utils
assert torch._dynamo.utils.counters is counters
"""
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
