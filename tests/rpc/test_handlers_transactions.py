"""How a transaction stands from unknown to final, and what is told of a final one."""

import base64

from harness.proven_city import ACCOUNTS
from harness.rpc_city import RpcCity
from moyai.primitives.ids import Digest, format_account
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.operations_tokens import BurnToken
from moyai.primitives.transaction import parse_transaction

DOCUMENT = RegisterDocument("budget/2026", Digest(b"\x07" * 32), 10)


async def test_a_transaction_goes_from_unknown_over_pending_to_final(city: RpcCity) -> None:
    raw = city.sign(DOCUMENT)
    name = parse_transaction(raw).id.hex()
    assert (await city.call("tx_status", id=name)) == {"id": name, "status": "unknown"}
    assert (await city.submit(raw)) == {"id": name, "status": "pending"}
    assert (await city.call("tx_status", id=name))["status"] == "pending"
    city.commit()
    final = await city.call("tx_status", id=name)
    assert (final["status"], final["height"], final["index"], final["code"]) == ("final", 1, 0, 0)
    assert final["code_name"] == "ok"
    assert (await city.submit(raw)) == {"id": name, "status": "final"}


async def test_a_refused_transaction_says_which_rule_and_about_what(city: RpcCity) -> None:
    raw = city.sign(BurnToken("coin", 5))
    name = (await city.submit(raw))["id"]
    city.commit()
    refused = await city.call("tx_status", id=name)
    assert refused["status"] == "refused"
    assert refused["code"] == 300
    assert refused["code_name"] == "token_unknown"
    assert refused["reason"]
    assert refused["next"]
    assert refused["subject"] == "coin"
    assert (await city.submit(raw))["status"] == "refused"


async def test_an_expired_transaction_is_told_so(city: RpcCity) -> None:
    raw = city.sign(DOCUMENT)
    transaction = parse_transaction(raw).id
    city.server.expired([transaction])
    assert (await city.call("tx_status", id=transaction.hex()))["status"] == "expired"


async def test_a_final_transaction_is_shown_with_names(city: RpcCity) -> None:
    raw = city.sign(DOCUMENT)
    name = (await city.submit(raw))["id"]
    city.commit()
    shown = await city.call("tx_get", id=name)
    assert base64.b64decode(shown["transaction"]) == raw
    assert shown["account"] == format_account(ACCOUNTS["city-hall"])
    assert shown["operations"] == [
        {
            "type": "register_document",
            "series": "budget/2026",
            "digest": "07" * 32,
            "size_bytes": 10,
        }
    ]
    receipt = shown["receipt"]
    assert (receipt["code"], receipt["code_name"]) == (0, "ok")
    event = receipt["events"][0]
    assert event["kind"] == "document.registered"
    assert event["accounts"] == [shown["account"]]
    assert event["fields"]["digest"] == "07" * 32


async def test_a_refused_one_shows_the_operation_that_was_refused(city: RpcCity) -> None:
    raw = city.sign(DOCUMENT, BurnToken("coin", 5))
    city.commit(raw)
    receipt = (await city.call("tx_get", id=parse_transaction(raw).id.hex()))["receipt"]
    assert receipt["operation"] == 1
    assert receipt["events"] == []


async def test_a_transaction_that_is_not_final_is_not_found(city: RpcCity) -> None:
    refusal = await city.refusal("tx_get", id="00" * 32)
    assert refusal["code"] == "not_found"
    assert "tx_wait" in refusal["next"]
    assert (await city.refusal("tx_get", id="00" * 31))["what"] == "params.id"
