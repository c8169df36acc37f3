"""Files that are always whole: they are written beside themselves, and then renamed."""

import os
import time

__all__ = []  # no lesson builds this: whatever is stored goes through it


def replace(new, old):
    """Rename `new` to `old`, in one step. On Windows it waits while a virus scanner looks at the new file."""
    for patience in (0.1, 0.5, 2, 0):
        try:
            return os.replace(new, old)
        except PermissionError:
            if not patience:
                raise
            time.sleep(patience)
