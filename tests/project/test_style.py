"""The linters' verdict is part of the tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["lint-imports"],
        ["mypy"],
        ["snakefmt", "--check", "Snakefile", "rules", "workflow"],
        ["snakemake", "--lint"],
    ],
    ids=" ".join,
)
def test_linters_find_nothing(command):
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def pins():
    lines = (ROOT / "envs/constraints.txt").read_text().splitlines()
    return {name.lower().replace("_", "-"): version for name, _, version in (line.partition("==") for line in lines)}


def requirements(path):
    """Names in a requirements file and in those that it includes."""
    for line in path.read_text().splitlines():
        if line.startswith("-r "):
            yield from requirements(path.parent / line.removeprefix("-r "))
        elif line and not line.startswith(("#", "-")):
            yield line.partition(";")[0].strip().lower().replace("_", "-")


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.txt")), ids=lambda path: path.name)
def test_everything_required_is_pinned(path):
    if path.name == "mxnet.txt":  # has its own pins
        assert all("==" in line for line in requirements(path))
    elif path.name != "constraints.txt":
        assert set(requirements(path)) <= set(pins())


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.name)
def test_a_conda_environment_has_the_pins_of_its_requirements(path):
    [pip] = [part["pip"] for part in yaml.safe_load(path.read_text())["dependencies"] if isinstance(part, dict)]
    source = path.with_suffix(".txt") if path.with_suffix(".txt").exists() else path.with_name("core.txt")
    expected = {name if "==" in name else f"{name}=={pins()[name]}" for name in requirements(source)}
    assert {line.lower().replace("_", "-") for line in pip} == expected


def test_the_post_deploy_scripts_install_what_is_pinned():
    for script in (ROOT / "envs").glob("*.post-deploy.sh"):
        for word in script.read_text().split():
            name, equals, version = word.partition("==")
            assert not equals or pins()[name] == version


PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def headings(page):
    """Anchors of the headings of a page, as GitHub makes them."""
    words = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in words}


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_a_part_of_a_page_leads_to_a_heading(page):
    text = re.sub(r"\s+", " ", (ROOT / page).read_text())
    missing = []
    for file, anchor in re.findall(r"\]\(([^):]*)#([^)]+)\)", text):
        target = (ROOT / page).parent / file if file else ROOT / page
        if target.suffix == ".md" and anchor not in headings(target):
            missing.append(f"{file}#{anchor}")
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_finished_and_its_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    assert "@@" not in text
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    missing = [link for link in links if "://" not in link and not ((ROOT / page).parent / link).exists()]
    assert missing == []
