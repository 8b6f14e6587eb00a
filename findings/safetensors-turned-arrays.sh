#!/usr/bin/env bash
# Weights of a face recogniser are turned for another library, and written by safetensors.numpy. A turned array of NumPy is a
# view of the same memory in another order.
#
# Expected: the file has the values of the array, as numpy.save writes them, or the array is refused as safetensors.torch
# refuses a turned tensor.
# Seen (safetensors 0.8.0, NumPy 2.4.6): shape and type are right, and the values are in the order of the array that was
# turned, so that another matrix comes back. Nothing is said. So it is with every second row, and in Fortran's order.
# What helps: np.ascontiguousarray of every array before it is written.
set -euo pipefail
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 safetensors==0.8.0
cd "$room"
cat > show.py <<'PYTHON'
import numpy as np
from safetensors.numpy import load_file, save_file

WEIGHTS = np.arange(8, dtype=np.float32).reshape(4, 2)
ARRAYS = {
    "as it is": WEIGHTS,
    "turned": WEIGHTS.T,
    "in Fortran's order": np.asfortranarray(WEIGHTS),
    "every second row": WEIGHTS[::2],
}

save_file(ARRAYS, "weights.safetensors")
save_file({name: np.ascontiguousarray(array) for name, array in ARRAYS.items()}, "contiguous.safetensors")
read, contiguous = load_file("weights.safetensors"), load_file("contiguous.safetensors")
for name, array in ARRAYS.items():
    np.save("array.npy", array)
    assert read[name].shape == array.shape
    assert np.array_equal(np.load("array.npy"), array) and np.array_equal(contiguous[name], array)
    print(f"{name}: written {array.tolist()}, read {read[name].tolist()}")
assert [np.array_equal(read[name], array) for name, array in ARRAYS.items()] == [True, False, False, False]
assert read["turned"].tolist() == WEIGHTS.reshape(2, 4).tolist()
PYTHON
"$room/venv/bin/python" show.py
