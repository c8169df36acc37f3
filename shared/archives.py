"""Reads the files of a dataset out of a folder: as they are, compressed or in an archive, and checks every byte."""

import gzip
import hashlib
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path


def read(dataset, folder: Path) -> dict[str, bytes]:
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
