#!/usr/bin/env python3
"""Open this journal in JupyterLab, or test it. Python 3.11 or newer is all it needs.

    python3 start.py                      open the journal in JupyterLab
    python3 start.py lab --port 8890      the same; what follows `lab` goes to JupyterLab (--no-browser ...)
    python3 start.py test                 run every test
    python3 start.py test shared -k norm  the same; what follows `test` goes to pytest

On Windows, write `py` instead of `python3`. The first start makes the Python environment `.venv` beside this
file and installs requirements.txt there, which takes a minute or two. Later starts open at once, without network.
"""
# ruff: noqa: UP031, UP036 (a Python of any age must read as far as the next sentence: so no f-strings below it)

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "start.py needs Python 3.11 or newer, and this is Python %d.%d: install a newer one from "
        "https://www.python.org/downloads/ and name it, as in `python3.13 start.py` (Windows: `py -3.13 start.py`)."
        % sys.version_info[:2]
    )

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path

VERSION = "%d.%d" % sys.version_info[:2]
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = Path(sysconfig.get_path("scripts", "venv", {"base": str(VENV)}))
PACKAGES = Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV)}))
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
MARKER = VENV / "pyvenv.cfg"  # what makes a folder a Python environment, and so ours to remake
LOCK = VENV / "start.lock"
STAMP = VENV / "start.json"  # what was installed: {"extras": [...], "installed": fingerprint()}

# Files written into .venv. A first-time visitor reads the road map, meets no question about news, finds no tabs
# of other projects, ends JupyterLab with one Ctrl-C, and sees nothing in the terminal but the address and errors.
CONFIGURATION = {
    "share/jupyter/lab/settings/overrides.json": {
        "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    },
    "etc/start/jupyter_server_config.json": {
        "Application": {"log_level": "ERROR"},
        "LabApp": {"default_url": "/lab/tree/README.md", "workspaces_dir": str(VENV / "workspaces")},
        "ServerApp": {"root_dir": ".", "answer_yes": True, "allow_root": True},  # containers run as root
        "ContentsManager": {"allow_hidden": True},  # the road map links into .github
    },
    "etc/ipython/ipython_kernel_config.json": {"IPKernelApp": {"log_level": "ERROR"}},
}

NO_ENSUREPIP = (
    "This Python can't make environments: on Debian or Ubuntu run `sudo apt install python%s-venv`, elsewhere "
    "install Python from https://www.python.org/downloads/, and start again." % VERSION
)
NO_SPACE = "The disk is full: free about 1 GB (the temporary folder counts too) and start again."
NO_NETWORK = (
    "The package index can't be reached: check the network (behind a proxy, set HTTPS_PROXY) and start again; "
    "what has been downloaded is kept."
)
NO_ACCESS = (
    "%s can't be written: close what uses it (a JupyterLab that still runs), or copy the journal to a folder of "
    "your own, and start again." % ROOT
)
SIGNS = [  # by which each is recognised in the words of pip and of the system, in any language: the surest first
    (r"\[Errno (28|122)\]|WinError 112|no space left|quota exceeded", NO_SPACE),
    (r"\[Errno (1|13|30)\]|WinError (5|32)\b|read-only file|permission denied", NO_ACCESS),
    (r"ensurepip is not available", NO_ENSUREPIP),
    (r"connection|retrying|timed? ?out|getaddrinfo|name resolution|proxy|ssl|versions: none", NO_NETWORK),
]


class Problem(Exception):
    """What went wrong, in one sentence with its remedy."""


def remedy(text, otherwise):
    """The sentence for what pip or the system said."""
    return next((sentence for sign, sentence in SIGNS if re.search(sign, text, re.IGNORECASE)), otherwise)


def main(arguments):
    """Do what the command line asks. The exit code, unless another program has taken over."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace", line_buffering=True)
    if arguments in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    named = arguments and not arguments[0].startswith("-")
    command, rest = (arguments[0], arguments[1:]) if named else ("lab", arguments)
    if command == "lab":
        set_up([])
        print("JupyterLab is starting; it opens in your browser, or at the address below. Ctrl-C ends it.")
        configuration = [str(VENV / "etc" / "start"), os.environ.get("JUPYTER_CONFIG_PATH")]
        os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, configuration))
        return hand_over(["-m", "jupyterlab"] + rest)
    if command == "test":
        set_up(["test"])
        return hand_over(["-m", "pytest"] + rest)
    raise Problem("`%s` is not a command: there are `lab` and `test`, which `--help` explains." % command)


def hand_over(arguments):
    """Let the environment's Python take over, as if the environment were activated."""
    os.environ["VIRTUAL_ENV"] = str(VENV)
    os.environ["PATH"] = os.pathsep.join([str(SCRIPTS), os.environ.get("PATH", os.defpath)])
    os.chdir(ROOT)
    command = [str(PYTHON)] + arguments
    if os.name != "nt":
        os.execv(command[0], command)  # from here on, Ctrl-C and other signals reach it directly
    with subprocess.Popen(command) as child:
        while True:
            with contextlib.suppress(KeyboardInterrupt):  # the child has got it too, and ends in its own way
                return child.wait()


def set_up(extras):
    """Make the environment where it is missing or broken, install what changed. Mostly there is nothing to do."""
    if ready(extras):
        return
    if VENV.is_file() or (VENV.is_dir() and not MARKER.exists() and any(VENV.iterdir())):
        raise Problem("%s is in the way and not a Python environment: move it and start again." % VENV)
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise Problem(NO_ENSUREPIP)
    VENV.mkdir(exist_ok=True)
    MARKER.touch()
    with alone():
        if ready(extras):
            return  # the start that we waited for has done it
        wanted = remembered(extras)
        if not usable():
            make()
        install(wanted)


def ready(extras):
    """Whether .venv works and holds what requirements.txt and the extras ask for today."""
    return stamp().get("installed") == fingerprint(remembered(extras)) and usable()


def stamp():
    """What was installed last; {} where that is unknown."""
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def remembered(extras):
    """These extras, and those that were asked for before."""
    return sorted(set(extras).union(stamp().get("extras", [])))


def fingerprint(extras):
    """A hash of everything that decides what is installed."""
    decisive = [VERSION, extras, CONFIGURATION]
    decisive += [(ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "pyproject.toml")]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()


def usable():
    """Whether .venv is whole, made for this place and this Python, and no installation was cut off in it."""
    probe = [str(PYTHON), "-I", "-c", "import sys, pip; print('%d.%d' % sys.version_info[:2])"]
    try:  # `activate` is the last file written, and names the place; an apostrophe in it is written '"'"'
        place = (SCRIPTS / "activate").read_text(encoding="utf-8", errors="replace").replace("'\"'\"'", "'")
        found = subprocess.run(probe, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    except OSError:
        return False
    fits = str(VENV).casefold() in place.casefold() and found.strip() == VERSION
    return fits and stamp().get("installed") != "cut off"


def make():
    """Make .venv anew."""
    print("Making the Python environment %s" % VENV)
    for entry in VENV.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry not in (MARKER, LOCK):  # a half-emptied folder without its marker would not be ours
            entry.unlink()
    # the base interpreter, because this one may have been the environment's own
    code, said = run([sys._base_executable, "-m", "venv", str(VENV)])
    if code:
        if min(shutil.disk_usage(folder).free for folder in (ROOT, tempfile.gettempdir())) < 50 * 2**20:
            raise Problem(NO_SPACE)  # venv does not pass on why its pip failed
        raise Problem(remedy(said, "The environment could not be made, for the reason shown above."))


def install(extras):
    """Install requirements.txt and the extras. The stamp says "cut off" until all of it is done."""
    print("Installing what the journal needs, which takes a minute or two the first time")
    before, untouched = stamp(), PACKAGES.stat().st_mtime_ns
    write_stamp({"extras": extras, "installed": "cut off"})
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "-r", "requirements.txt"]
    try:
        code, said = run(pip + (["-e", ".[%s]" % ",".join(extras)] if extras else []))
    finally:
        if PACKAGES.stat().st_mtime_ns == untouched:
            write_stamp(before)  # pip ended before it changed anything, so what worked still works
    if code:
        raise Problem(remedy(said, "pip failed for the reason above; if it does again, delete .venv first."))
    for leftover in ROOT.glob("*.egg-info"):  # nothing reads it, and JupyterLab would show it
        shutil.rmtree(leftover, ignore_errors=True)
    for name, content in CONFIGURATION.items():
        (VENV / name).parent.mkdir(parents=True, exist_ok=True)
        (VENV / name).write_text(json.dumps(content, indent=2), encoding="utf-8")
    write_stamp({"extras": extras, "installed": fingerprint(extras)})


def write_stamp(content):
    STAMP.write_text(json.dumps(content), encoding="utf-8")


def run(command):
    """Run one step. Its exit code, and what it wrote to stderr, which is shown as it comes."""
    said = []
    streams = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "errors": "replace"}
    environment = dict(os.environ, PIP_USER="0")  # pip's --user, where it is set for everything, fails here
    # close_fds=False hands the lock on: a pip that outlives a killed start.py keeps the next one waiting
    with subprocess.Popen(command, cwd=ROOT, env=environment, close_fds=False, **streams) as child:
        try:
            for line in child.stderr:
                sys.stderr.write(line)
                said.append(line)
        except KeyboardInterrupt:  # the child has got it too, and puts things in order
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.communicate(timeout=10)
            child.kill()
            raise
    return child.returncode, "".join(said)


@contextlib.contextmanager
def alone():
    """Keep other starts waiting. The system lifts the lock when its last holder ends, however it ends."""
    with open(LOCK, "a") as file:
        os.set_inheritable(file.fileno(), True)
        if not locked(file):
            print("Another start.py is setting up .venv; this one waits for it.")
            while not locked(file):
                time.sleep(0.2)
        yield


def locked(file):
    """Take the lock. Whether it was free."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass  # a file system that knows no locks
    return True


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit("start.py: %s" % problem)
    except KeyboardInterrupt:
        sys.exit("start.py: Stopped; the next start goes on from here.")
    except OSError as error:
        sys.exit("start.py: %s" % remedy(str(error), "%s. Is the journal's folder complete?" % error))
