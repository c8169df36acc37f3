"""A learner's own progress is never lost: not by a crash, not by two notebooks at once, not by a damaged file."""

import json
import subprocess
import sys
import time

import pytest

from shared import __main__ as command
from shared import exercises, notebooks, progress


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_JOURNAL_PROGRESS", str(tmp_path / "mine.json"))
    return tmp_path / "mine.json"


def start(code):
    """Run code in a process of its own, which writes to the same file; returns once it has begun."""
    begin = "from shared import progress\nprint(flush=True)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", begin + code], stdout=subprocess.PIPE, cwd=notebooks.ROOT
    )
    process.stdout.readline()
    return process


def test_what_is_recorded_is_read(place):
    assert progress.read() == {"exercises": {}, "checkpoints": {}}
    progress.record("exercises", "01-01.1", "2030-01-02")
    progress.record("checkpoints", "01-01", {"claim": "größer", "value": "≈ 1", "date": "2030-01-02"})
    assert progress.read()["exercises"] == {"01-01.1": "2030-01-02"}
    assert progress.read()["checkpoints"]["01-01"]["claim"] == "größer"
    assert "größer" in place.read_text(encoding="utf-8")  # a person can read it too


def test_off_writes_nothing(monkeypatch):
    monkeypatch.setenv("IMAGE_JOURNAL_PROGRESS", "off")
    monkeypatch.setattr(progress, "ROOT", None)  # there is no place to write to
    progress.record("exercises", "01-01.1", "2030-01-02")
    assert progress.read() == {"exercises": {}, "checkpoints": {}}


def test_a_process_killed_while_it_writes_loses_nothing(place):
    known = 0
    for number in range(6):
        process = start(
            f"n = {known}\nwhile True:\n    n += 1\n    progress.record('exercises', str(n), 'x' * 2000)"
        )
        time.sleep(0.1 + 0.013 * number)
        process.kill()
        process.wait()
        solved = json.loads(place.read_text(encoding="utf-8"))["exercises"]
        assert list(solved) == [str(n + 1) for n in range(len(solved))]
        assert len(solved) > known
        known = len(solved)


def test_two_processes_at_once_lose_nothing(place):
    code = "for n in range(60): progress.record('exercises', f'NAME{n}', 'today')"
    writers = [start(code.replace("NAME", name)) for name in ("a", "b")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    assert progress.read()["exercises"].keys() == {f"{name}{n}" for name in ("a", "b") for n in range(60)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"exercises": {"01-01.1": "2030',
        b"\xff\xfe\x00",
        b"[1]",
        b"5",
        b'{"exercises": []}',
        b'{"exercises": null}',
    ],
)
def test_a_damaged_file_is_kept_aside_and_said(place, capsys, content):
    for attempt in (1, 2):  # even twice in the same second
        place.write_bytes(content)
        progress.record("exercises", "01-01.2", "2030-01-02")
        assert progress.read() == {"exercises": {"01-01.2": "2030-01-02"}, "checkpoints": {}}
        kept = list(place.parent.glob("mine.json.unreadable-*"))
        assert [path.read_bytes() for path in kept] == attempt * [content]
        printed = capsys.readouterr().out
        assert "mine.json was not readable" in printed and any(path.name in printed for path in kept)


def test_a_place_that_can_not_be_written_is_said_and_does_not_stop_a_notebook(place, capsys):
    place.mkdir()
    progress.record("exercises", "01-01.1", "2030-01-02")
    assert "your progress could not be kept" in capsys.readouterr().out


def test_what_a_learner_sees(place, capsys):
    assert command.main(["log", "--mine"]) == 0
    assert (
        "01-01 When are two digits alike?\n      not run to its end yet; 0 of 4 exercises"
        in capsys.readouterr().out
    )
    progress.record("exercises", "01-01.1", "2030-01-02")
    progress.record("exercises", "01-01.99", "2030-01-02")  # of an older edition
    progress.record("checkpoints", "01-01", {"claim": "a claim", "value": "= 0.8203", "date": "2030-01-02"})
    command.main(["log", "--mine"])
    assert "      checkpoint = 0.8203 (2030-01-02); 1 of 4 exercises\n" in capsys.readouterr().out
    assert len([name for name in exercises.load() if name.startswith("01-01.")]) == 4
