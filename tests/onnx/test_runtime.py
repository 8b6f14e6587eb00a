import onnxruntime

from castsearch.onnx.runtime import session_options


def test_cuda_comes_first_as_exact_as_the_cpu_and_without_a_search_at_every_size(monkeypatch):
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider", "CUDAExecutionProvider"]
    )
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)
    options = session_options(1)
    assert options["providers"] == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert options["provider_options"] == [{"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}, {}]
