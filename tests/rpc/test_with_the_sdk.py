"""The shipped SDK before the shipped door: what one says the other understands, and can prove."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness.proven_city import ACCOUNTS, OFFICERS
from harness.rpc_city import RpcCity
from moyai.client import Client
from moyai.primitives.ids import Digest
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.operations_records import CreateCollection, PutRecord, Writers
from moyai.primitives.state_keys import series_key

HALL = ACCOUNTS["city-hall"]
SCHEMA = (
    b'{"additionalProperties":false,"properties":{"depth":{"type":"integer"}},'
    b'"required":[],"type":"object"}'
)


def paper(number: int) -> RegisterDocument:
    return RegisterDocument(f"paper/{number}", Digest(bytes(32)), 1)


@asynccontextmanager
async def blocks(city: RpcCity) -> AsyncIterator[None]:
    """Commit a block whenever something waits, and empty ones that attest it."""

    async def commit() -> None:
        while True:
            await asyncio.sleep(0.01)
            city.commit()

    task = asyncio.get_running_loop().create_task(commit())
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def connected(city: RpcCity) -> AsyncIterator[Client]:
    city.commit()
    async with (
        blocks(city),
        Client.connect(city.url, trust=city.city.genesis) as client,
        asyncio.timeout(20),
    ):
        yield client


async def test_a_transaction_is_submitted_and_proven(city: RpcCity) -> None:
    async with connected(city) as client:
        officer = OFFICERS["city-hall"]
        receipt = await client.submit([paper(1)], account=HALL, signer=officer)
        again = await client.receipt(receipt.transaction)
        assert again.transaction == receipt.transaction
        value = await client.state(series_key("paper/1"))
        assert value.value is not None
        absent = await client.state(series_key("nothing"))
        assert absent.value is None
        assert len((await client.history(series_key("paper/1"))).versions) == 1


async def test_many_are_submitted_in_batches(city: RpcCity) -> None:
    async with connected(city) as client:
        outcomes = await client.submit_many([city.sign(paper(number)) for number in range(60)])
        assert len({outcome.transaction for outcome in outcomes}) == 60  # type: ignore[union-attr]
        assert city.writes.lists[:2] == [50, 10]


async def test_records_are_queried_and_events_followed(city: RpcCity) -> None:
    start = (await city.call("events_list"))["cursor"]
    async with connected(city) as client:
        officer = OFFICERS["city-hall"]
        creation = CreateCollection(
            "wells", "井戸", "wells", SCHEMA, ("depth",), Writers((), (), None)
        )
        wells = [PutRecord("wells", f"w{n}", b'{"depth":%d}' % n) for n in range(3)]
        await client.submit([creation], account=HALL, signer=officer)
        await client.submit(wells, account=HALL, signer=officer)
        record = await client.record("wells", "w1")
        assert record.value == {"depth": 1}
        kinds = []
        async for event in client.events(start):
            assert event.is_proven
            kinds.append(event.kind)
            if len(kinds) == 4:
                break
        assert kinds == ["collection.created", "record.put", "record.put", "record.put"]
