"""The learner's own progress: which notebooks ran, which exercises passed. One small file that git does not see.

It is `.progress.json` beside README.md, or where the environment variable IMAGE_JOURNAL_PROGRESS says ("off": nowhere).
"""

import json
import os
import time
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from shared import files

ROOT = Path(__file__).resolve().parent.parent


def path():
    """Where the progress is kept, or None where it is switched off."""
    place = os.environ.get("IMAGE_JOURNAL_PROGRESS") or ROOT / ".progress.json"
    return None if place == "off" else Path(place)


def read():
    """What was recorded: {"exercises": {id: date}, "checkpoints": {id: {claim, value, date}}}.

    A file that can't be read is moved aside, never overwritten.
    """
    nothing = {"exercises": {}, "checkpoints": {}}
    place = path()
    if place is None or not place.exists():
        return nothing
    try:
        progress = nothing | json.loads(place.read_text(encoding="utf-8"))
        if all(isinstance(progress[section], dict) for section in nothing):
            return progress
    except (ValueError, TypeError):
        pass
    aside = place.with_name(f"{place.name}.unreadable-{datetime.now():%Y%m%d-%H%M%S-%f}")
    os.replace(place, aside)
    print(f"{place.name} was not readable as a progress file: moved to {aside.name}, starting a new one")
    return nothing


def record(section, key, value):
    """Keep one fact. The file is written beside itself and renamed: a crash leaves the old one or the new one."""
    place = path()
    if place is None:
        return
    try:
        with FileLock(f"{place}.lock", timeout=10):
            progress = read()
            progress[section][key] = value
            new = place.with_name(place.name + ".new")
            new.write_text(json.dumps(progress, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            files.replace(new, place)
    except OSError as error:  # a full disk or a folder that can't be written is no reason to stop a notebook
        print(f"your progress could not be kept: {error}")


def today():
    return time.strftime("%Y-%m-%d")
