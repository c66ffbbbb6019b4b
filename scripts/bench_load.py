"""The load generator: a process of its own that submits pre-signed transfers and watches blocks.

Everything that can be done before the clock starts is done before: transactions are signed, HTTP
requests encoded. Latency counts from the moment a request was due, also when the node was late to
take it, until the block that holds the transaction is seen final here. One JSON object on standard
output: what was offered, what became final, and how long it took.
"""

import argparse
import asyncio
import json
import math
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import bench_city as city
import msgspec

from moyai.primitives.ids import AccountId
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations_tokens import TransferToken

BATCH_SECONDS = 0.02
CONNECTIONS_A_NODE = 4
VALID_AFTER_DUE_MS = 60_000
DRAIN_SECONDS_MAX = 20.0
SEED = 20260401


class Request(NamedTuple):
    """One HTTP request, ready to send: when it is due after the start, to which node, with what."""

    due_seconds: float
    node: int
    ids: tuple[str, ...]
    payload: bytes
    transaction_bytes: int


class BlockSeen(msgspec.Struct, frozen=True):
    """What the watcher reads of a block."""

    height: int
    head: int
    ids: list[str] | None = None
    codes: list[int] | None = None


class BlockAnswer(msgspec.Struct, frozen=True):
    """The answer to `chain_block`."""

    result: BlockSeen


class Load:
    """One run: sends what is due and notes when each transaction was seen final."""

    def __init__(self, urls: list[str], requests: deque[Request]) -> None:
        self._urls = urls
        self._requests = [deque[Request]() for _ in urls]
        for request in requests:
            self._requests[request.node].append(request)
        self.offered = sum(len(request.ids) for request in requests)
        self.due: dict[str, float] = {}
        self.latencies_ms: list[float] = []
        self.refused = 0
        self.errors: dict[str, int] = {}
        self.blocks = 0
        self.last_final = 0.0

    async def run(self, first_height: int) -> None:
        """Send everything, then wait for what is still on its way."""
        self.began = time.perf_counter()
        for queue in self._requests:
            for request in queue:
                self.due.update(dict.fromkeys(request.ids, self.began + request.due_seconds))
        sent = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(first_height, sent))
            async with asyncio.TaskGroup() as senders:
                for url, queue in zip(self._urls, self._requests, strict=True):
                    for _ in range(CONNECTIONS_A_NODE):
                        senders.create_task(self._send(url, queue))
            self.ended = time.perf_counter()
            sent.set()

    async def _send(self, url: str, queue: deque[Request]) -> None:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while queue:
            request = queue.popleft()
            delay = self.began + request.due_seconds - time.perf_counter()
            if delay > 0:
                await asyncio.sleep(delay)
            writer.write(request.payload)
            self._count_refusals(request, await _read_answer(reader))
        writer.close()

    def _count_refusals(self, request: Request, body: bytes) -> None:
        if b'"error"' not in body:
            return
        answers = json.loads(body)
        for answer in answers if isinstance(answers, list) else [answers] * len(request.ids):
            if "error" in answer:
                code = answer["error"].get("data", {}).get("code", "unknown")
                self.errors[code] = self.errors.get(code, 0) + 1
                self.refused += 1

    async def _watch(self, height: int, sent: asyncio.Event) -> None:
        """Read each block once, as soon as the first node calls it final."""
        decoder = msgspec.json.Decoder(BlockAnswer)
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{self._urls[0]}/ws") as socket,
        ):
            await socket.send_json(_call("subscribe", topic="blocks"))
            while not self._is_done(sent):
                try:
                    async with asyncio.timeout(0.5):
                        await socket.receive()
                except TimeoutError:
                    continue
                head = height
                while height <= head:
                    call = _call("chain_block", height=height, include=["ids", "codes"])
                    async with session.post(self._urls[0], json=call) as answer:
                        data = await answer.read()
                    if b'"error"' in data:
                        break
                    block = decoder.decode(data).result
                    self._note(block)
                    head = block.head
                    height += 1

    def _note(self, block: BlockSeen) -> None:
        seen = time.perf_counter()
        mine = [place for place, one in enumerate(block.ids or ()) if one in self.due]
        for place in mine:
            due = self.due.pop((block.ids or [])[place])
            if (block.codes or [])[place] == 0:
                self.latencies_ms.append((seen - due) * 1000)
                self.last_final = seen
        self.blocks += bool(mine)

    def _is_done(self, sent: asyncio.Event) -> bool:
        if not sent.is_set():
            return False
        return len(self.due) <= self.refused or time.perf_counter() > self.ended + DRAIN_SECONDS_MAX

    def summary(self, seconds: float) -> dict[str, object]:
        """Return what was measured."""
        ordered = sorted(self.latencies_ms)
        elapsed = max(seconds, self.last_final - self.began)
        return {
            "offered": self.offered,
            "final": len(ordered),
            "refused": self.refused,
            "errors": self.errors,
            "final_tps": len(ordered) / elapsed,
            "elapsed_s": elapsed,
            "blocks_per_s": self.blocks / elapsed,
            "p50_ms": percentile(ordered, 0.50),
            "p95_ms": percentile(ordered, 0.95),
            "p99_ms": percentile(ordered, 0.99),
            "max_ms": ordered[-1] if ordered else None,
        }


async def _read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    return await reader.readexactly(length)


def _call(method: str, **params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def percentile(ordered: list[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of all values do not exceed."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def transfers(
    chain_id: str, parties: list[city.Party], plan: argparse.Namespace, urls: list[str]
) -> Iterator[Request]:
    """Sign the whole load and yield it as HTTP requests in the order they are due."""
    chance = random.Random(SEED)
    total = int(plan.rate * plan.seconds)
    batch = max(1, min(city.BATCH_MAX, round(plan.rate * BATCH_SECONDS)))
    for number, first in enumerate(range(0, total, batch)):
        due = first / plan.rate
        until = city.now_ms() + int(due * 1000) + VALID_AFTER_DUE_MS
        signed = []
        for _ in range(min(batch, total - first)):
            giver, taker = chance.sample(parties, 2)
            operation = TransferToken(city.COIN, taker.account, 1)
            signed.append(city.sign(chain_id, giver, [operation], until))
        node = number % len(urls)
        body = city.request_body([raw for _, raw in signed])
        head = (
            f"POST / HTTP/1.1\r\nHost: {urlsplit(urls[node]).netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        ids = tuple(transaction_id.hex() for transaction_id, _ in signed)
        transaction_bytes = sum(len(raw) for _, raw in signed)
        yield Request(due, node, ids, head.encode() + body, transaction_bytes)


def main() -> int:
    parser = argparse.ArgumentParser(description="Submit pre-signed transfers, see them final")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--chain-id", required=True)
    parser.add_argument("--sponsor-account", required=True, help="hexadecimal")
    parser.add_argument("--url", action="append", required=True)
    plan = parser.parse_args()
    sponsor_key = SigningKey(bytes.fromhex(sys.stdin.readline().strip()))
    sponsor = city.Party(AccountId(bytes.fromhex(plan.sponsor_account)), sponsor_key)
    parties = city.open_accounts(plan.url[0], plan.chain_id, sponsor, plan.accounts)
    requests = deque(transfers(plan.chain_id, parties, plan, plan.url))
    first_height = city.call(plan.url[0], "chain_head")["height"] + 1
    count = sum(len(request.ids) for request in requests)
    sizes = {
        "tx_bytes": sum(request.transaction_bytes for request in requests) / count,
        "request_bytes_per_tx": sum(len(request.payload) for request in requests) / count,
    }
    print(json.dumps(sizes), flush=True)
    sys.stdin.readline()
    load = Load(plan.url, requests)
    asyncio.run(load.run(first_height))
    print(json.dumps(load.summary(plan.seconds)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
