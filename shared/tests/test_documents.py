"""Notebooks as documents, and all of them: what is found, what is run, what is read."""

import subprocess
import sys

from shared import notebooks
from shared.tests.cells import each_notebook
from shared.tests.documents import problems


@each_notebook
def test_notebook(path):
    found = problems(notebooks.read(path), path)
    assert not found, f"{path.name}:\n- " + "\n- ".join(found)


def test_pytest_runs_every_notebook_and_no_other():
    """Nothing is left out, and neither the environment's notebooks nor JupyterLab's backups come in."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "--collect-only", "-q", "--ignore=shared"]
    listed = subprocess.run(
        command, cwd=notebooks.ROOT, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    collected = {line.split("::")[0] for line in listed.stdout.splitlines() if "::" in line}
    assert collected == {path.relative_to(notebooks.ROOT).as_posix() for path in notebooks.paths()}
