"""Scenarios of serving: complete, cut to what a message holds, and empty where nothing is held."""

import pytest

from harness.kept_state import kept_state
from harness.synced_chain import SyncedChain, SyncedChainReader
from moyai.p2p import limits
from moyai.p2p.messages import (
    PAYLOAD_BYTES_MAX,
    BelowBase,
    BodiesAnswer,
    BodiesRequest,
    HeadersAnswer,
    HeadersRequest,
    SyncRequest,
    TargetAnswer,
    TargetRequest,
    encode_message,
)
from moyai.p2p.serving import answer_state, answer_sync
from moyai.p2p.snapshot_messages import (
    EpochEndRequest,
    RecentAnswer,
    RecentRequest,
    SnapshotPartAnswer,
    SnapshotPartRequest,
    SnapshotRequest,
    StateRequest,
)
from moyai.primitives.ids import Digest, Epoch, Height
from moyai.primitives.merkle import verify_inclusion

CHAIN = SyncedChain([3, 0, 2, 1, 4])
READER = SyncedChainReader(CHAIN)


def test_a_target_is_given_by_its_digest() -> None:
    answer = answer_sync(TargetRequest(CHAIN.certified), READER)
    assert answer == TargetAnswer(CHAIN.certified, (CHAIN.tip,))


def test_a_filler_comes_with_its_parents_down_to_the_chain() -> None:
    chain = SyncedChain([1], fillers=2)
    answer = answer_sync(TargetRequest(chain.certified), SyncedChainReader(chain))
    assert answer == TargetAnswer(chain.certified, (*chain.fillers, chain.tip))


def test_headers_come_with_the_path_of_the_last_one() -> None:
    answer = answer_sync(HeadersRequest(Height(5), Height(1), 3), READER)
    assert isinstance(answer, HeadersAnswer)
    assert answer.headers == tuple(CHAIN.headers[1:4])
    verify_inclusion(CHAIN.digests[3], 3, 5, answer.path, CHAIN.tip.log_root)


def test_bodies_come_in_order_empty_ones_included() -> None:
    answer = answer_sync(BodiesRequest(Height(1), 0, 5), READER)
    assert answer == BodiesAnswer(Height(1), 0, tuple(CHAIN.bodies[1:]))
    rest = answer_sync(BodiesRequest(Height(1), 2, 2), READER)
    assert rest == BodiesAnswer(Height(1), 2, (CHAIN.bodies[1][2:], ()))


@pytest.mark.parametrize(
    ("request_", "empty"),
    [
        (TargetRequest(Digest(bytes(32))), TargetAnswer(Digest(bytes(32)), ())),
        (HeadersRequest(Height(9), Height(1), 2), HeadersAnswer(Height(9), Height(1), (), ())),
        (HeadersRequest(Height(5), Height(5), 1), HeadersAnswer(Height(5), Height(5), (), ())),
        (HeadersRequest(Height(5), Height(4), 9), HeadersAnswer(Height(5), Height(4), (), ())),
        (BodiesRequest(Height(6), 0, 2), BodiesAnswer(Height(6), 0, ())),
    ],
)
def test_what_is_not_held_is_answered_empty(request_: SyncRequest, empty: object) -> None:
    assert answer_sync(request_, READER) == empty


def test_what_was_pruned_is_answered_with_what_is_left() -> None:
    pruned = SyncedChainReader(CHAIN, base=3)
    assert answer_sync(BodiesRequest(Height(2), 0, 2), pruned) == BelowBase(Height(2), Height(3))
    headers = answer_sync(HeadersRequest(Height(5), Height(1), 3), pruned)
    assert isinstance(headers, HeadersAnswer)
    assert len(headers.headers) == 3, "headers stay"


def test_who_took_over_a_state_has_no_headers_from_before() -> None:
    imported = SyncedChainReader(CHAIN, imported_at=3)
    below = BelowBase(Height(1), Height(4))
    assert answer_sync(HeadersRequest(Height(5), Height(1), 3), imported) == below
    later = answer_sync(HeadersRequest(Height(5), Height(4), 1), imported)
    assert isinstance(later, HeadersAnswer)
    assert later.headers == (CHAIN.headers[4],)


STATE = kept_state(keys=40, depth=1)
STATE_HEIGHT = STATE.description.header.height


def part_answer(part: int, position: int) -> SnapshotPartAnswer:
    answer = answer_state(SnapshotPartRequest(STATE_HEIGHT, part, position), STATE)
    assert isinstance(answer, SnapshotPartAnswer)
    return answer


def test_a_part_is_cut_and_goes_on_where_it_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_ANSWER_BYTES", 100)
    answer = part_answer(1, 0)
    leaves = answer.leaves
    while answer.more:
        answer = part_answer(1, len(leaves))
        assert answer.leaves
        leaves += answer.leaves
    assert leaves == STATE.parts[1]


def test_recent_blocks_go_down_to_the_first_but_not_to_genesis() -> None:
    answer = answer_state(RecentRequest(Height(3), 256), STATE)
    assert isinstance(answer, RecentAnswer)
    assert [block.header.height for block in answer.blocks] == [3, 2, 1]


@pytest.mark.parametrize(
    "request_",
    [
        EpochEndRequest(Epoch(2)),
        SnapshotRequest(Height(1)),
        SnapshotPartRequest(Height(1), 0, 0),
        SnapshotPartRequest(STATE_HEIGHT, 0, 10_000),
        RecentRequest(Height(10_000), 2),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_is_held_of_no_state_is_answered_empty(request_: StateRequest) -> None:
    answer = answer_state(request_, STATE)
    assert not any(
        (
            getattr(answer, "end", None),
            getattr(answer, "offer", None),
            getattr(answer, "leaves", ()),
            getattr(answer, "blocks", ()),
        )
    )


def test_a_long_answer_is_cut_and_goes_on_where_it_was_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = len(CHAIN.bodies[1][0])
    monkeypatch.setattr(limits, "SYNC_BODIES_BYTES", 4 * size)
    first = answer_sync(BodiesRequest(Height(1), 0, 5), READER)
    assert first == BodiesAnswer(Height(1), 0, (CHAIN.bodies[1], (), CHAIN.bodies[3][:1]))
    then = answer_sync(BodiesRequest(Height(3), 1, 3), READER)
    assert then == BodiesAnswer(
        Height(3), 1, (CHAIN.bodies[3][1:], CHAIN.bodies[4], CHAIN.bodies[5][:2])
    )


def test_the_longest_answers_fit_their_messages() -> None:
    chain = SyncedChain([0] * 300)
    reader = SyncedChainReader(chain)
    request = HeadersRequest(Height(300), Height(1), limits.SYNC_HEADERS_PER_REQUEST)
    assert len(encode_message(answer_sync(request, reader))) <= PAYLOAD_BYTES_MAX[33]
    full = SyncedChain([1_500, 1_500])
    answer = answer_sync(BodiesRequest(Height(1), 0, 2), SyncedChainReader(full))
    assert len(encode_message(answer)) <= PAYLOAD_BYTES_MAX[35]
