"""Where a state that is taken over lies until it is complete, and how it becomes the chain store.

The chain store that it replaces is set aside only then, and removed last, so that a crash at any
point leaves one or the other whole. Not here: what is in it (storage).
"""

import os
import shutil
from pathlib import Path

from moyai.primitives.ids import Height
from moyai.primitives.limits import HEIGHT_MAX
from moyai.storage.environment import DATA_FILE, sync_path

NEW_NAME = "chain-new"
OLD_NAME = "chain-old"
HEIGHT_NAME = "taking-over"


def import_place(data_dir: Path) -> Path:
    """Return the folder in which a state is imported."""
    return data_dir / NEW_NAME


def adopt(data_dir: Path, chain: Path) -> bool:
    """Put a complete import in the place of the chain store; return whether there was one.

    Called at every start: what a crash left half done is done then.
    """
    new, old = data_dir / NEW_NAME, data_dir / OLD_NAME
    is_complete = (new / DATA_FILE).exists()
    if is_complete:
        if chain.exists():
            shutil.rmtree(old, ignore_errors=True)
            os.replace(chain, old)
            sync_path(data_dir)
        os.replace(new, chain)
        sync_path(data_dir)
    if (chain / DATA_FILE).exists():
        shutil.rmtree(old, ignore_errors=True)
    return is_complete


def note_height(data_dir: Path, height: Height) -> None:
    """Remember which state is on its way, so that the next start asks for the same."""
    (data_dir / HEIGHT_NAME).write_text(f"{height}\n", encoding="ascii")


def read_height(data_dir: Path) -> Height | None:
    """Return which state is on its way; none when none is. It is only a wish."""
    try:
        text = (data_dir / HEIGHT_NAME).read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return Height(int(text)) if text.isdecimal() and int(text) <= HEIGHT_MAX else None


def forget_height(data_dir: Path) -> None:
    """It has come."""
    (data_dir / HEIGHT_NAME).unlink(missing_ok=True)
