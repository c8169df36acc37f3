"""JupyterLab in a real browser: the fixture `lab`, which opens copies of notebooks as a learner does.

It needs a Chromium: the program that the environment variable CHROMIUM names, or one on the PATH. Without one, the
tests that ask for it are skipped.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from shared import notebooks

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 120  # seconds, for a busy machine
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false"},  # else a question covers the page
    "notebook-extension/tracker": {"windowingMode": "none"},  # else cells that are out of sight do not exist
}


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (extra `test`)"
    )
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium: install one, or name it in the environment variable CHROMIUM")
    with playwright.sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = driver.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


@pytest.fixture
def lab(chromium, tmp_path):
    """A JupyterLab of its own, in which nothing that is done reaches the checkout."""
    folder = tmp_path / "journal"
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--expose-app-in-browser",
        "--ip=127.0.0.1",
    ]
    command += [f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--allow-root"]
    log = (tmp_path / "server.log").open("wb")
    server = subprocess.Popen(
        [*command, f"--ServerApp.root_dir={folder}"],
        env=os.environ | _places(tmp_path),
        stdout=log,
        stderr=log,
    )
    page = chromium.new_page(viewport={"width": 1200, "height": 1000})
    page.set_default_timeout(1000 * PATIENCE)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(server, f"{address}/api", tmp_path / "server.log")
        yield Lab(page, folder, f"{address}/lab")
    finally:
        page.close()
        server.terminate()
        server.wait(PATIENCE)
        log.close()


def _places(folder):
    """Where this JupyterLab keeps its things, with its settings in place."""
    for name, values in SETTINGS.items():
        file = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    names = (
        "JUPYTERLAB_SETTINGS",
        "JUPYTERLAB_WORKSPACES",
        "JUPYTER_CONFIG",
        "JUPYTER_DATA",
        "JUPYTER_RUNTIME",
    )
    return {f"{name}_DIR": str(folder / name.split("_")[-1].lower()) for name in names}


def _wait_until_it_answers(server, address, log):
    for _ in range(5 * PATIENCE):
        try:
            return urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.2)
        if server.poll() is not None:
            break
    raise RuntimeError(f"JupyterLab does not answer:\n{log.read_text(encoding='utf-8', errors='replace')}")


class Lab:
    """A browser page with JupyterLab; `page` is playwright's."""

    def __init__(self, page, folder, address):
        self.page, self.folder, self.address = page, folder, address

    def open(self, path):
        """Open a copy of a notebook, and wait until its kernel is ready: no sooner does JupyterLab run anything."""
        copy = Path(self.folder, path.relative_to(notebooks.ROOT))
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        self.page.goto(f"{self.address}/tree/{path.relative_to(notebooks.ROOT).as_posix()}?reset")
        self.page.wait_for_selector(".jp-NotebookPanel-notebook")
        self.wait_for_kernel()

    def wait_for_kernel(self):
        self.page.wait_for_function(
            """() => {
                const context = window.jupyterapp.shell.currentWidget?.sessionContext;
                return context?.isReady && context.session?.kernel?.status === 'idle';
            }"""
        )

    def run_all(self):
        """Run all cells; returns the notebook as it stands in the browser then."""
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        self.wait_for_kernel()
        return self.notebook()

    def notebook(self):
        return self.page.evaluate("window.jupyterapp.shell.currentWidget.content.model.toJSON()")
