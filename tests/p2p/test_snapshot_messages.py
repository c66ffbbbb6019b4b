"""Scenarios of messages about states: the largest answers fit under their caps."""

from msgspec.structs import replace

from harness.wire_examples import CERTIFICATE, DESCRIPTION, digest, header
from moyai.p2p import limits
from moyai.p2p.messages import PAYLOAD_BYTES_MAX, decode_message, encode_message, wire_type
from moyai.p2p.snapshot_messages import (
    RecentAnswer,
    RecentBlock,
    SnapshotAnswer,
    SnapshotOffer,
    SnapshotPartAnswer,
    leaf_bytes,
)
from moyai.primitives.ids import Digest, Height
from moyai.primitives.limits import (
    BLOCK_TRANSACTIONS_MAX,
    SNAPSHOT_DEPTH_MAX,
    STATE_KEY_BYTES_MAX,
    STATE_VALUE_BYTES_MAX,
)
from moyai.primitives.state_snapshot import SnapshotLeaf


def fits(message: SnapshotAnswer | SnapshotPartAnswer | RecentAnswer) -> None:
    kind, payload = wire_type(message).kind, encode_message(message)
    assert len(payload) <= PAYLOAD_BYTES_MAX[kind]
    assert decode_message(kind, payload) == message


def test_the_largest_offer_fits() -> None:
    path = (digest(9),) * limits.SYNC_LOG_PATH_MAX
    parts = (b"\x02" + digest(13)) * (1 << SNAPSHOT_DEPTH_MAX)
    description = replace(DESCRIPTION, depth=SNAPSHOT_DEPTH_MAX, parts=parts)
    description = replace(description, path=path, log_frontier=path[:53])
    certificate = replace(CERTIFICATE, signers=bytes(8), signatures=(bytes(64),) * 64)
    headers = (header(),) * limits.SYNC_FILLERS_MAX
    fits(SnapshotAnswer(None, SnapshotOffer(description, certificate, headers, path)))


def test_the_largest_part_of_a_part_fits() -> None:
    key, value = bytes(STATE_KEY_BYTES_MAX), bytes(STATE_VALUE_BYTES_MAX)
    large = SnapshotLeaf(key, value, 2**53 - 1, 2**53 - 1, Digest(bytes(32)))
    count = limits.SNAPSHOT_ANSWER_BYTES // leaf_bytes(large) + 1
    fits(SnapshotPartAnswer(Height(2**53 - 1), 4095, 0, (large,) * count, more=True))
    value = bytes(limits.SNAPSHOT_ANSWER_BYTES // limits.SNAPSHOT_ANSWER_LEAVES_MAX)
    small = SnapshotLeaf(b"", value, 2**53 - 1, 2**53 - 1, Digest(bytes(32)))
    leaves = (small,) * limits.SNAPSHOT_ANSWER_LEAVES_MAX
    fits(SnapshotPartAnswer(Height(1), 0, 0, leaves, more=False))


def test_the_longest_row_of_recent_blocks_fits() -> None:
    empty = RecentBlock(header(), b"")
    full = RecentBlock(header(), bytes(32 * BLOCK_TRANSACTIONS_MAX))
    fits(RecentAnswer(Height(9), (empty,) * (limits.RECENT_BLOCKS_PER_REQUEST - 1) + (full,)))
