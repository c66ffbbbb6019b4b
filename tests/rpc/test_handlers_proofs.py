"""Proofs from the door, checked as an outsider does: with the validators of genesis alone."""

import base64
from typing import Any

import pytest

from harness.proven_city import ACCOUNTS
from harness.rpc_city import RpcCity
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate, verify_certificate
from moyai.primitives.codec import Codec, encode
from moyai.primitives.ids import Digest
from moyai.primitives.merkle import verify_inclusion
from moyai.primitives.operations_documents import RegisterDocument, ReplaceDocument
from moyai.primitives.receipt import Receipt, block_receipts_root
from moyai.primitives.state_keys import account_key, series_key
from moyai.primitives.state_proof import (
    HistoryProof,
    StateProof,
    verify_absence,
    verify_history,
    verify_value,
)
from moyai.primitives.transaction import parse_transaction

SERIES = "budget/2026"
FIRST = RegisterDocument(SERIES, Digest(b"\x07" * 32), 10)
SECOND = ReplaceDocument(SERIES, Digest(b"\x08" * 32), 11, 1)


def decoded(kind: type, text: str) -> Any:
    return Codec(kind, name=kind.__name__).decode(base64.b64decode(text))


def path(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in texts]


def checked(city: RpcCity, certified: dict[str, Any]) -> Header:
    """Return a header after checking its certificate."""
    header: Header = decoded(Header, certified["header"])
    certificate: Certificate = decoded(Certificate, certified["certificate"])
    assert certificate.digest == header_digest(header)
    assert certified["height"] == header.height
    genesis = city.city.genesis
    verify_certificate(certificate, genesis.chain_id, genesis.validators())
    return header


async def test_a_transaction_and_its_receipt_are_proven(city: RpcCity) -> None:
    others = [city.sign(RegisterDocument(f"other/{n}", Digest(bytes(32)), 1)) for n in range(4)]
    raw = city.sign(FIRST)
    city.commit(*others[:2], raw, *others[2:])
    city.commit()
    city.commit()
    transaction = parse_transaction(raw)
    proof = await city.call("chain_prove", transaction=transaction.id.hex(), known_height=0)
    certified = checked(city, proof["certified"])
    header: Header = decoded(Header, proof["header"])
    assert base64.b64decode(proof["transaction"]) == raw
    index = proof["index"]
    verify_inclusion(transaction.id, index, header.tx_count, path(proof["path"]), header.tx_root)
    verify_inclusion(
        header_digest(header),
        header.height,
        certified.height,
        path(proof["log_path"]),
        certified.log_root,
    )
    receipt: Receipt = decoded(Receipt, proof["receipt"])
    assert (receipt.transaction, receipt.code) == (transaction.id, 0)
    with city.city.store.snapshot() as snapshot:
        root = block_receipts_root(snapshot.receipts(header.height))
    verify_inclusion(encode(receipt), index, header.tx_count, path(proof["receipt_path"]), root)
    verify_inclusion(
        root,
        header.height - 1,
        certified.executed.height,
        path(proof["receipts_log_path"]),
        certified.executed.receipts_root,
    )
    known = city.city.headers[0]
    verify_inclusion(
        header_digest(known), 0, certified.height, path(proof["known_path"]), certified.log_root
    )


async def test_a_block_is_proven_under_a_header_of_choice(city: RpcCity) -> None:
    for _ in range(5):
        city.commit()
    proof = await city.call("chain_prove", height=2, in_height=4)
    certified = checked(city, proof["certified"])
    assert certified.height == 4
    header: Header = decoded(Header, proof["header"])
    verify_inclusion(header_digest(header), 2, 4, path(proof["log_path"]), certified.log_root)
    own = await city.call("chain_prove", height=5)
    assert own["log_path"] is None
    assert checked(city, own["certified"]).height == 5
    assert (await city.refusal("chain_prove", height=4, in_height=3))["code"] == "not_yet_provable"
    assert (await city.refusal("chain_prove", height=9))["code"] == "not_found"


async def test_certified_headers_are_found_by_height(city: RpcCity) -> None:
    assert (await city.refusal("chain_certificate"))["code"] == "not_yet_provable"
    for _ in range(3):
        city.commit()
    assert (await city.call("chain_certificate"))["certified"]["height"] == 3
    answer = await city.call("chain_certificate", height=2, known_height=1)
    assert answer["certified"]["height"] == 2
    assert len(answer["known_path"]) == 1
    assert (await city.call("chain_certificate", known_height=3))["known_path"] is None
    assert (await city.refusal("chain_certificate", height=4))["code"] == "not_found"


async def test_presence_and_absence_are_proven(city: RpcCity) -> None:
    city.commit(city.sign(FIRST))
    city.commit()
    key = series_key(SERIES)
    present = await city.call("state_prove", key=key.hex())
    root = checked(city, present["certified"]).executed.state_root
    proof: StateProof = decoded(StateProof, present["proof"])
    verify_value(root, key, base64.b64decode(present["value"]), proof)
    missing = series_key("nothing")
    absent = await city.call("state_prove", key=missing.hex())
    assert "value" not in absent
    verify_absence(root, missing, decoded(StateProof, absent["proof"]))


async def test_a_proof_is_of_the_attested_state_and_not_of_a_newer_one(city: RpcCity) -> None:
    city.commit(city.sign(FIRST))
    city.commit(city.sign(SECOND))
    key = series_key(SERIES)
    answer = await city.call("state_prove", key=key.hex())
    certified = checked(city, answer["certified"])
    assert answer["height"] == certified.executed.height == 1
    value = base64.b64decode(answer["value"])
    verify_value(certified.executed.state_root, key, value, decoded(StateProof, answer["proof"]))
    newest = await city.call("state_get", key=key.hex())
    assert base64.b64decode(newest["value"]) != value


async def test_the_whole_history_of_a_key_is_proven(city: RpcCity) -> None:
    city.commit(city.sign(FIRST))
    city.commit(city.sign(SECOND))
    city.commit()
    key = series_key(SERIES)
    answer = await city.call("state_prove", key=key.hex(), history=True)
    root = checked(city, answer["certified"]).executed.state_root
    history: HistoryProof = decoded(HistoryProof, answer["history"])
    leaves = verify_history(root, key, history)
    assert [leaf.height for leaf in leaves] == [1, 2]
    assert len(answer["values"]) == 2
    later = await city.call("state_prove", key=key.hex(), history=True, first_version=2)
    assert len(later["values"]) == 1
    assert later["values"][0] == answer["values"][1]


@pytest.mark.parametrize("first_version", [3, 2**53 - 1])
async def test_a_history_that_is_not_there_is_told_so(city: RpcCity, first_version: int) -> None:
    city.commit(city.sign(FIRST))
    city.commit()
    refusal = await city.refusal(
        "state_prove", key=series_key(SERIES).hex(), history=True, first_version=first_version
    )
    assert refusal["code"] == "not_held"
    nothing = await city.refusal("state_prove", key="ff", history=True)
    assert nothing["code"] == "not_held"


async def test_what_is_asked_of_a_proof_must_be_one_thing(city: RpcCity) -> None:
    assert (await city.refusal("chain_prove"))["code"] == "invalid_params"
    both = await city.refusal("chain_prove", height=1, transaction="00" * 32)
    assert both["code"] == "invalid_params"
    assert (await city.refusal("state_prove", key=""))["what"] == "params.key"
    assert (await city.refusal("state_prove", key="ABCD"))["what"] == "params.key"


async def test_the_state_of_genesis_is_there_from_the_first_certified_header(city: RpcCity) -> None:
    city.commit()
    key = account_key(ACCOUNTS["hospital"])
    answer = await city.call("state_prove", key=key.hex())
    assert answer["height"] == 0
    root = city.city.genesis.state_root
    verify_value(root, key, base64.b64decode(answer["value"]), decoded(StateProof, answer["proof"]))
