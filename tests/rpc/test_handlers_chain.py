"""Blocks, head, genesis and validators as a client reads them."""

import base64

from harness.rpc_city import RpcCity
from moyai.primitives.block import Header, header_digest
from moyai.primitives.codec import Codec
from moyai.primitives.genesis import Genesis, genesis_digest
from moyai.primitives.ids import Digest
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.transaction import parse_transaction

DOCUMENT = RegisterDocument("budget/2026", Digest(b"\x07" * 32), 10)


async def test_the_head_is_the_newest_committed_block(city: RpcCity) -> None:
    assert (await city.call("chain_head"))["height"] == 0
    header = city.commit()
    head = await city.call("chain_head")
    assert head["height"] == 1
    assert head["digest"] == header_digest(header).hex()
    assert head["time"].endswith(".000Z")


async def test_a_block_comes_with_as_much_of_its_body_as_is_asked_for(city: RpcCity) -> None:
    raw = city.sign(DOCUMENT)
    header = city.commit(raw)
    bare = await city.call("chain_block", height=1)
    assert bare["tx_count"] == 1
    assert "ids" not in bare
    whole = await city.call(
        "chain_block", height=1, include=["ids", "codes", "transactions", "receipts"]
    )
    assert whole["ids"] == [parse_transaction(raw).id.hex()]
    assert whole["codes"] == [0]
    assert base64.b64decode(whole["transactions"][0]) == raw
    assert len(whole["receipts"]) == 1
    sent = Codec(Header, name="header").decode(base64.b64decode(whole["header"]))
    assert sent == header


async def test_a_block_is_found_by_its_digest(city: RpcCity) -> None:
    digest = header_digest(city.commit()).hex()
    city.commit()
    assert (await city.call("chain_block", digest=digest))["height"] == 1
    assert (await city.call("chain_block"))["height"] == 2


async def test_the_block_of_genesis_is_empty(city: RpcCity) -> None:
    block = await city.call("chain_block", height=0, include=["ids", "codes"])
    assert block["ids"] == []
    assert block["codes"] == []


async def test_a_block_that_is_not_there_says_up_to_where_there_are_some(city: RpcCity) -> None:
    refusal = await city.refusal("chain_block", height=9)
    assert refusal["code"] == "not_found"
    assert refusal["what"] == "block 9"
    assert "up to height 0" in refusal["reason"]
    assert (await city.refusal("chain_block", digest="00" * 32))["code"] == "not_found"
    both = await city.refusal("chain_block", digest="00" * 32, height=1)
    assert both["code"] == "invalid_params"


async def test_genesis_comes_as_the_bytes_that_its_digest_names(city: RpcCity) -> None:
    answer = await city.call("chain_genesis")
    genesis = Codec(Genesis, name="genesis").decode(base64.b64decode(answer["document"]))
    assert answer["digest"] == genesis_digest(genesis).hex()
    assert answer["chain_id"] == "test-city"


async def test_validators_come_in_index_order(city: RpcCity) -> None:
    answer = await city.call("validators_get", epoch=0)
    assert answer["keys"] == [key.hex() for key in city.city.genesis.validators().keys]
    assert answer["quorum"] == 3
    assert answer["epoch_end"] is None
    assert (await city.refusal("validators_get", epoch=1))["code"] == "not_found"
