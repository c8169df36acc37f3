"""The learner's own progress: which notebooks ran, which exercises passed. One small file that git does not see.

It is `.progress.json` beside README.md, or where the environment variable IMAGE_JOURNAL_PROGRESS says ("off": nowhere).
"""

import json
import os
import time
from pathlib import Path

from filelock import FileLock

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
        return nothing | json.loads(place.read_text(encoding="utf-8"))
    except (ValueError, TypeError):
        aside = place.with_name(f"{place.name}.unreadable-{time.strftime('%Y%m%d-%H%M%S')}")
        os.replace(place, aside)
        print(f"{place.name} was not readable as JSON: moved to {aside.name}, starting a new one")
        return nothing


def record(section, key, value):
    """Keep one fact. The file is written beside itself and renamed: a crash leaves the old one or the new one."""
    place = path()
    if place is None:
        return
    with FileLock(f"{place}.lock", timeout=10):
        progress = read()
        progress[section][key] = value
        new = place.with_name(place.name + ".new")
        new.write_text(json.dumps(progress, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(new, place)


def today():
    return time.strftime("%Y-%m-%d")
