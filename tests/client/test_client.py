"""Scenarios of an application: it submits and reads, and nodes fail, lag and lie."""

import base64
from typing import Any

import pytest

from harness.loopback_node import Answer, LoopbackNode, Refusal, b64
from harness.proven_city import ACCOUNTS, OFFICERS, VALIDATORS, certify
from moyai.client import Client, opening_of_bytes
from moyai.client.errors import NodeRefusalError, NoNodeAnsweredError, TransactionRefusedError
from moyai.client.proofs import FinalReceipt, header_codec
from moyai.primitives.codec import encode
from moyai.primitives.operations import RegisterDocument, ReplaceDocument, RevokeDocument
from moyai.primitives.state_keys import version_key

HALL = {"account": ACCOUNTS["city-hall"], "signer": OFFICERS["city-hall"]}
OPENING = opening_of_bytes(b"minutes", salt=bytes(32))
REGISTER = RegisterDocument("minutes", OPENING.digest, OPENING.size_bytes)
KEY = version_key("minutes", 1)


async def test_what_is_submitted_can_be_read_back_proven(connect: Any, node: LoopbackNode) -> None:
    async with connect(node) as city:
        receipt = await city.submit([REGISTER], **HALL)
        assert receipt.is_ok
        assert receipt.height == 1
        assert [event.kind for event in receipt.events] == ["document.registered"]
        document = await city.document("minutes", 1)
        assert document is not None
        assert document.digest == OPENING.digest
        assert document.is_in_force
        assert await city.document("minutes", 2) is None
        assert await city.receipt(receipt.transaction) == receipt


async def test_a_history_is_complete(connect: Any, node: LoopbackNode) -> None:
    async with connect(node) as city:
        await city.submit([REGISTER], **HALL)
        await city.submit([ReplaceDocument("minutes", OPENING.digest, 1, 1)], **HALL)
        history = await city.history(KEY)
        assert [version.version for version in history.versions] == [1, 2]
        assert len((await city.history(KEY, first_version=2)).versions) == 1


async def test_a_refused_transaction_says_why_with_proof(connect: Any, node: LoopbackNode) -> None:
    async with connect(node) as city:
        with pytest.raises(TransactionRefusedError) as caught:
            await city.submit([RevokeDocument("unknown", 1)], **HALL)
        assert caught.value.receipt.code != 0
        assert caught.value.rule == "some_rule"
        assert caught.value.next == "do else"
        again = await city.receipt(caught.value.receipt.transaction)
        assert not again.is_ok


async def test_many_are_sent_in_batches(connect: Any, node: LoopbackNode) -> None:
    raws = [
        node.city.sign(RegisterDocument(f"series {number}", OPENING.digest, 1))
        for number in range(60)
    ]
    async with connect(node) as city:
        outcomes = await city.submit_many([*raws, raws[0]])
    assert all(isinstance(outcome, FinalReceipt) and outcome.is_ok for outcome in outcomes)
    assert outcomes[-1] == outcomes[0]


async def test_a_dead_node_is_passed_over(
    connect: Any, node: LoopbackNode, other: LoopbackNode
) -> None:
    node.is_down = True
    async with connect(node, other) as city:
        assert (await city.submit([REGISTER], **HALL)).is_ok
    assert "tx_submit" in other.asked


async def test_the_same_bytes_go_to_another_node_when_one_fails(
    connect: Any, node: LoopbackNode, other: LoopbackNode
) -> None:
    node.refuse["tx_submit"] = [Refusal("busy", 5)] * 9
    async with connect(node, other) as city:
        raw = await city.sign([REGISTER], **HALL)
        assert (await city.send(raw)).is_ok
    assert other.submitted == [raw]


async def test_a_refusal_for_good_is_told(connect: Any, node: LoopbackNode) -> None:
    node.refuse["tx_submit"] = [Refusal("bad_signature")]
    async with connect(node) as city:
        with pytest.raises(NodeRefusalError) as caught:
            await city.submit([REGISTER], **HALL)
    assert caught.value.name == "bad_signature"


async def test_one_node_alone_cannot_refuse_what_others_take(
    connect: Any, node: LoopbackNode, other: LoopbackNode
) -> None:
    node.refuse["tx_submit"] = [Refusal("bad_signature")]
    async with connect(node, other) as city:
        assert (await city.submit([REGISTER], **HALL)).is_ok


async def test_no_node_at_all(connect: Any, node: LoopbackNode) -> None:
    node.is_down = True
    with pytest.raises(NoNodeAnsweredError) as caught:
        async with connect(node):
            pass
    assert [url for url, _ in caught.value.failures] == [node.url]


def forged_value(answer: Answer) -> Answer:
    return {**answer, "value": b64(b"forged")}


def forged_absence(answer: Answer) -> Answer:
    return {**answer, "value": None}


def forged_proof(answer: Answer) -> Answer:
    proof = bytearray(base64.b64decode(answer["proof"]))
    proof[-1] ^= 1
    return {**answer, "proof": b64(bytes(proof))}


def few_signatures(answer: Answer) -> Answer:
    header = header_codec.decode(base64.b64decode(answer["certified"]["header"]))
    few = b64(encode(certify(header, keys=VALIDATORS[:2])))
    return {**answer, "certified": {**answer["certified"], "certificate": few}}


def other_shape(answer: Answer) -> Answer:
    return {"surprise": 1}


LIES = [forged_value, forged_absence, forged_proof, few_signatures, other_shape]


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_about_the_state_is_never_passed_on(
    connect: Any, node: LoopbackNode, lie: Any
) -> None:
    node.city.commit_and_attest(node.city.sign(REGISTER))
    async with connect(node) as city:
        node.city.commit()
        node.falsify["state_prove"] = lie
        with pytest.raises(NoNodeAnsweredError) as caught:
            await city.state(KEY)
        assert all(error.code == "lying_node" for _, error in caught.value.failures)


@pytest.mark.parametrize("lie", LIES)
async def test_an_honest_node_answers_when_the_first_one_lies(
    connect: Any, node: LoopbackNode, other: LoopbackNode, lie: Any
) -> None:
    node.city.commit_and_attest(node.city.sign(REGISTER))
    async with connect(node, other) as city:
        node.city.commit()
        node.falsify["state_prove"] = lie
        assert (await city.state(KEY)).version == 1


def altered_receipt(answer: Answer) -> Answer:
    receipt = bytearray(base64.b64decode(answer["receipt"]))
    receipt[35] ^= 1
    return {**answer, "receipt": b64(bytes(receipt))}


async def test_an_altered_receipt_is_not_believed(
    connect: Any, node: LoopbackNode, other: LoopbackNode
) -> None:
    node.falsify["chain_prove"] = altered_receipt
    async with connect(node, other) as city:
        receipt = await city.submit([REGISTER], **HALL)
    assert receipt.is_ok
    assert "chain_prove" in other.asked


async def test_queries_run_through_all_pages(connect: Any, node: LoopbackNode) -> None:
    async with connect(node) as city:
        assert [record.key async for record in city.query("things")] == ["k0", "k1", "k2"]
        status = await city.call("tx_status", {"id": "00" * 32})
        assert status["status"] == "unknown"


async def test_balances_and_records_that_are_not_there(connect: Any, node: LoopbackNode) -> None:
    node.city.commit_and_attest()
    async with connect(node) as city:
        assert await city.balance("coin", ACCOUNTS["utility"]) == 0
        assert (await city.record("things", "none")).value is None


async def test_genesis_by_digest(node: LoopbackNode, patient: Any) -> None:
    digest = node.chain_genesis()["digest"]
    async with Client.connect(node.url, trust=digest, settings=patient) as city:
        assert city.genesis == node.city.genesis
        assert city.chain_id == "test-city"
        assert city.head.height == 0
