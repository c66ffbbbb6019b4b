"""Customers of a simulated city: they submit, read, follow events, and note what they were told.

Each is a process of its own and speaks to the nodes' doors over the network. What was promised to
them is judged when the history is over (`judge`).
"""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any

import msgspec

from harness.core_city import START_MS, document
from harness.simulator.level import Violation
from harness.whole_city.hosted_node import RPC_PORT, HostedNode
from harness.whole_city.machine_loop import MachineLoop, Nature
from harness.whole_city.rpc_client import Line, NoAnswer, Refused, Socket
from harness.whole_city.world import World
from moyai.primitives.transaction import parse_transaction

VALID_MS = (1_000, 4_000, 20_000)
WAIT_MS = 3_000
READ_GAP_S = 0.3
ENDED = frozenset({"final", "refused", "expired"})
DURING_CATCH_UP_MARK = "a read was answered during catch-up"
RESUMED_MARK = "a subscription was resumed"
SENT_AGAIN_MARK = "the same bytes were sent to another node"


class Promise(msgspec.Struct):
    """What a customer was told of one transaction."""

    submitted_ms: float
    ended: str = ""
    place: tuple[int, int] | None = None
    ended_ms: float = 0.0


class Told(msgspec.Struct):
    """All that customers were told, by transaction, by height, and by subscription in its order."""

    promises: dict[str, Promise] = {}
    blocks: dict[int, str] = {}
    events: list[list[str]] = []


class Customer:
    """One process beside the nodes."""

    def __init__(self, number: int, nodes: Sequence[HostedNode], world: World, told: Told) -> None:
        self.address = f"10.1.0.{number}"
        self.name = f"customer-{number}"
        self.is_stopping = False
        self._number = number
        self._nodes = nodes
        self._world = world
        self._told = told
        self._random = world.random(self.name)
        self._lines = [Line(node.address, RPC_PORT) for node in nodes]
        self._heights: dict[tuple[int, int], int] = {}
        self._sent = 0
        world.watcher.names[self.address] = self.name
        self.loop = MachineLoop(world.time, world.network, self.address, Nature(), self._random)

    def begin(self, gap_ms: int) -> None:
        """Begin to be a customer."""
        self.loop.start(self._live(gap_ms))

    def end(self) -> None:
        """Be gone, and raise what went wrong meanwhile."""
        main = self.loop.main
        assert main is not None
        if main.done() and main.exception() is not None:
            raise main.exception() or AssertionError
        self.bury()

    def bury(self) -> None:
        """Be gone, whatever went wrong."""
        self.loop.is_dead = True
        self._world.network.cut_off(self.loop, silently=False)
        self.loop.bury()

    async def _live(self, gap_ms: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write(gap_ms), name="writer")
            tasks.create_task(self._read(), name="reader")
            tasks.create_task(self._follow(), name="follower")

    # -- transactions

    async def _write(self, gap_ms: int) -> None:
        while not self.is_stopping:
            await asyncio.sleep(self._random.expovariate(1_000 / gap_ms))
            self._sent += 1
            now_ms = int(self._world.time.now_ms)
            number = self._number * 1_000_000 + self._sent
            valid_ms = self._random.choice(VALID_MS)
            raw = document(number, valid_until_ms=START_MS + now_ms + valid_ms)
            await self._see_through(raw, Promise(now_ms))

    async def _see_through(self, raw: bytes, promise: Promise) -> None:
        """Bring one transaction to its end, at whichever node answers."""
        identity = parse_transaction(raw).id.hex()
        self._told.promises[identity] = promise
        place = self._random.randrange(len(self._nodes))
        while not promise.ended:
            line = self._lines[place]
            try:
                await line.call("tx_submit", transaction=base64.b64encode(raw).decode())
                answer = await line.call("tx_wait", id=identity, timeout_ms=WAIT_MS)
            except (NoAnswer, Refused) as error:
                if isinstance(error, Refused) and error.code == "expired":
                    promise.ended, promise.ended_ms = "late", self._world.time.now_ms
                    return
                place = (place + 1) % len(self._nodes)
                self._world.watcher.mark(SENT_AGAIN_MARK)
                await asyncio.sleep(self._random.uniform(0.05, 0.3))
                continue
            if answer["status"] in ENDED:
                self._promised(identity, promise, answer, self._nodes[place].name)

    def _promised(self, identity: str, promise: Promise, answer: dict[str, Any], node: str) -> None:
        promise.ended, promise.ended_ms = answer["status"], self._world.time.now_ms
        if promise.ended != "expired":
            promise.place = (answer["height"], answer["index"])
        told = f"is told by {node}: {identity[:8]} {promise.ended} {promise.place}"
        self._world.watcher.note(self.name, told)

    # -- reads

    async def _read(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(0, 2 * READ_GAP_S))
            place = self._whom_to_read()
            node, era = self._nodes[place], self._nodes[place].era
            try:
                head = await self._lines_of_reader(place).call("chain_head")
            except (NoAnswer, Refused):
                continue
            if node.era == era:
                self._saw_head(node, head)

    def _whom_to_read(self) -> int:
        """Return a node: often the one that started last, which has most to catch up."""
        if self._random.random() < 0.5:
            return max(self._nodes, key=lambda node: node.started_us).place
        return self._random.randrange(len(self._nodes))

    def _lines_of_reader(self, place: int) -> Line:
        """Return a line of the reader's own: calls on one line follow each other."""
        while len(self._lines) < 2 * len(self._nodes):
            node = self._nodes[len(self._lines) - len(self._nodes)]
            self._lines.append(Line(node.address, RPC_PORT))
        return self._lines[len(self._nodes) + place]

    def _saw_head(self, node: HostedNode, head: dict[str, Any]) -> None:
        height, digest, key = head["height"], head["digest"], (node.place, node.era)
        if height < self._heights.get(key, 0):
            raise Violation(f"{node.name} went back: {self._heights[key]} to {height}")
        self._heights[key] = height
        if self._told.blocks.setdefault(height, digest) != digest:
            raise Violation(f"two blocks were read at one height: {height}")
        if node.node is not None and node.node._core.catch_up.active:
            self._world.watcher.mark(DURING_CATCH_UP_MARK)

    # -- events

    async def _follow(self) -> None:
        """Follow all events, at one node after the other, from where the last one ended."""
        seen: list[str] = []
        self._told.events.append(seen)
        cursor: str | None = None
        while True:
            place = self._random.randrange(len(self._nodes))
            try:
                socket = await Socket.open(self._nodes[place].address, RPC_PORT)
            except NoAnswer:
                await asyncio.sleep(self._random.uniform(0.1, 1.0))
                continue
            try:
                cursor = await self._listen(socket, cursor, seen)
            finally:
                socket.close()

    async def _listen(self, socket: Socket, cursor: str | None, seen: list[str]) -> str | None:
        """Listen for a while and return where to go on."""
        params = {"topic": "events"} | ({} if cursor is None else {"cursor": cursor})
        socket.send({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": params})
        try:
            async with asyncio.timeout(self._random.uniform(2.0, 20.0)):
                while True:
                    told = await socket.receive()
                    if "error" in told:
                        return cursor
                    if "result" in told:
                        if cursor is not None:
                            self._world.watcher.mark(RESUMED_MARK)
                        cursor = told["result"]["cursor"]
                        continue
                    for item in told["params"]["items"]:
                        seen.append(f"{item['height']} {item['transaction']} {item['kind']}")
                        cursor = item["cursor"]
        except (NoAnswer, TimeoutError):
            return cursor
