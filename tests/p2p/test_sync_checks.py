"""Scenarios of the checks of catch-up: the true answer passes, every changed one is named."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.synced_chain import SyncedChain, SyncedChainReader, raw_transaction
from moyai.p2p.errors import SyncFault
from moyai.p2p.messages import (
    HeadersAnswer,
    HeadersRequest,
    TargetAnswer,
    TargetRequest,
)
from moyai.p2p.serving import answer_sync
from moyai.p2p.sync_checks import check_body, check_headers, check_target
from moyai.primitives.ids import Digest, Height, TimeMs

CHAIN = SyncedChain([2, 0, 3, 1, 2, 0, 1])
OTHER = SyncedChain([2, 0, 3, 1, 2, 0, 1], salt=1)
FILLED = SyncedChain([1, 1], fillers=3)
ASKED = HeadersRequest(Height(7), Height(2), 4)


def replace(answer: HeadersAnswer, place: int, **fields: object) -> HeadersAnswer:
    headers = list(answer.headers)
    headers[place] = msgspec.structs.replace(headers[place], **fields)
    return msgspec.structs.replace(answer, headers=tuple(headers))


def true_headers() -> HeadersAnswer:
    answer = answer_sync(ASKED, SyncedChainReader(CHAIN))
    assert isinstance(answer, HeadersAnswer)
    return answer


def true_target(chain: SyncedChain) -> TargetAnswer:
    answer = answer_sync(TargetRequest(chain.certified), SyncedChainReader(chain))
    assert isinstance(answer, TargetAnswer)
    return answer


def test_the_target_is_the_header_with_the_certified_digest() -> None:
    target = check_target(CHAIN.certified, true_target(CHAIN))
    assert (target.header, target.digest, target.fillers) == (CHAIN.tip, CHAIN.digests[-1], ())
    with pytest.raises(SyncFault, match="certified"):
        check_target(OTHER.certified, true_target(CHAIN))


def test_fillers_lead_down_to_the_block_that_ends_the_epoch() -> None:
    target = check_target(FILLED.certified, true_target(FILLED))
    assert (target.header, len(target.fillers)) == (FILLED.tip, 3)
    headers = true_target(FILLED).headers
    for wrong in (headers[:-1], headers[:1] + headers[2:], (*headers, FILLED.headers[1])):
        with pytest.raises(SyncFault):
            check_target(FILLED.certified, TargetAnswer(FILLED.certified, wrong))


def test_true_headers_pass() -> None:
    checked = check_headers(CHAIN.tip, ASKED, true_headers())
    assert checked == list(zip(CHAIN.headers[2:6], CHAIN.digests[2:6], strict=True))


@given(st.integers(0, 3), st.sampled_from(["parent", "tx_root", "log_root", "time_ms", "height"]))
def test_no_field_of_a_header_can_be_changed(place: int, field: str) -> None:
    value: object = Digest(bytes(32))
    if field == "time_ms":
        value = TimeMs(1)
    elif field == "height":
        value = Height(6)
    with pytest.raises(SyncFault):
        check_headers(CHAIN.tip, ASKED, replace(true_headers(), place, **{field: value}))


def test_a_path_that_leads_elsewhere_is_a_lie() -> None:
    answer = true_headers()
    for path in (answer.path[:-1], (*answer.path, answer.path[0]), answer.path[::-1], ()):
        with pytest.raises(SyncFault, match="log"):
            check_headers(CHAIN.tip, ASKED, msgspec.structs.replace(answer, path=path))


def test_the_headers_of_another_chain_are_a_lie() -> None:
    answer = answer_sync(ASKED, SyncedChainReader(OTHER))
    assert isinstance(answer, HeadersAnswer)
    with pytest.raises(SyncFault, match="log"):
        check_headers(CHAIN.tip, ASKED, answer)


@pytest.mark.parametrize("count", [1, 3])
def test_fewer_headers_than_asked_for_are_a_lie(count: int) -> None:
    answer = true_headers()
    short = msgspec.structs.replace(answer, headers=answer.headers[:count])
    with pytest.raises(SyncFault, match="number of headers"):
        check_headers(CHAIN.tip, ASKED, short)


def test_an_answer_to_another_question_is_a_lie() -> None:
    with pytest.raises(SyncFault, match="another question"):
        check_headers(CHAIN.tip, HeadersRequest(Height(7), Height(1), 4), true_headers())


def test_true_headers_of_other_heights_are_a_lie() -> None:
    above = HeadersRequest(ASKED.target, Height(ASKED.first + 1), ASKED.count)
    answer = answer_sync(above, SyncedChainReader(CHAIN))
    assert isinstance(answer, HeadersAnswer)
    with pytest.raises(SyncFault, match="another height"):
        check_headers(CHAIN.tip, ASKED, msgspec.structs.replace(answer, first=ASKED.first))


def test_a_body_is_that_of_its_header() -> None:
    block = check_body(CHAIN.headers[3], CHAIN.digests[3], CHAIN.bodies[3])
    assert [transaction.raw for transaction in block.transactions] == list(CHAIN.bodies[3])
    empty = check_body(CHAIN.headers[2], CHAIN.digests[2], ())
    assert empty.transactions == ()


@pytest.mark.parametrize(
    "body",
    [
        CHAIN.bodies[3][:2],
        CHAIN.bodies[3][::-1],
        (*CHAIN.bodies[3], raw_transaction(999)),
        (*CHAIN.bodies[3][:2], raw_transaction(999)),
        (*CHAIN.bodies[3][:2], CHAIN.bodies[3][2][:-1]),
        (*CHAIN.bodies[3][:2], b"noise"),
    ],
)
def test_any_other_body_is_a_lie(body: tuple[bytes, ...]) -> None:
    with pytest.raises(SyncFault, match="height 3"):
        check_body(CHAIN.headers[3], CHAIN.digests[3], body)
