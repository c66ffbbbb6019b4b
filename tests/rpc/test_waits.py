"""Waiting for finality and for proofs: woken by blocks, bounded in time."""

import asyncio

from harness.rpc_city import RpcCity, turns_until
from moyai.primitives.ids import Digest
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.transaction import parse_transaction

DOCUMENT = RegisterDocument("budget/2026", Digest(b"\x07" * 32), 10)


async def test_who_waits_is_woken_by_the_block(city: RpcCity) -> None:
    raw = city.sign(DOCUMENT)
    name = (await city.submit(raw))["id"]
    async with asyncio.TaskGroup() as group:
        waits = [
            group.create_task(city.call("tx_wait", id=name, timeout_ms=9_000)) for _ in range(3)
        ]
        await turns_until(lambda: len(city.server._waiting.waiters) == 3)
        city.commit()
    assert [wait.result()["status"] for wait in waits] == ["final"] * 3
    assert len(city.server._waiting.waiters) == 0


async def test_who_waits_for_an_unknown_one_is_woken_when_another_node_brought_it(
    city: RpcCity,
) -> None:
    raw = city.sign(DOCUMENT)
    name = parse_transaction(raw).id.hex()
    async with asyncio.TaskGroup() as group:
        wait = group.create_task(city.call("tx_wait", id=name, timeout_ms=9_000))
        await turns_until(lambda: len(city.server._waiting.waiters) == 1)
        city.commit()
        assert not wait.done()
        city.commit(raw)
    assert wait.result()["height"] == 2


async def test_who_waits_is_woken_when_its_time_ran_out(city: RpcCity) -> None:
    raw = city.sign(DOCUMENT)
    name = parse_transaction(raw).id
    async with asyncio.TaskGroup() as group:
        wait = group.create_task(city.call("tx_wait", id=name.hex(), timeout_ms=9_000))
        await turns_until(lambda: len(city.server._waiting.waiters) == 1)
        city.server.expired([name])
    assert wait.result()["status"] == "expired"


async def test_a_wait_ends_with_how_things_stand(city: RpcCity) -> None:
    name = (await city.submit(city.sign(DOCUMENT)))["id"]
    assert (await city.call("tx_wait", id=name, timeout_ms=20))["status"] == "pending"
    assert (await city.call("tx_wait", id="00" * 32, timeout_ms=0))["status"] == "unknown"
    city.commit()
    assert (await city.call("tx_wait", id=name, timeout_ms=9_000))["status"] == "final"


async def test_a_client_that_goes_away_leaves_no_waiter(city: RpcCity) -> None:
    task = asyncio.get_running_loop().create_task(
        city.call("tx_wait", id="00" * 32, timeout_ms=9_000)
    )
    await turns_until(lambda: len(city.server._waiting.waiters) == 1)
    task.cancel()
    await asyncio.wait([task])
    await turns_until(lambda: not len(city.server._waiting.waiters))


async def test_a_proof_is_waited_for_until_a_certified_header_attests_it(city: RpcCity) -> None:
    raw = city.sign(DOCUMENT)
    name = (await city.submit(raw))["id"]
    city.commit()
    refusal = await city.refusal("chain_prove", transaction=name)
    assert refusal["code"] == "not_yet_provable"
    assert refusal["retry_after_ms"] > 0
    async with asyncio.TaskGroup() as group:
        proof = group.create_task(city.call("chain_prove", transaction=name, wait_ms=5_000))
        await asyncio.sleep(0.02)
        assert not proof.done()
        city.commit()
    assert proof.result()["index"] == 0


async def test_a_proof_that_does_not_come_in_time_is_told_so(city: RpcCity) -> None:
    city.commit()
    refusal = await city.refusal("chain_prove", transaction="00" * 32, wait_ms=20)
    assert refusal["code"] == "not_found"
