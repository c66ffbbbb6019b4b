"""Scenarios of messages: pinned bytes, a second decoder, and nothing but the one form accepted."""

import json
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wire_examples import EXAMPLES, digest, vote
from moyai.consensus.messages import VoteMessage
from moyai.p2p.errors import MessageError
from moyai.p2p.framing import UNKNOWN_TYPE
from moyai.p2p.messages import (
    KEEPALIVE,
    PAYLOAD_BYTES_MAX,
    WIRE_TYPES,
    BodiesRequest,
    MessageClass,
    TransactionBatch,
    TransactionRequest,
    WireMessage,
    decode_message,
    encode_message,
    signature_count,
    wire_type,
)
from moyai.primitives.ids import Height, TransactionId, View
from moyai.primitives.limits import BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "wire.json").read_text())
NAMES = sorted(EXAMPLES)


def payload_of(name: str) -> tuple[int, bytes]:
    message = EXAMPLES[name]
    return wire_type(message).kind, encode_message(message)


def test_every_type_has_an_example() -> None:
    assert {type(message) for message in EXAMPLES.values()} == {row.struct for row in WIRE_TYPES}


@pytest.mark.parametrize("name", NAMES)
def test_the_bytes_of_each_message_are_pinned(name: str) -> None:
    kind, payload = payload_of(name)
    assert VECTORS["messages"][name] == {"type": kind, "payload": payload.hex()}
    assert decode_message(kind, payload) == EXAMPLES[name]


def test_the_caps_are_pinned() -> None:
    assert VECTORS["payload_bytes_max"] == {
        str(kind): cap for kind, cap in enumerate(PAYLOAD_BYTES_MAX) if cap != UNKNOWN_TYPE
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_second_decoder_reads_type_and_fields(name: str) -> None:
    kind, payload = payload_of(name)
    read = msgpack.unpackb(payload, strict_map_key=True)
    assert read[0] == kind
    assert len(read) == 1 + len(type(EXAMPLES[name]).__struct_fields__)
    assert msgpack.packb(read) == payload


@given(st.sampled_from(NAMES), st.data())
def test_a_changed_message_is_refused_or_is_the_one_form_of_what_it_says(
    name: str, data: st.DataObject
) -> None:
    kind, payload = payload_of(name)
    changed = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] = data.draw(st.integers(0, 255))
    assert_refused_or_canonical(kind, bytes(changed))


@given(st.sampled_from([row.kind for row in WIRE_TYPES]), st.binary(max_size=400))
def test_noise_is_refused_or_is_the_one_form_of_what_it_says(kind: int, noise: bytes) -> None:
    assert_refused_or_canonical(kind, noise)
    assert_refused_or_canonical(kind, bytes([0x92, kind]) + noise)


def assert_refused_or_canonical(kind: int, payload: bytes) -> None:
    try:
        message = decode_message(kind, payload)
    except MessageError:
        return
    assert encode_message(message) == payload
    assert wire_type(message).kind == kind


@pytest.mark.parametrize("name", NAMES)
def test_a_byte_or_a_field_too_many_or_too_few_is_refused(name: str) -> None:
    kind, payload = payload_of(name)
    fields = msgpack.unpackb(payload)
    for wrong in (
        payload + b"\x00",
        payload[:-1],
        msgpack.packb([*fields, 0]),
        msgpack.packb(fields[:-1]),
        msgpack.packb({str(place): field for place, field in enumerate(fields)}),
        b"",
    ):
        with pytest.raises(MessageError):
            decode_message(kind, wrong)


def test_a_longer_form_of_a_number_is_refused() -> None:
    payload = encode_message(BodiesRequest(Height(1), 0, 2))
    longer = payload[:-1] + b"\xcc\x02"
    assert msgspec.msgpack.decode(longer) == msgspec.msgpack.decode(payload)
    with pytest.raises(MessageError, match="canonical"):
        decode_message(34, longer)


def test_the_frame_and_the_message_must_name_one_type() -> None:
    _, payload = payload_of("block_request")
    with pytest.raises(MessageError, match="another type"):
        decode_message(30, payload)


def test_a_vote_for_view_two_to_the_sixty_third_is_refused() -> None:
    huge = msgspec.structs.replace(vote(), view=View(2**63))
    with pytest.raises(MessageError):
        decode_message(1, encode_message(VoteMessage(huge)))


def nested(depth: int) -> Any:
    return [] if depth == 0 else [nested(depth - 1)]


@pytest.mark.parametrize("depth", [9, 200, 500])
def test_deep_nesting_is_refused(depth: int) -> None:
    with pytest.raises(MessageError):
        decode_message(20, msgpack.packb([20, nested(depth)]))
    with pytest.raises(MessageError):
        decode_message(20, b"\x92\x14" + b"\x91" * 100_000 + b"\x90")


@pytest.mark.parametrize(
    "message",
    [
        TransactionBatch(()),
        TransactionBatch((b"",)),
        TransactionBatch((bytes(TRANSACTION_BYTES_MAX + 1),)),
        TransactionRequest((TransactionId(digest(1)),) * (BLOCK_TRANSACTIONS_MAX + 1)),
        TransactionRequest((TransactionId(b"short"),)),
        BodiesRequest(Height(1), 0, 0),
        BodiesRequest(Height(1), 0, 257),
        BodiesRequest(Height(2**53), 0, 1),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_is_over_a_bound_is_refused(message: WireMessage) -> None:
    with pytest.raises(MessageError):
        decode_message(wire_type(message).kind, encode_message(message))


def test_the_largest_proposal_fits_under_its_cap() -> None:
    proposal = msgspec.structs.replace(
        EXAMPLES["proposal"], transaction_ids=(TransactionId(digest(1)),) * BLOCK_TRANSACTIONS_MAX
    )
    assert len(encode_message(proposal)) <= PAYLOAD_BYTES_MAX[3]


def test_votes_go_first_and_sync_goes_last() -> None:
    order = [MessageClass.VOTES, MessageClass.PROPOSALS, MessageClass.FETCH]
    order += [MessageClass.TRANSACTIONS, MessageClass.SYNC]
    assert sorted(MessageClass) == order
    assert wire_type(EXAMPLES["certificate"]).queue is MessageClass.VOTES
    assert PAYLOAD_BYTES_MAX[KEEPALIVE] == 0


@pytest.mark.parametrize(
    ("name", "signatures"),
    [("vote", 1), ("certificate", 3), ("evidence", 2), ("transaction_batch", 2), ("block", 0)],
)
def test_signatures_are_counted_before_they_are_checked(name: str, signatures: int) -> None:
    assert signature_count(EXAMPLES[name]) == signatures
