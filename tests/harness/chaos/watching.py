"""Reads every block and random keys at every node, all the time, and gives it all to the history.

Not here: what may be answered (`history`).
"""

import asyncio
import random
import time

from harness.chaos.calls import Calls, NoAnswer
from harness.chaos.city import ChaosCity, ChaosNode, Told
from harness.chaos.history import Block, History, Read
from harness.chaos.load import RECORDS
from harness.chaos.people import COIN, LOTS, Person
from moyai.primitives.ids import format_account

NEXT_BLOCK_SECONDS = 0.05
READ_SECONDS = 0.05


class Watching:
    """The readers of one run."""

    def __init__(
        self, city: ChaosCity, calls: Calls, people: list[Person], history: History
    ) -> None:
        self._city = city
        self._calls = calls
        self.people = people
        self.records = [f"lot-{number}" for number in range(RECORDS)]
        self._history = history
        self._chance = random.Random(city.chance.getrandbits(64))

    async def run(self, stopped: asyncio.Event) -> None:
        """Read until `stopped`."""
        first = self._history.height + 1
        async with asyncio.TaskGroup() as readers:
            for node in self._city.nodes:
                readers.create_task(self._follow(node, first, stopped))
                readers.create_task(self._read(node, stopped))

    async def _follow(self, node: ChaosNode, height: int, stopped: asyncio.Event) -> None:
        """Read the blocks of one node in their order."""
        while not stopped.is_set():
            asked = node.told
            try:
                answer = await self._calls.call(
                    node, "chain_block", height=height, include=["ids", "codes"]
                )
            except NoAnswer as error:
                await asyncio.sleep(NEXT_BLOCK_SECONDS)
                if error.code == "pruned":
                    height = max(height, await self.base(node))
                continue
            self._heard(node, asked, answer["head"])
            block = Block(
                answer["height"],
                answer["digest"],
                answer["proposer"],
                answer.get("ids") or [],
                answer.get("codes") or [],
            )
            self._history.take_block(node.node.slug, block, time.monotonic())
            height += 1

    async def _read(self, node: ChaosNode, stopped: asyncio.Event) -> None:
        """Ask one node for random balances and records."""
        while not stopped.is_set():
            await asyncio.sleep(READ_SECONDS)
            asked = node.told
            try:
                if self._chance.random() < 0.5:
                    read = await self.balance(node, self._chance.choice(self.people))
                else:
                    read = await self.record(node, self._chance.choice(self.records))
            except NoAnswer:
                continue
            self._heard(node, asked, read.height)
            self._history.take_read(read)

    async def base(self, node: ChaosNode) -> int:
        """Ask for the lowest block of a node: one that took over a state has none below; else 0."""
        try:
            return int((await self._calls.call(node, "node_status"))["base"])
        except NoAnswer:
            return 0

    async def balance(self, node: ChaosNode, person: Person) -> Read:
        """Ask for the coins of a person. Raises `NoAnswer`."""
        who = format_account(person.account)
        answer = await self._calls.call(node, "token_balance", token=COIN, account=who)
        return Read(node.node.slug, who, answer["height"], (int(answer["balance"]),))

    async def record(self, node: ChaosNode, key: str) -> Read:
        """Ask for a record. Raises `NoAnswer`."""
        answer = await self._calls.call(node, "records_get", collection=LOTS, key=key)
        record = answer["record"]
        stands = (0, 0) if record is None else (record["version"], record["value"]["n"])
        return Read(node.node.slug, key, answer["height"], stands)

    def _heard(self, node: ChaosNode, asked: Told, height: int) -> None:
        """Hold a node to what it had told before the question was asked, of the same data."""
        if node.told.life != asked.life:
            return
        if height < asked.height:
            self._history.wrong(f"{node.node.slug} goes back from {asked.height} to {height}")
        node.told = Told(asked.life, max(node.told.height, height))
