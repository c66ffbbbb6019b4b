"""Scenarios of sending: the same bytes until the outcome is proven, or their time has run out."""

from typing import Any

import msgspec
import pytest

from harness.loopback_node import Answer, LoopbackNode, Refusal
from harness.proven_city import ProvenCity
from moyai.client import opening_of_bytes
from moyai.client.errors import (
    NodeRefusalError,
    OutcomeUnknownError,
    TransactionExpiredError,
)
from moyai.client.proofs import FinalReceipt
from moyai.primitives.operations import RegisterDocument, RevokeDocument

OPENING = opening_of_bytes(b"minutes", salt=bytes(32))
REGISTER = RegisterDocument("minutes", OPENING.digest, 7)


class Late:
    """A clock that jumps by a minute and a half at each look from some moment on."""

    def __init__(self, city: ProvenCity) -> None:
        self.city = city
        self.looks_left = 10**9
        self.late_ms = 0

    def __call__(self) -> int:
        self.looks_left -= 1
        if self.looks_left < 0:
            self.late_ms += 90_000
        return self.city.now_ms + self.late_ms


@pytest.fixture
def late(city: ProvenCity, connect: Any) -> Late:
    clock = Late(city)
    connect.settings = msgspec.structs.replace(connect.settings, now_ms=clock)
    return clock


async def test_a_full_node_is_asked_again(connect: Any, node: LoopbackNode) -> None:
    node.refuse["tx_submit"] = [Refusal("busy", 1)] * 3
    raw = node.city.sign(REGISTER)
    async with connect(node) as city:
        assert (await city.send(raw)).is_ok
    assert node.submitted == [raw]


async def test_bytes_that_a_node_lost_are_sent_again(connect: Any, node: LoopbackNode) -> None:
    lost: list[bytes] = []

    def forget(answer: Answer) -> Answer:
        if not lost:
            lost.extend(node.pool)
            node.pool.clear()
        return answer

    node.falsify["tx_submit"] = forget
    raw = node.city.sign(REGISTER)
    async with connect(node) as city:
        assert (await city.send(raw)).is_ok
    assert node.submitted == [raw, raw]


async def test_a_connection_lost_after_sending_has_one_effect(
    connect: Any, node: LoopbackNode, other: LoopbackNode
) -> None:
    node.refuse["chain_prove"] = []
    raw = node.city.sign(REGISTER)

    def die(answer: Answer) -> Answer:
        node.city.commit_and_attest(raw)
        node.is_down = True
        return {}

    node.falsify["tx_submit"] = die
    async with connect(node, other) as city:
        receipt = await city.send(raw)
    assert (receipt.is_ok, receipt.height) == (True, 1)


async def test_what_was_final_before_is_told_again(connect: Any, node: LoopbackNode) -> None:
    raw = node.city.sign(REGISTER)
    async with connect(node) as city:
        first = await city.send(raw)
        node.refuse["tx_submit"] = [Refusal("expired")]
        assert await city.send(raw) == first


async def test_a_transaction_that_no_block_took_has_expired(
    connect: Any, node: LoopbackNode, late: Late
) -> None:
    node.commits = False
    raw = node.city.sign(REGISTER)
    async with connect(node) as city:
        late.looks_left = 2
        with pytest.raises(TransactionExpiredError) as caught:
            await city.send(raw)
    assert caught.value.next


async def test_an_outcome_nobody_can_tell_is_called_unknown(
    connect: Any, node: LoopbackNode, late: Late
) -> None:
    raw = node.city.sign(REGISTER)
    async with connect(node) as city:
        node.is_down = True
        late.looks_left = 2
        with pytest.raises(OutcomeUnknownError, match="does not answer"):
            await city.send(raw)


async def test_each_of_many_has_its_own_outcome(connect: Any, node: LoopbackNode) -> None:
    good, refused = node.city.sign(REGISTER), node.city.sign(RevokeDocument("none", 1))
    bad = node.city.sign(RegisterDocument("other", OPENING.digest, 7))
    node.refuse["tx_submit"] = []
    async with connect(node) as city:
        node.refuse["tx_submit"] = [Refusal("bad_signature")]
        outcomes = await city.submit_many([bad, good, refused])
    assert isinstance(outcomes[0], NodeRefusalError)
    assert isinstance(outcomes[1], FinalReceipt)
    assert getattr(outcomes[2], "code", "") == "transaction_refused"


async def test_nothing_to_send(connect: Any, node: LoopbackNode) -> None:
    async with connect(node) as city:
        assert await city.submit_many([]) == []
