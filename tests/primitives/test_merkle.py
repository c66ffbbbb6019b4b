"""Scenarios of RFC 6962 trees against the definition in the RFC."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.errors import ProofError
from moyai.primitives.merkle import (
    EMPTY_ROOT,
    Frontier,
    MerkleTree,
    inclusion_path,
    inclusion_root,
    list_inclusion_path,
    merkle_root,
    verify_inclusion,
)

leaves = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def definition(entries: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    half = 1
    while half * 2 < len(entries):
        half *= 2
    return sha256(b"\x01" + definition(entries[:half]) + definition(entries[half:])).digest()


@given(leaves)
def test_root_and_growing_log_follow_the_definition(entries: list[bytes]) -> None:
    frontier = Frontier()
    for count, entry in enumerate(entries, start=1):
        frontier = frontier.append(entry)
        assert frontier.size == count
        assert frontier.root == definition(entries[:count])
    assert merkle_root(entries) == definition(entries)


def test_the_empty_tree() -> None:
    assert merkle_root([]) == Frontier().root == EMPTY_ROOT == definition([])


@given(leaves, st.data())
def test_every_leaf_is_proven_and_no_other_value_place_or_root(
    entries: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    path = list_inclusion_path(index, entries)
    root = merkle_root(entries)
    verify_inclusion(entries[index], index, len(entries), path, root)
    with pytest.raises(ProofError):
        verify_inclusion(entries[index] + b"x", index, len(entries), path, root)
    with pytest.raises(ProofError):
        verify_inclusion(entries[index], index, len(entries), [*path, bytes(32)], root)
    with pytest.raises(ProofError):
        verify_inclusion(entries[index], index, len(entries), path, bytes(32))
    with pytest.raises(ProofError):
        verify_inclusion(entries[index], len(entries), len(entries), path, root)


@given(st.integers(1, 70), st.data())
def test_a_path_reads_only_hashes_of_full_subtrees(size: int, data: st.DataObject) -> None:
    entries = [bytes([value]) for value in range(size)]

    def node(level: int, index: int) -> bytes:
        assert (index + 1) << level <= size
        return definition(entries[index << level : (index + 1) << level])

    index = data.draw(st.integers(0, size - 1))
    verify_inclusion(
        entries[index], index, size, inclusion_path(index, size, node), merkle_root(entries)
    )


def test_a_leaf_that_is_not_there_has_no_path() -> None:
    with pytest.raises(ProofError, match="no such leaf"):
        list_inclusion_path(1, [b"a"])


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
def test_a_finished_tree_gives_the_same_paths(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert MerkleTree(leaves).path(index) == list_inclusion_path(index, leaves)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_finished_tree_has_no_other_leaves(index: int) -> None:
    with pytest.raises(ProofError):
        MerkleTree([b"a", b"b", b"c"]).path(index)


def test_a_path_that_is_too_short_or_too_long_for_its_tree_is_refused() -> None:
    entries = [bytes((number,)) for number in range(8)]
    path = list_inclusion_path(3, entries)
    for length in range(len(path)):
        with pytest.raises(ProofError, match="does not lead to the root"):
            inclusion_root(entries[3], 3, len(entries), path[:length])
    with pytest.raises(ProofError, match="does not lead to the root"):
        inclusion_root(entries[3], 3, len(entries), [*path, path[0]])
