"""The notebooks of the journal: where they are, how they are written to disk, and how they are run again."""

import os
import subprocess
import time
from pathlib import Path

import nbformat

from shared import files
from shared.progress import ROOT

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"


def paths():
    """All notebooks in reading order."""
    return sorted(ROOT.glob("[0-9][0-9]-*/*.ipynb")) + sorted(ROOT.glob("benchmark_prompts/*.ipynb"))


def number(path):
    """ "01-03" for 01-linear-algebra/03-broadcasting.ipynb."""
    path = Path(path)
    return f"{path.parent.name[:2]}-{path.name[:2]}"


def title(notebook):
    """The question a notebook asks: its first line, without the marks."""
    lines = notebook.cells[0].source.splitlines() if notebook.cells else []
    return lines[0].lstrip("# ").strip() if lines else "(no title)"


def read(path):
    return nbformat.read(path, as_version=4)


def write(path, notebook):
    """Write a notebook in the one form that it has in this repository; a crash leaves the old file or the new one."""
    new = Path(path).with_suffix(".ipynb.new")
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    new.write_bytes(text.encode())
    files.replace(new, path)


def run(path, timings=False):
    """Run a notebook from top to bottom in its own folder, and store what it prints. Returns the seconds it took.

    A second run changes no byte of the file: no times of day, stable widget names, and the pictures of cells tagged
    `timing` are kept as they are, unless `timings` is true. Raises nbclient's CellExecutionError when a cell fails; the
    file is then as it was.
    """
    from nbclient import NotebookClient

    before, notebook, start = read(path), read(path), time.perf_counter()
    os.environ |= dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"], "1")
    os.environ |= {"IMAGE_JOURNAL_PROGRESS": "off", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    folder = {"metadata": {"path": str(Path(path).parent)}}
    NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # else a slow cell's lines are stored in as many pieces as they happened to come in
        resources=folder,
    ).execute(stderr=subprocess.DEVNULL)  # where the kernel only warns of its own transport
    notebook.metadata = nbformat.from_dict(METADATA)
    for old, cell in zip(before.cells, notebook.cells, strict=True):
        kept = {key: value for key, value in cell.metadata.items() if key in ("tags", "jupyter")}
        cell.metadata = nbformat.from_dict(kept)  # without what editors leave there
        if cell.cell_type == "code":
            _settle(cell, old, keep_pictures=not timings and "timing" in cell.metadata.get("tags", []))
    write(path, notebook)
    return time.perf_counter() - start


def _settle(cell, old, keep_pictures):
    """Make the outputs of a cell independent of when they were made."""
    for index, output in enumerate(cell.outputs):
        if "traceback" in output:
            output.traceback = output.traceback[-1:]  # the lines above it hold paths of this machine
        data = output.get("data", {})
        if WIDGET in data:
            data[WIDGET]["model_id"] = f"{cell.id}-{index}"
        before = old.outputs[index] if keep_pictures and index < len(old.outputs) else {}
        # Another size, or other words, which the file itself carries as well, make it another picture.
        if "image/png" in before.get("data", {}) and before.metadata == output.metadata:
            data["image/png"] = before.data["image/png"]
