"""Submitting: idempotent, typed refusals, and a hint when to try again."""

from harness.rpc_city import RpcCity
from moyai.ledger.mempool import MempoolFullError
from moyai.primitives.ids import Digest
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.transaction import parse_transaction
from moyai.rpc.texts import base64_text

DOCUMENT = RegisterDocument("budget/2026", Digest(b"\x07" * 32), 10)


async def test_the_same_bytes_may_be_sent_again_and_again(city: RpcCity) -> None:
    raw = city.sign(DOCUMENT)
    first = await city.submit(raw)
    assert first == await city.submit(raw)
    city.commit()
    assert (await city.submit(raw))["status"] == "final"
    assert city.city.tip.tx_count == 1


async def test_a_bad_signature_is_named(city: RpcCity) -> None:
    raw = bytearray(city.sign(DOCUMENT))
    raw[-1] ^= 1
    refusal = await city.refusal("tx_submit", transaction=base64_text(bytes(raw)))
    assert refusal["code"] == "bad_signature"
    assert parse_transaction(bytes(raw)).id.hex() in refusal["what"]
    assert refusal["next"]


async def test_bytes_that_are_no_transaction_are_refused(city: RpcCity) -> None:
    for data, code in ((b"x", "bad_encoding"), (b"\x92\xc4\x00\x90", "bad_encoding")):
        answer = await city.refusal("tx_submit", transaction=base64_text(data) or "AAAA")
        assert answer["code"] == code


async def test_a_transaction_too_large_for_the_format_is_refused_unparsed(city: RpcCity) -> None:
    answer = await city.refusal("tx_submit", transaction=base64_text(bytes(70_000)))
    assert answer["code"] == "invalid_params"
    assert answer["what"] == "params.transaction"
    assert city.writes.lists == []


async def test_a_full_node_says_when_to_try_the_same_bytes_again(city: RpcCity) -> None:
    city.writes.refuse_with = MempoolFullError("is full", what="transaction", next="again")
    answer = await city.raw_call("tx_submit", transaction="AAAA")
    assert answer["error"]["code"] == -32004
    assert answer["error"]["data"]["code"] == "mempool_full"
    assert answer["error"]["data"]["retry_after_ms"] == 1_000
