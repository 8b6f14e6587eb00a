"""The container recipes. No image is built here; what they run is what `make` runs to set up the tests."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "containers/Dockerfile").read_text()
APPTAINER = (ROOT / "containers/castsearch.def").read_text()


def test_hadolint_finds_nothing():
    command = [Path(sys.executable).parent / "hadolint", ROOT / "containers/Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_both_recipes_set_up_the_same_on_the_same_python():
    [image] = re.findall(r"^FROM (python:3\.11\.\d+-\w+)$", DOCKERFILE, re.MULTILINE)
    assert f"\nFrom: {image}\n" in APPTAINER
    [make] = re.findall(r"^RUN (make .+)$", DOCKERFILE, re.MULTILINE)
    assert f"\n    {make}\n" in APPTAINER
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{target}:" in makefile for target in make.split()[1:])


def test_the_set_up_installs_every_requirements_file():
    makefile = (ROOT / "Makefile").read_text()
    [line] = re.findall(r"^REQUIREMENTS := (.+)$", makefile, re.MULTILINE)
    installed = {f"{name}.txt" for name in line.split()} | set(re.findall(r"-r envs/(\w+\.txt)", makefile))
    assert installed | {"constraints.txt"} == {path.name for path in (ROOT / "envs").glob("*.txt")}
