"""The load: at a steady rate, people pay each other and write records, at whatever node answers.

A request that a node does not answer is sent again, the same bytes, to another one: it must have
one effect. Not here: how what came of it is seen (`watching`).
"""

import asyncio
import json
import random
import time
from typing import Any

from harness.chaos.calls import Calls, NoAnswer
from harness.chaos.city import ChaosCity, ChaosNode
from harness.chaos.history import History, Sent, Transfer, Write
from harness.chaos.people import COIN, LOTS, VALID_SECONDS, Person
from moyai.primitives.ids import format_account
from moyai.primitives.operations_records import ExpectRecord, PutRecord
from moyai.primitives.operations_tokens import TransferToken

TICK_SECONDS = 0.05
BATCH_MAX = 50
REQUESTS_MAX = 96
TRIES = 3
RECORDS = 24
WRITES_SHARE = 0.3
AMOUNT_MAX = 40
CAPACITY_SECONDS = 5.0
CAPACITY_REQUESTS = 6
CAPACITY_BATCH = 25
CAPACITY_WAITING = 1_000


class Load:
    """Who acts, how often, and what was said of each transaction when it was handed in."""

    def __init__(
        self, city: ChaosCity, calls: Calls, people: list[Person], history: History
    ) -> None:
        self.rate = 0.0
        self.offered = 0
        self.shed = 0
        """What was due while too many requests were without an answer."""
        self._city = city
        self._calls = calls
        self._people = people
        self._history = history
        self._chance = random.Random(city.chance.getrandbits(64))
        self._requests = 0

    async def measure_capacity(self) -> float:
        """Send as fast as answers come for a while; return final transactions a second."""
        ended = time.monotonic() + CAPACITY_SECONDS

        async def pour() -> None:
            while time.monotonic() < ended:
                if len(self._history.sent) - len(self._history.finals()) > CAPACITY_WAITING:
                    await asyncio.sleep(TICK_SECONDS)
                else:
                    await self._send(CAPACITY_BATCH)

        began, before = time.monotonic(), len(self._history.finals())
        async with asyncio.TaskGroup() as pouring:
            for _ in range(CAPACITY_REQUESTS):
                pouring.create_task(pour())
        return (len(self._history.finals()) - before) / (time.monotonic() - began)

    async def run(self, stopped: asyncio.Event) -> None:
        """Send what is due until `stopped`."""
        last, due = time.monotonic(), 0.0
        async with asyncio.TaskGroup() as sending:
            while not stopped.is_set():
                await asyncio.sleep(TICK_SECONDS)
                now = time.monotonic()
                due, last = due + self.rate * (now - last), now
                count = min(BATCH_MAX, int(due))
                due = min(due - count, BATCH_MAX)
                if not count:
                    continue
                if self._requests >= REQUESTS_MAX:
                    self.shed += count
                    continue
                self.offered += count
                sending.create_task(self._send(count))

    async def _send(self, count: int) -> None:
        named = [self._draw() for _ in range(count)]
        nodes = self._city.pick(min(TRIES, len(self._city.nodes)))
        self._requests += 1
        try:
            for node in nodes:
                if await self._hand_in(node, named):
                    return
        finally:
            self._requests -= 1

    async def _hand_in(self, node: ChaosNode, named: list[tuple[str, str]]) -> bool:
        """Return whether the node answered, whatever it said."""
        try:
            answers: list[Any] = await self._calls.batch(
                node, "tx_submit", [{"transaction": raw} for _, raw in named]
            )
        except NoAnswer:
            return False
        for (one, _), answer in zip(named, answers, strict=True):
            taken = not isinstance(answer, NoAnswer) and answer["status"] in ("pending", "final")
            self._history.sent[one].accepted |= taken
        return True

    def _draw(self) -> tuple[str, str]:
        """Sign a random transaction and note it; return id and bytes."""
        chance, wall = self._chance, time.time_ns() / 1e9
        person, other = chance.sample(self._people, 2)
        if chance.random() < WRITES_SHARE:
            key, value = f"lot-{chance.randrange(RECORDS)}", chance.randrange(10**9)
            operation: Transfer | Write = Write(key, self._history.version(key), value)
            value_json = json.dumps({"n": value}, separators=(",", ":")).encode()
            operations: tuple[ExpectRecord | PutRecord | TransferToken, ...] = (
                ExpectRecord(LOTS, key, operation.expected),
                PutRecord(LOTS, key, value_json),
            )
        else:
            amount = chance.randint(1, AMOUNT_MAX)
            operation = Transfer(
                format_account(person.account), format_account(other.account), amount
            )
            operations = (TransferToken(COIN, other.account, amount),)
        one, raw = person.sign(operations, wall + VALID_SECONDS)
        self._history.sent[one.hex()] = Sent(operation, time.monotonic(), wall + VALID_SECONDS)
        return one.hex(), raw
