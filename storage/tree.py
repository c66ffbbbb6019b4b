"""The state trie in memory: `find`, `apply`, `prove`, under the newest root and the last few.

256 sections by the first byte of the key digest, and a `HashHeap` above their roots. An old root
stays provable by what it takes to go back to it: the section roots of each block, and the entries
that the block replaced. Pure: what lies on disk is named by sequence numbers and never read here.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple

from moyai.primitives.errors import ProofError
from moyai.primitives.ids import DIGEST_BYTES, Digest
from moyai.primitives.state_proof import EMPTY, Leaf, StateProof, value_digest
from moyai.storage.hash_heap import HashHeap
from moyai.storage.section import (
    ENTRY_BYTES,
    SECTION_BITS,
    Change,
    Entry,
    Section,
    Work,
    unpack,
)

SECTIONS = 1 << SECTION_BITS
_NOT_THERE = bytes(ENTRY_BYTES - DIGEST_BYTES)

LeafReader = Callable[[Entry], Leaf]
"""Returns the leaf that an entry stands for."""


class Past(NamedTuple):
    """What the block after `height` replaced: packed entries sorted by key digest.

    A key that was not yet there has an entry with a hash of zeros.
    """

    height: int
    replaced: bytes


class _Kept(NamedTuple):
    past: Past
    row: tuple[bytes, bytes]


class StateTree:
    """The trie over all keys; owned by one thread."""

    def __init__(self, *, roots_kept: int, height: int, next_sequence: int) -> None:
        self._sections = [Section() for _ in range(SECTIONS)]
        self._top = HashHeap(SECTION_BITS)
        self._kept: deque[_Kept] = deque(maxlen=roots_kept - 1)
        self._latest_top: tuple[int, HashHeap] | None = None
        self.height = height
        self.next_sequence = next_sequence

    @property
    def root(self) -> Digest:
        """Return the state root after block `height`."""
        return Digest(self._top.root)

    @property
    def leaf_count(self) -> int:
        """Return how many keys there are, deleted ones included."""
        return sum(section.size for section in self._sections)

    @property
    def oldest_height(self) -> int:
        """Return the lowest height whose root can be proved under."""
        return self._kept[0].past.height if self._kept else self.height

    def find(self, key_digest: bytes) -> Entry | None:
        """Return the newest version of a key, a deletion included."""
        return self._sections[key_digest[0]].find(key_digest)

    def apply(self, changes: Mapping[bytes, bytes | None], height: int) -> list[Change]:
        """Give each key its new value, none deleting it, and return the changes with their leaves.

        `root` is the new root afterwards. Deleting a key that was never there changes nothing.
        """
        assert height > self.height, f"the state of height {self.height} cannot go to {height}"
        before = self._top.lowest_row()
        work: list[list[Work]] = [[] for _ in range(SECTIONS)]
        for key, value in changes.items():
            digest = sha256(key).digest()
            if value is not None or self.find(digest) is not None:
                work[digest[0]].append(Work(digest, value_digest(value), key, value))
        applied: list[Change] = []
        for index, part in enumerate(work):
            if part:
                applied += self._apply_section(index, sorted(part), height)
        self._top.update(index for index, part in enumerate(work) if part)
        self._kept.append(_Kept(Past(self.height, b"".join(_replaced(applied))), before))
        self.height = height
        return applied

    def prove(self, key: bytes, height: int, leaf: LeafReader) -> StateProof:
        """Return the proof of what `key` holds after block `height`.

        Raises `ProofError` when that root is no longer kept, or not yet there.
        """
        digest = sha256(key).digest()
        top, section = self._at(digest[0], height)
        siblings = list(top.path(digest[0]))
        if len(siblings) == SECTION_BITS:
            below, entry = section.path(digest)
            siblings += below
        else:
            start, end = top.path_end(digest[0])
            entry = self._only_entry(range(start, end), height)
        packed = tuple(b"" if sibling == EMPTY else sibling for sibling in siblings)
        return StateProof(packed, None if entry is None else leaf(entry))

    def section(self, index: int) -> bytes:
        """Return the packed leaves of one section, as `load_sections` takes them."""
        return self._sections[index].packed()

    def section_at(self, index: int, height: int) -> bytes:
        """Return the packed leaves of one section after block `height`.

        Raises `ProofError` when that root is no longer kept.
        """
        return self._at(index, height)[1].packed()

    def section_leaves(self, index: int) -> int:
        """Return how many leaves a section has."""
        return self._sections[index].size

    def load_sections(self, sections: Iterable[tuple[int, bytes]]) -> None:
        """Set sections from packed leaves, sorted by key digest; at the start only."""
        for index, packed in sections:
            self._sections[index] = section = Section(packed)
            self._top.put(index, section.root, section.leaf_count)
        self._top.update(range(SECTIONS))

    def changed_sections(self) -> Iterator[int]:
        """Yield the section of each key that the last block changed."""
        replaced = self._kept[-1].past.replaced
        return (replaced[place] for place in range(0, len(replaced), ENTRY_BYTES))

    def past(self) -> list[Past]:
        """Return what it takes to go back, oldest first."""
        return [kept.past for kept in self._kept]

    def load_past(self, newest_first: Iterable[Past]) -> None:
        """Make older roots provable again, going back block by block; after `load_sections`."""
        assert not self._kept
        top = HashHeap(SECTION_BITS)
        top.load_lowest_row(*self._top.lowest_row())
        sections: dict[int, Section] = {}
        for past in newest_first:
            for index in {
                past.replaced[place] for place in range(0, len(past.replaced), ENTRY_BYTES)
            }:
                section = sections.setdefault(index, self._sections[index].copy())
                section.undo(_section_replacements(past.replaced, index))
                top.put(index, section.root, section.leaf_count)
            self._kept.appendleft(_Kept(past, top.lowest_row()))

    def _apply_section(self, index: int, part: list[Work], height: int) -> list[Change]:
        section = self._sections[index]
        changes = section.apply(part, height, self.next_sequence)
        self.next_sequence += len(changes)
        self._top.put(index, section.root, section.leaf_count)
        return changes

    def _at(self, index: int, height: int) -> tuple[HashHeap, Section]:
        if height == self.height:
            return self._top, self._sections[index]
        if not self.oldest_height <= height < self.height:
            raise ProofError(
                f"proofs are kept for heights {self.oldest_height} to {self.height}",
                what=f"state root of height {height}",
                next="ask for a proof under a newer height",
            )
        return self._top_at(height), self._section_at(index, height)

    def _top_at(self, height: int) -> HashHeap:
        if self._latest_top is None or self._latest_top[0] != height:
            row = next(kept.row for kept in reversed(self._kept) if kept.past.height <= height)
            top = HashHeap(SECTION_BITS)
            top.load_lowest_row(*row)
            self._latest_top = (height, top)
        return self._latest_top[1]

    def _section_at(self, index: int, height: int) -> Section:
        replaced: dict[bytes, bytes] = {}
        for past, _ in reversed(self._kept):
            replaced.update(_section_replacements(past.replaced, index))
            if past.height <= height:
                break
        if not replaced:
            return self._sections[index]
        section = self._sections[index].copy()
        section.undo(replaced.items())
        return section

    def _only_entry(self, indexes: Iterable[int], height: int) -> Entry | None:
        for index in indexes:
            if packed := self._at(index, height)[1].packed():
                return unpack(packed, 0)
        return None


def _replaced(changes: Iterable[Change]) -> Iterator[bytes]:
    for change in changes:
        yield change.replaced or change.entry[:DIGEST_BYTES] + _NOT_THERE


def _section_replacements(packed: bytes, index: int) -> list[tuple[bytes, bytes]]:
    places = range(0, len(packed), ENTRY_BYTES)
    start = bisect_left(places, index, key=lambda place: packed[place])
    end = bisect_left(places, index + 1, key=lambda place: packed[place])
    entries = [packed[place : place + ENTRY_BYTES] for place in places[start:end]]
    return [
        (entry[:DIGEST_BYTES], b"" if entry.endswith(_NOT_THERE) else entry) for entry in entries
    ]


def state_root(state: Mapping[bytes, bytes]) -> Digest:
    """Return the root of a state that begins with these values at height 0."""
    tree = StateTree(roots_kept=1, height=-1, next_sequence=1)
    tree.apply(dict(state), 0)
    return tree.root
