"""Measures the door: microseconds of a node's time a call, with the shipped ledger and store.

Batches of 50 `tx_submit` are measured up to the pool, without signature checks, once at the desk
and once over HTTP with the client's share in it. Prints one JSON line a scenario; fails when a
submitted call costs more than `SUBMIT_US_MAX`.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / ".dev"))

import uvloop

from harness.proven_city import ACCOUNTS
from harness.raw_http import read_answer
from harness.rpc_city import RpcCity, rpc_city
from moyai.node.ingest import Submitted
from moyai.primitives.ids import Digest, TransactionId, format_account
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.state_keys import series_key
from moyai.rpc.budget import Client
from moyai.rpc.desk import Caller

SUBMIT_US_MAX = 15.0
BATCH_CALLS = 50
TRANSACTION_BYTES = 250
BLOCK_TRANSACTIONS = 500
ROUNDS = 200
READ_ROUNDS = 50
UNBOUNDED = {"cost_per_second": 10_000_000, "cost_burst": 100_000_000}
CALLER = Caller(client=Client("bench"))


class TakingWrites:
    """Takes everything at once: what lies behind the door has benchmarks of its own."""

    def __init__(self) -> None:
        self._taken = Submitted(TransactionId(bytes(32)), None)

    async def submit(self, raws: Sequence[bytes]) -> Sequence[Submitted]:
        return [self._taken] * len(raws)

    def is_pending(self, _transaction: TransactionId) -> bool:
        return True


def call(number: int, method: str, **params: Any) -> dict[str, Any]:
    """Return one call."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


async def measure(work: Callable[[], Awaitable[Any]], rounds: int, calls: int) -> float:
    """Return the microseconds of processor time a call."""
    await work()
    began = time.process_time()
    for _ in range(rounds):
        await work()
    return (time.process_time() - began) / rounds / calls * 1e6


async def submits(city: RpcCity) -> bool:
    """Measure batches of submits; return whether they are cheap enough."""
    chance = random.Random(1)
    texts = [b64encode(chance.randbytes(TRANSACTION_BYTES)).decode() for _ in range(BATCH_CALLS)]
    batch = [call(place, "tx_submit", transaction=text) for place, text in enumerate(texts)]
    body = json.dumps(batch).encode()
    usual, city.queries.writes = city.queries.writes, TakingWrites()
    desk_us = await measure(
        partial(city.server._desk.answer, body, CALLER),  # noqa: SLF001 - without HTTP
        ROUNDS,
        BATCH_CALLS,
    )
    port = city.server.port
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def exchange() -> None:
        writer.write(request)
        await read_answer(reader)

    http_us = await measure(exchange, ROUNDS, BATCH_CALLS)
    writer.close()
    city.queries.writes = usual
    tell("tx_submit, batch of 50, desk", desk_us)
    tell("tx_submit, batch of 50, HTTP and client", http_us)
    return desk_us <= SUBMIT_US_MAX


async def reads(city: RpcCity) -> None:
    """Measure single reads of a chain whose first block is large."""
    raws = [
        city.sign(RegisterDocument(f"paper/{number}", Digest(bytes(32)), 1))
        for number in range(BLOCK_TRANSACTIONS)
    ]
    city.commit(*raws)
    city.commit()
    with city.city.store.snapshot() as snapshot:
        transaction = snapshot.transaction_ids(1)[7].hex()
    hall = format_account(ACCOUNTS["city-hall"])
    scenarios: dict[str, dict[str, Any]] = {
        "chain_head": {},
        "chain_block ids": {"height": 1, "include": ["ids"]},
        "chain_block ids codes": {"height": 1, "include": ["ids", "codes"]},
        "tx_status": {"id": transaction},
        "tx_get": {"id": transaction},
        "chain_prove": {"transaction": transaction},
        "state_prove": {"key": series_key("paper/3").hex()},
        "account_get": {"account": hall},
        "account_history 100": {"account": hall, "limit": 100},
        "events_list 100": {"limit": 100},
        "events_list 1000": {"limit": 1_000},
        "node_status": {},
    }
    for name, params in scenarios.items():
        body = json.dumps(call(1, name.partition(" ")[0], **params)).encode()
        answer = partial(city.server._desk.answer, body, CALLER)  # noqa: SLF001 - without HTTP
        tell(name, await measure(answer, READ_ROUNDS, 1))


def tell(scenario: str, us_per_call: float) -> None:
    """Print one line."""
    print(json.dumps({"scenario": scenario, "us_per_call": round(us_per_call, 1)}), flush=True)


async def main() -> int:
    """Measure everything on one city."""
    with tempfile.TemporaryDirectory() as folder:
        async with rpc_city(Path(folder), **UNBOUNDED) as city:
            is_cheap = await submits(city)
            await reads(city)
    return 0 if is_cheap else 1


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
