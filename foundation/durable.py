"""Files that must be there after the power fails: their content is on the disk, and so is their name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO


def to_disk(file: IO[str]) -> None:
    """Wait until what was written to a file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def name_to_disk(path: Path) -> None:
    """Wait until the disk knows a file that was made or replaced under this name."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
