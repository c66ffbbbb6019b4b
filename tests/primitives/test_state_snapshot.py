"""Scenarios of state snapshots: no byte of a description and no leaf of a part can be changed."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kept_state import KeptState, kept_state
from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError, ProofError
from moyai.primitives.state_snapshot import (
    SnapshotDescription,
    SnapshotLeaf,
    check_description,
    check_part,
)

STATE = kept_state(keys=40, depth=2)
codec = Codec(SnapshotDescription, name="description")


@pytest.mark.parametrize(("keys", "depth"), [(0, 0), (1, 0), (1, 3), (2, 3), (40, 0), (40, 6)])
def test_a_true_snapshot_proves_itself(keys: int, depth: int) -> None:
    state = kept_state(keys=keys, depth=depth)
    check_description(state.description)
    for index, leaves in enumerate(state.parts):
        check_part(state.description, index, leaves)


@given(st.data())
def test_no_byte_of_a_description_can_be_changed(data: st.DataObject) -> None:
    true = STATE.description
    raw = bytearray(encode(true))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = codec.decode(bytes(raw))
    except CodecError:
        return
    if changed.attesting == true.attesting:
        with pytest.raises(ProofError):
            check_all(changed)


def check_all(description: SnapshotDescription) -> None:
    check_description(description)
    for index, leaves in enumerate(STATE.parts):
        check_part(description, index, leaves)


def refused(state: KeptState, index: int, leaves: tuple[SnapshotLeaf, ...]) -> None:
    with pytest.raises(ProofError):
        check_part(state.description, index, leaves)


@given(st.data())
def test_other_leaves_are_refused(data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(STATE.parts) - 1))
    leaves = STATE.parts[index]
    place = data.draw(st.integers(0, len(leaves) - 1))
    one = leaves[place]
    changed = data.draw(
        st.sampled_from(
            [
                msgspec.structs.replace(one, value=b"more"),
                msgspec.structs.replace(one, value=None),
                msgspec.structs.replace(one, key=one.key + b"."),
                msgspec.structs.replace(one, height=one.height + 1),
                msgspec.structs.replace(one, version=one.version + 1),
            ]
        )
    )
    refused(STATE, index, (*leaves[:place], changed, *leaves[place + 1 :]))
    refused(STATE, index, (*leaves[:place], *leaves[place + 1 :]))
    refused(STATE, index, (*leaves[:place], one, one, *leaves[place + 1 :]))
    refused(STATE, index, leaves[::-1])
    refused(STATE, (index + 1) % len(STATE.parts), leaves)
