"""The launcher, driven as a learner drives it: real processes, real environments, and a pip that installs fakes."""

import ast
import contextlib
import functools
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import tokenize
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Takes the place of the module `venv`, because a real pip needs seconds: a real environment with this pip in it.
VENV = """
import os, pathlib, sys, sysconfig
sys.path.pop(0)  # this folder
import venv
venv.EnvBuilder(symlinks=os.name != "nt").create(sys.argv[1])
pip = pathlib.Path(sysconfig.get_path("purelib", "venv", {"base": sys.argv[1]}), "pip")
pip.mkdir()
pip.joinpath("__init__.py").touch()
pip.joinpath("__main__.py").write_text(pathlib.Path("pip.txt").read_text())
"""

# That pip. It notes how it was called, and PIP_PLAYS says what befalls it.
PIP = '''
import json, os, pathlib, sys, time
plays = os.environ.get("PIP_PLAYS", "")
with open("calls.txt", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
packages = pathlib.Path(__file__).parent.parent
if "half" in plays:
    packages.joinpath("half").mkdir(exist_ok=True)
if "waits" in plays:
    pathlib.Path("waiting.tmp").write_text(str(os.getpid()))
    os.replace("waiting.tmp", "waiting.txt")
    time.sleep(60)
if "slow" in plays:
    time.sleep(1)
print("Downloading")
if "says" in plays:
    sys.exit(os.environ["PIP_SAYS"])
tell = """
import json, os, sys
names = "VIRTUAL_ENV", "PATH", "JUPYTER_CONFIG_PATH"
print(json.dumps({"call": sys.orig_argv[1:], "cwd": os.getcwd()} | {n: os.environ.get(n) for n in names}))
sys.exit(5)
"""
for name in ("jupyterlab", "pytest"):
    packages.joinpath(name + ".py").write_text(tell)
'''


class Journal:
    """A copy of the launcher in a folder of its own."""

    def __init__(self, folder):
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "start.py", folder)
        for name, text in {
            "venv.py": VENV,
            "pip.txt": PIP,
            "requirements.txt": "",
            "pyproject.toml": "",
        }.items():
            (folder / name).write_text(text, encoding="utf-8")
        self.folder = folder

    def command(self, *arguments, first=""):
        """The call of start.py; `first` is Python that changes the world it finds."""
        if first:
            run = f"import runpy, sys\n{first}\nrunpy.run_path(sys.argv[0], run_name='__main__')"
            take = f"import sys; sys.argv.pop(0); exec({run!r})"
            return [sys.executable, "-c", take, str(self.folder / "start.py"), *arguments]
        return [sys.executable, str(self.folder / "start.py"), *arguments]

    def open(self, *arguments, first="", pip="", says="", **options):
        environment = os.environ | {"PIP_PLAYS": pip, "PIP_SAYS": says, "PYTHONIOENCODING": "utf-8"}
        options = {"env": environment, "cwd": self.folder.parent, "encoding": "utf-8"} | options
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(self.command(*arguments, first=first), **pipes, **options)

    def start(self, *arguments, **options):
        process = self.open(*arguments, **options)
        process.out, process.err = process.communicate(timeout=30)
        assert "Traceback" not in process.err
        return process

    def calls(self):
        """How pip was called since this was last asked."""
        path = self.folder / "calls.txt"
        calls = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        path.unlink(missing_ok=True)
        return calls

    def wait_for_pip(self, process):
        """The process id of a pip that is in the middle of its work."""
        path = self.folder / "waiting.txt"
        while not path.exists():
            assert process.poll() is None, process.communicate()
        number = int(path.read_text())
        path.unlink()
        return number


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "Jürgen's  Bücher")


@pytest.fixture
def module(journal):
    specification = importlib.util.spec_from_file_location("start", journal.folder / "start.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def told(process):
    """What the program that took over says of its call, on the last line."""
    assert process.returncode == 5, process.err
    return json.loads(process.out.splitlines()[-1])


def sentence(process):
    """The last line, of a start that failed."""
    assert process.returncode == 1, (process.out, process.err)
    return process.err.splitlines()[-1]


def test_lab_is_the_default_and_gets_the_arguments(journal):
    for words in (["lab", "--no-browser", "--port", "8890"], ["--no-browser", "--port", "8890"]):
        process = journal.start(*words)
        call = told(process)
        assert call["call"] == ["-m", "jupyterlab", "--no-browser", "--port", "8890"]
        assert "Ctrl-C" in process.out
        assert Path(call["cwd"]).samefile(journal.folder)
        assert Path(call["VIRTUAL_ENV"]).samefile(journal.folder / ".venv")
        assert Path(call["PATH"].split(os.pathsep)[0]).parent.samefile(journal.folder / ".venv")
        assert list(Path(call["JUPYTER_CONFIG_PATH"]).iterdir())
    assert told(journal.start())["call"] == ["-m", "jupyterlab"]


def test_test_gets_the_arguments_and_returns_its_exit_code(journal):
    call = told(journal.start("test", "shared", "-k", "a b"))
    assert call["call"] == ["-m", "pytest", "shared", "-k", "a b"]
    assert call["JUPYTER_CONFIG_PATH"] is None


def test_pip_is_called_only_when_something_changed(journal):
    plain = ["install", "--disable-pip-version-check", "-r", "requirements.txt"]
    journal.start()
    assert journal.calls() == [plain]
    assert "Installing" not in journal.start().out
    assert journal.calls() == []
    for name in ("requirements.txt", "pyproject.toml"):
        (journal.folder / name).write_text("# changed", encoding="utf-8")
        journal.start()
        journal.start()
        assert journal.calls() == [plain], name


def test_the_extra_of_the_tests_is_remembered(journal):
    journal.start("lab")
    assert ".[test]" not in journal.calls()[0]
    journal.start("test")
    assert journal.calls()[0][-2:] == ["-e", ".[test]"]
    journal.start("lab")
    journal.start("test")
    assert journal.calls() == []
    (journal.folder / "requirements.txt").write_text("# changed", encoding="utf-8")
    journal.start("lab")
    assert journal.calls()[0][-2:] == ["-e", ".[test]"]


def test_help_and_unknown_commands_install_nothing(journal):
    help_text = journal.start("--help")
    assert help_text.returncode == 0
    assert "start.py test" in help_text.out
    assert "`tset`" in sentence(journal.start("tset"))
    assert not (journal.folder / ".venv").exists()


def test_old_python(journal):
    process = journal.start(first="sys.version_info = (3, 10, 2, 'final', 0)")
    assert "3.11 or newer" in sentence(process)
    assert "3.10" in sentence(process)


def test_any_python_can_read_the_file_as_far_as_that_sentence():
    path = ROOT / "start.py"
    source = path.read_text(encoding="ascii")  # Python 2 takes no other letters
    tree = ast.parse(source, feature_version=(3, 7))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.YieldFrom, ast.Await, ast.Match)
    for node in ast.walk(tree):
        assert not isinstance(node, newer), ast.unparse(node)
        if isinstance(node, ast.FunctionDef):
            assert not (node.returns or node.args.kwonlyargs or node.args.posonlyargs)
            assert not any(argument.annotation for argument in node.args.args)
        if isinstance(node, ast.Raise):
            assert node.cause is None
        if isinstance(node, ast.Call):
            assert [keyword.arg for keyword in node.keywords].count(None) <= 1
            assert sum(isinstance(argument, ast.Starred) for argument in node.args) <= 1
            if ast.unparse(node.func) == "print":
                assert len(node.args) == 1 and not node.keywords
    with path.open("rb") as file:
        numbers = [
            token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.NUMBER
        ]
    assert not any("_" in number for number in numbers)


def test_missing_ensurepip(journal):
    process = journal.start(first="import importlib.util; importlib.util.find_spec = lambda name: None")
    assert f"sudo apt install python3.{sys.version_info.minor}-venv" in sentence(process)
    assert not (journal.folder / ".venv").exists()


def test_folder_that_cannot_be_written(journal):
    refuse = "import pathlib\ndef refuse(*_, **__): raise PermissionError(13, 'Permission denied')\n"
    process = journal.start(first=refuse + "pathlib.Path.mkdir = refuse")
    assert f"{journal.folder} can't be written" in sentence(process)


def test_incomplete_checkout(journal):
    (journal.folder / "requirements.txt").unlink()
    assert "requirements.txt" in sentence(journal.start())


OFFLINE = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)': /simple/numpy/",
    "ERROR: No matching distribution found for setuptools>=77 (from versions: none)",
    "ReadTimeoutError: HTTPSConnectionPool(host='...', port=443): Read timed out.",
    "Could not fetch URL: There was a problem confirming the ssl certificate",
    "[Errno 11001] getaddrinfo failed",
)
FULL = (
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    "OSError: [WinError 112] Es steht nicht genug Speicherplatz auf dem Datenträger zur Verfügung",
    "WARNING: Retrying after connection broken\nERROR: [Errno 122] Disk quota exceeded",
)
LOCKED = (
    "[Errno 30] Read-only file system: '/media/stick/.venv'",
    "ERROR: [WinError 5] Zugriff verweigert: '_multiarray_umath.pyd'",
)


@pytest.mark.parametrize(
    ("texts", "begin"), [(OFFLINE, "The package index"), (FULL, "The disk is full"), (LOCKED, "{root} can't")]
)
def test_words_are_understood(module, texts, begin):
    for text in texts:
        assert module.remedy(text, "").startswith(begin.format(root=module.ROOT)), text
    assert module.remedy("error: metadata-generation-failed", "unknown") == "unknown"


def test_no_network_leaves_what_worked(journal):
    journal.start("lab")
    process = journal.start("test", pip="says", says=OFFLINE[0])
    assert "package index can't be reached" in sentence(process)
    assert OFFLINE[0] in process.err
    assert "Downloading" in process.out
    journal.calls()
    told(journal.start("lab"))
    assert journal.calls() == []
    told(journal.start("test"))
    assert len(journal.calls()) == 1


def test_a_full_disk_leaves_no_half_environment(journal):
    process = journal.start(pip="half says", says=FULL[0])
    assert "disk is full" in sentence(process)
    process = journal.start()
    assert "Making" in process.out
    told(process)


def test_unknown_trouble_is_pointed_at(journal):
    assert "for the reason above" in sentence(journal.start(pip="says", says="ERROR: something else"))


@pytest.mark.parametrize("work", ["half waits", "waits"])
def test_killed_in_the_middle_of_pip(journal, work):
    process = journal.open(pip=work)
    pip = journal.wait_for_pip(process)
    process.kill()
    os.kill(pip, signal.SIGTERM)  # in a real crash it dies, too; while it lives it holds the lock
    process.communicate()
    process = journal.start()
    assert "Making" in process.out
    told(process)
    assert journal.start().out.count("\n") == 2  # the line for the learner, the line of the fake


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal for one group of processes only")
def test_ctrl_c(journal):
    interruptible = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = journal.open(pip="half waits", start_new_session=True, preexec_fn=interruptible)
    journal.wait_for_pip(process)
    os.killpg(process.pid, signal.SIGINT)
    process.out, process.err = process.communicate(timeout=20)
    assert "Stopped" in sentence(process)
    assert "Traceback" not in process.err
    told(journal.start())


def test_two_starts_at_once(journal):
    first, second = journal.open(pip="slow"), journal.open(pip="slow")
    outputs = [process.communicate(timeout=30)[0] for process in (first, second)]
    assert first.returncode == second.returncode == 5
    assert len(journal.calls()) == 1
    assert sum("Another start.py" in output for output in outputs) == 1


def half_made(journal):
    shutil.rmtree(journal.folder / ".venv")
    (journal.folder / ".venv" / "lib").mkdir(parents=True)
    (journal.folder / ".venv" / "pyvenv.cfg").touch()


def emptied(journal):
    shutil.rmtree(journal.folder / ".venv")
    (journal.folder / ".venv").mkdir()


def without_pip(journal):
    shutil.rmtree(journal.folder / ".venv")
    command = [sys.executable, "-m", "venv", "--without-pip", str(journal.folder / ".venv")]
    subprocess.run(command, check=True, cwd=journal.folder.parent)


def moved(journal):
    elsewhere = journal.folder.with_name("elsewhere")
    shutil.move(journal.folder, elsewhere)
    journal.folder = elsewhere


def without_its_python(journal):
    for path in (journal.folder / ".venv").glob("[bS]*/python*"):
        path.unlink()


@pytest.mark.parametrize("accident", [half_made, emptied, without_pip, moved, without_its_python])
def test_a_broken_environment_is_made_anew(journal, accident):
    journal.start()
    accident(journal)
    process = journal.start()
    assert "Making" in process.out
    told(process)
    assert "Making" not in journal.start().out


def test_the_environment_of_another_python_is_made_anew(journal, module, monkeypatch):
    journal.start()
    assert module.usable()
    monkeypatch.setattr(module, "VERSION", "3.99")
    assert not module.usable()


def test_an_environment_made_by_hand_is_kept(journal):
    journal.start()
    (journal.folder / ".venv" / "start.json").unlink()
    (journal.folder / ".venv" / "mine.txt").touch()
    assert "Making" not in journal.start().out
    assert len(journal.calls()) == 2
    assert (journal.folder / ".venv" / "mine.txt").exists()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_environment_is_never_touched(journal, kind):
    path = journal.folder / ".venv"
    if kind == "folder":
        path.mkdir()
        path = path / "thesis.txt"
    path.write_text("years of work", encoding="utf-8")
    assert "not a Python environment" in sentence(journal.start())
    assert path.read_text(encoding="utf-8") == "years of work"


def test_jupyterlab_knows_the_settings(module):
    schemas = Path(sys.prefix, "share", "jupyter", "lab", "schemas")
    settings = module.CONFIGURATION["share/jupyter/lab/settings/overrides.json"]
    for plugin, values in settings.items():
        package, name = plugin.split(":")
        known = json.loads((schemas / package / f"{name}.json").read_text(encoding="utf-8"))["properties"]
        for key, value in values.items():
            assert value in known[key].get("enum", [value]), key


def test_jupyterlab_opens_on_the_road_map_and_is_quiet(journal, module):
    environment = dict(os.environ)
    for name, content in module.CONFIGURATION.items():
        path = journal.folder / name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    environment["JUPYTER_CONFIG_PATH"] = str(journal.folder / "etc" / "start")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    options = {"cwd": journal.folder, "env": environment, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    (journal.folder / "venv.py").unlink()  # it would shadow the real one
    with subprocess.Popen(command, **options) as server:
        try:
            lines = []
            while "http://127.0.0.1" not in (lines or [""])[-1]:
                lines.append(server.stderr.readline())
                assert lines[-1], lines
            assert len(lines) < 10, lines
            address = lines[-1].strip()
            assert "/lab/tree/README.md?token=" in address
            for _ in range(100):  # it tells the address a moment before it answers there
                with (
                    contextlib.suppress(ConnectionRefusedError),
                    socket.create_connection(("127.0.0.1", port)),
                ):
                    break
                time.sleep(0.1)
            browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with browser.open(address, timeout=20) as page:
                assert page.status == 200
        finally:
            server.terminate()
