"""The mark beside a key file that says: this key has had its journal.

A second unused journal could vote against the first, so the mark outlives the data folder.
"""

import os
from pathlib import Path

from moyai.primitives.genesis import Genesis, genesis_digest

JOINED_SUFFIX = ".journal"


def mark_joined(key_file: Path, genesis: Genesis) -> bool:
    """Note durably that the key has a journal now; return whether that is the first time."""
    marker = key_file.with_name(key_file.name + JOINED_SUFFIX)
    try:
        with marker.open("x", encoding="ascii") as target:
            target.write(genesis_digest(genesis).hex() + "\n")
            target.flush()
            os.fsync(target.fileno())
    except FileExistsError:
        return False
    return True
