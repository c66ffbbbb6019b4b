"""Versions: any past one is found, in few reads, and each knows its leaf."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.errors import CodecError
from moyai.primitives.state_proof import value_digest
from moyai.storage.tree import StateTree
from moyai.storage.versions import (
    StoredVersion,
    decode_version,
    encode_version,
    link_far,
    pending_version,
    version_at,
    versions_back,
)


class Stored:
    """The versions of one key, changed at the given heights, and how often they were read."""

    def __init__(self, heights: list[int]) -> None:
        self.rows: dict[int, StoredVersion] = {}
        self.reads = 0
        tree = StateTree(roots_kept=2, height=-1, next_sequence=1)
        for height in heights:
            (change,) = tree.apply({b"key": b"%d" % height}, height)
            version = link_far(pending_version(change, height), self.read)
            assert version.leaf().hash == change.new.hash
            self.rows[change.new.sequence] = version
        self.newest = self.rows[len(heights)]
        self.reads = 0

    def read(self, sequence: int) -> StoredVersion:
        self.reads += 1
        return self.rows[sequence]


@given(st.lists(st.integers(0, 300), unique=True, min_size=1, max_size=60), st.integers(0, 301))
def test_the_version_in_force_at_any_height(heights: list[int], asked: int) -> None:
    stored = Stored(sorted(heights))
    expected = [height for height in sorted(heights) if height <= asked]
    found = version_at(stored.newest, asked, stored.read)
    assert (None if found is None else found.height) == (expected[-1] if expected else None)


def test_a_version_long_ago_costs_few_reads() -> None:
    stored = Stored(list(range(2_000)))
    for asked in (0, 1, 7, 999, 1_024, 1_500):
        stored.reads = 0
        assert version_at(stored.newest, asked, stored.read).height == asked
        assert stored.reads < 80


def test_all_versions_newest_first() -> None:
    stored = Stored([3, 5, 8])
    assert [one.height for one in versions_back(stored.newest, stored.read)] == [8, 5, 3]


def test_a_deleted_value_has_the_empty_digest() -> None:
    tree = StateTree(roots_kept=2, height=-1, next_sequence=1)
    tree.apply({b"key": b"value"}, 0)
    (change,) = tree.apply({b"key": None}, 1)
    version = pending_version(change, 1)
    assert version.leaf().value_digest == value_digest(None) == bytes(32)
    assert version.version == 2


@given(st.binary(max_size=60))
def test_other_bytes_are_refused_or_are_the_same_version(data: bytes) -> None:
    try:
        version = decode_version(data)
    except CodecError:
        return
    assert encode_version(version) == data


def test_a_version_survives_its_encoding() -> None:
    version = StoredVersion(b"key", None, 7, 3, b"\x01" * 32, 12, 5)
    assert decode_version(encode_version(version)) == version
    with pytest.raises(CodecError):
        decode_version(encode_version(version) + b"\x00")
