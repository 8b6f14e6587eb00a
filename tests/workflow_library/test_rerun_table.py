"""The table of edits and of what must run again after each, by the digests of the rules' code."""

import pytest

YUNET_SFACE = {f"{rule} yunet_sface" for rule in ("detect", "embed_faces", "embed_portraits")}
IN_TORCH = {f"{rule} retinaface_arcface" for rule in ("detect", "embed_faces", "embed_portraits")}
IN_TORCH |= {"embed_bodies onnx_features"}
ROWS = {
    "a constant of a face engine": ("faces/engines/yunet_sface.py", "_SIDE = 320", "_SIDE = 300", YUNET_SFACE),
    "an engine's licence": ("faces/engines/yunet_sface.py", 'LICENCE = "', 'LICENCE = "new: ', set()),
    "another engine": ("faces/engines/another.py", "", "LICENCE = 'free'\n", set()),
    "a constant of a method": (
        "search/links.py",
        "_NEIGHBORS = 10",
        "_NEIGHBORS = 11",
        {"fuse diffusion", "names"},
    ),
    "another method": ("search/another.py", "", "def search(given):\n    pass\n", set()),
    "TransNetV2": ("film/transnetv2.py", "_BLOCK = 60", "_BLOCK = 120", {"changes transnetv2"}),
    "how other shots are found": ("film/shot_changes.py", "3.0, 3, 2", "3.5, 3, 2", {"changes", "changes transnetv2"}),
    "networks in torch": ("onnx/torch_network.py", "_TOLERANCE = 1e-3", "_TOLERANCE = 1e-4", IN_TORCH),
    "a CMC rank": ("evaluation/tables.py", "CMC_RANKS = (1, 5, 10)", "CMC_RANKS = (1, 5, 20)", {"evaluate", "report"}),
    "an error of the training's data": ("reid/identities.py", "that can be decoded", "that is whole", set()),
    "an error of the losses": ("reid/losses.py", "is none of euclidean", "is not one of euclidean", set()),
    "what errors call a kind of file": ("misnamed.py", '"a PDF"', '"a file of PDF"', set()),
    "how long to wait for a GPU": ("workflow/devices.py", "TRIES = 0.2", "TRIES = 0.3", set()),
}


@pytest.mark.parametrize("edit", ROWS)
def test_an_edit_runs_again_what_depends_on_it_and_nothing_else(rerun_after, edit):
    file, old, new, expected = ROWS[edit]
    assert rerun_after(file, old, new) == expected
