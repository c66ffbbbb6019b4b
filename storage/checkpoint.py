"""Which sections of the trie to write with a batch, so that a restart has little to replay.

The versions on disk are the truth; a section on disk only says what they come to up to some
sequence. Rewriting a section for each change would cost far more than the change, so every change
earns the bytes of two leaves, and sections are written, oldest debt first, as far as that pays for
them: many at once, since neighbours share pages. After a crash at most about half as many versions
are replayed as there are keys, and two thousand.
"""

from collections.abc import Iterable, Iterator

from moyai.storage.tree import StateTree

LEAVES_EARNED_PER_CHANGE = 2
LEAVES_AT_ONCE = 4_096
_SEQUENCE_BYTES = 8


class Checkpoint:
    """The sections whose newest changes are only in the versions."""

    def __init__(self) -> None:
        self._dirty: dict[int, int] = {}
        self._earned_leaves = 0

    def changed(self, sections: Iterable[int], sequence: int) -> None:
        """Note changes to sections; the first of them has this sequence."""
        for index in sections:
            self._earned_leaves += LEAVES_EARNED_PER_CHANGE
            self._dirty.setdefault(index, sequence)

    def behind(self, section: int, sequence: int) -> None:
        """Note, at start, a change that a section on disk lacks; what it earned counts again."""
        self._earned_leaves += LEAVES_EARNED_PER_CHANGE
        self._dirty.setdefault(section, sequence)

    def replay_from(self, next_sequence: int) -> int:
        """Return the first sequence that a restart must replay."""
        return next(iter(self._dirty.values()), next_sequence)

    def take_due(self, tree: StateTree) -> Iterator[tuple[int, bytes]]:
        """Yield the sections to write now, with their values."""
        if self._earned_leaves < LEAVES_AT_ONCE:
            return
        for index in list(self._dirty):
            leaves = tree.section_leaves(index)
            if leaves > self._earned_leaves:
                return
            self._earned_leaves -= leaves
            del self._dirty[index]
            yield index, encode_section(tree.section(index), tree.next_sequence)
        self._earned_leaves = 0


def encode_section(section: bytes, covered: int) -> bytes:
    """Return the value of a section that holds all changes below sequence `covered`."""
    return covered.to_bytes(_SEQUENCE_BYTES, "big") + section


def decode_section(value: bytes) -> tuple[int, bytes]:
    """Return (covered, packed leaves)."""
    return int.from_bytes(value[:_SEQUENCE_BYTES], "big"), value[_SEQUENCE_BYTES:]
