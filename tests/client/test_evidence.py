"""Scenarios for evidence as the SDK gathers it; what it proves is judged in tests/verify."""

import json
from typing import Any

import msgpack

from harness.loopback_node import LoopbackNode
from moyai.client import opening_of_bytes
from moyai.client.evidence import FORMAT
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.operations import RegisterDocument
from moyai.primitives.state_keys import account_key, version_key
from moyai.primitives.transaction import parse_transaction
from moyai.verify.verifier import SHAPES, verify

OPENING = opening_of_bytes(b"minutes", salt=bytes(32))


async def test_both_forms_have_the_documented_parts(connect: Any, node: LoopbackNode) -> None:
    raw = node.city.sign(RegisterDocument("minutes", OPENING.digest, 7))
    node.city.commit_and_attest(raw)
    async with connect(node) as city:
        evidence = await city.transaction_evidence(parse_transaction(raw).id, opening=OPENING)
    named = json.loads(evidence.to_json())
    assert list(named) == [part.split(":")[0] for part in SHAPES["evidence"].split()]
    packed = msgpack.unpackb(evidence.to_bytes())
    assert packed[0] == named["format"] == FORMAT
    assert packed[1] == msgpack.packb(msgpack.unpackb(packed[1]))


async def test_a_key_of_genesis_needs_no_other_block(connect: Any, node: LoopbackNode) -> None:
    node.city.commit_and_attest()
    account = node.city.genesis.members[0].account
    async with connect(node) as city:
        evidence = await city.state_evidence(account_key(account))
    verdict = verify(evidence.to_bytes(), genesis=genesis_digest(node.city.genesis))
    assert verdict.since == (0, node.city.genesis.time_ms)


async def test_one_block_attests_evidence_of_long_ago(connect: Any, node: LoopbackNode) -> None:
    node.city.commit_and_attest(node.city.sign(RegisterDocument("minutes", OPENING.digest, 7)))
    for _ in range(20):
        node.city.commit()
    async with connect(node) as city:
        evidence = await city.state_evidence(version_key("minutes", 1), opening=OPENING)
    verdict = verify(evidence.to_bytes(), genesis=genesis_digest(node.city.genesis))
    assert verdict.since is not None
    assert verdict.since[0] == 1
    assert verdict.certified[0] == 22
