"""Scenarios of state snapshots: everything leads to the attested root, and nothing else passes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kept_state import kept_state, leaves_of, subtree
from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError, ProofError
from moyai.primitives.limits import SNAPSHOT_DEPTH_MAX
from moyai.primitives.state_proof import EMPTY
from moyai.primitives.state_snapshot import (
    PART_BYTES,
    PART_SIZE_AIM_BYTES,
    SnapshotDescription,
    SnapshotLeaf,
    check_description,
    check_part,
    snapshot_depth,
)
from moyai.primitives.state_snapshot import subtree as fast_subtree

KEPT = kept_state(keys=60, depth=3)
DESCRIPTION = KEPT.description
codec = Codec(SnapshotDescription, name="description")
leaf_codec = Codec(SnapshotLeaf, name="leaf")


def refused(description: SnapshotDescription, reason: str = "") -> None:
    with pytest.raises(ProofError, match=reason):
        check_description(description)


def test_a_true_snapshot_is_accepted_part_by_part() -> None:
    check_description(DESCRIPTION)
    for index, leaves in enumerate(KEPT.parts):
        check_part(DESCRIPTION, index, leaves)


@given(st.integers(0, 40), st.integers(0, 5))
def test_subtrees_have_the_roots_of_the_plain_rule(count: int, depth: int) -> None:
    leaves = leaves_of(count)
    if depth == 0:
        assert fast_subtree([leaf.leaf() for leaf in leaves], 0) == subtree(leaves)


@given(st.data())
def test_no_byte_of_a_description_can_be_changed(data: st.DataObject) -> None:
    raw = bytearray(encode(DESCRIPTION))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    try:
        changed = codec.decode(bytes(raw))
    except CodecError:
        return
    if changed.attesting != DESCRIPTION.attesting:
        return  # the certificate over the attesting header is checked by who asks
    try:
        check_description(changed)
    except ProofError:
        return
    # All that is left is a class of one or of many leaves, which no hash depends on.
    nodes = [changed.parts[place + 1 : place + PART_BYTES] for place in starts(changed)]
    assert nodes == [DESCRIPTION.parts[one + 1 : one + PART_BYTES] for one in starts(DESCRIPTION)]
    assert msgspec.structs.replace(changed, parts=DESCRIPTION.parts) == DESCRIPTION
    for index, leaves in enumerate(KEPT.parts):
        check_part(changed, index, leaves)


def starts(description: SnapshotDescription) -> range:
    return range(0, len(description.parts), PART_BYTES)


@given(st.data())
def test_no_byte_of_a_part_can_be_changed(data: st.DataObject) -> None:
    index = data.draw(st.sampled_from([at for at, part in enumerate(KEPT.parts) if part]))
    leaves = list(KEPT.parts[index])
    number = data.draw(st.integers(0, len(leaves) - 1))
    raw = bytearray(encode(leaves[number]))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    try:
        leaves[number] = leaf_codec.decode(bytes(raw))
    except CodecError:
        return
    with pytest.raises(ProofError):
        check_part(DESCRIPTION, index, leaves)


def test_leaves_may_not_be_missing_repeated_or_elsewhere() -> None:
    leaves = KEPT.parts[0]
    for wrong in (leaves[1:], (*leaves, leaves[-1]), leaves[::-1], KEPT.parts[1]):
        with pytest.raises(ProofError):
            check_part(DESCRIPTION, 0, wrong)


def test_a_leaf_alone_lies_in_the_part_of_its_digest_whatever_the_description_says() -> None:
    leaf = KEPT.parts[0][0]  # the part beside would have the same hash above both
    empty = b"\x00" + EMPTY
    nodes = [empty] * (1 << DESCRIPTION.depth)
    nodes[1] = b"\x01" + leaf.leaf().hash
    moved = msgspec.structs.replace(DESCRIPTION, parts=b"".join(nodes))
    with pytest.raises(ProofError, match="another part"):
        check_part(moved, 1, [leaf])


def test_a_header_that_attests_another_height_is_refused() -> None:
    other = KEPT.chain.headers[DESCRIPTION.header.height + 2]
    refused(msgspec.structs.replace(DESCRIPTION, attesting=other), "another header")


def test_logs_of_another_size_are_refused() -> None:
    for name in ("log_frontier", "receipts_frontier"):
        roots = getattr(DESCRIPTION, name)
        refused(msgspec.structs.replace(DESCRIPTION, **{name: roots[:-1]}), "size")


def test_an_unknown_class_or_another_number_of_parts_is_refused() -> None:
    parts = DESCRIPTION.parts
    refused(msgspec.structs.replace(DESCRIPTION, parts=b"\x03" + parts[1:]), "class")
    refused(msgspec.structs.replace(DESCRIPTION, parts=b"\x00" + parts[1:]), "class")
    refused(msgspec.structs.replace(DESCRIPTION, parts=parts[PART_BYTES:]), "number of parts")


@given(st.integers(0, 2**24), st.integers(0, 2**40))
def test_parts_have_about_the_size_aimed_at(leaves: int, content_bytes: int) -> None:
    depth = snapshot_depth(leaves, content_bytes)
    size = (content_bytes + 64 * leaves) >> depth
    assert depth == SNAPSHOT_DEPTH_MAX or size <= PART_SIZE_AIM_BYTES
    assert depth == 0 or 2 * size + 1 > PART_SIZE_AIM_BYTES
