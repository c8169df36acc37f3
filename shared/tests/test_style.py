"""The repository as a whole: one style, and nothing in it that does not belong."""

import re
import shutil
import subprocess
import sys

import pytest

from shared.notebooks import ROOT
from shared.tests.documents import PLACE, places

FOLDERS = r"\d\d-[a-z-]+|shared|benchmark_prompts"
FILES = r"README\.md|resources\.md|requirements\.txt|pyproject\.toml|start\.py|LICENSE"
KILOBYTES = {
    ".ipynb": 2500,
    ".png": 300,
    ".npz": 1000,
    ".py": 40,
    ".md": 40,
    "": 10,
}  # 100 for what is not listed
KINDS = {".ipynb", ".png", ".npz", ".py", ".js", ".json", ".md", ".toml", ".txt", ".yml", ".cfg", ""}
SECRET_SOURCE = re.compile(r"(index-url|trusted-host|find-links|_authToken)\b")
ADDRESS = re.compile(r"\b[a-z+]+://([^/\s\"'`)>:]+)")
PRIVATE = re.compile(r"(?!127\.0\.0\.1|localhost)([\d.]+|[\w-]+|.*\.(internal|intranet|local|lan|corp|home))")


@pytest.mark.parametrize("command", [["check"], ["format", "--check", "--diff"]], ids=["lint", "format"])
def test_ruff(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--quiet", "."], cwd=ROOT, capture_output=True
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


@pytest.fixture(scope="module")
def committed():
    """The files that git knows."""
    if shutil.which("git") is None:
        pytest.skip("there is no git to ask which files are committed")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True).stdout.decode()
    if not listed:
        pytest.skip("nothing is committed: this is no clone of the repository")
    return [ROOT / name for name in listed.rstrip("\0").split("\0") if (ROOT / name).is_file()]


def test_the_top_level_holds_what_the_readme_explains_and_no_more(committed):
    names = {path.relative_to(ROOT).parts[0] for path in committed}
    odd = [
        name
        for name in sorted(names)
        if not name.startswith(".") and not re.fullmatch(FOLDERS if (ROOT / name).is_dir() else FILES, name)
    ]
    assert not odd, f"move {', '.join(odd)} to the folder of its topic"


def test_no_data_and_nothing_big(committed):
    odd = [path for path in committed if path.suffix not in KINDS]
    assert not odd, f"data is downloaded, never committed; other kinds of files have no place here: {odd}"
    big = [path for path in committed if path.stat().st_size > 1000 * KILOBYTES.get(path.suffix, 100)]
    assert not big, f"too big for everybody's clone: {big}"


def test_text_is_utf_8_with_unix_line_ends(committed):
    for path in text_files(committed):
        content = path.read_bytes()
        content.decode("utf-8")
        assert b"\r" not in content, f"{path}: Windows line ends (git config core.autocrlf?)"
        assert content.endswith(b"\n") or not content, f"{path}: the last line has no end"


def test_nothing_points_at_one_computer(committed):
    """No folder of a machine, and no package index, mirror or address that only some can reach."""
    never = re.compile(r"(?!)")
    for path in text_files(committed):
        text = path.read_text(encoding="utf-8").removeprefix("#!/usr/bin/env ")
        test = "tests" in path.parts  # tests say how bad things look; even they don't know this computer
        found = places(text, never if test or path.suffix == ".ipynb" else PLACE)
        if not test:
            found += [match.group() for match in SECRET_SOURCE.finditer(text)]
            found += [host for host in ADDRESS.findall(text) if PRIVATE.fullmatch(host)]
        assert not found, f"{path.relative_to(ROOT)} holds {found}: say it without"


def text_files(paths):
    return [path for path in paths if path.suffix not in (".png", ".npz")]
