"""TCP relays between real nodes, one per directed link, in this process; no root is needed.

A relay carries bytes that it cannot read. A direction can be held (bytes wait, as on a cut cable),
delayed, or slowed; a pair can be severed (connections break and new ones are refused). Not here:
who harms what, and when (`nemeses`).
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self

CHUNK_BYTES = 64 * 1024
HELD_BYTES_MAX = 1024 * 1024

Pair = tuple[int, int]
"""(who speaks, who listens), by the place of the node in the genesis file."""


class Direction:
    """What happens to bytes from one node to another, on whatever connection they travel."""

    def __init__(self) -> None:
        self.delay_seconds = 0.0
        self.bytes_per_second = 0.0
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        """Let nothing through; what was said waits."""
        self._open.clear()

    def heal(self) -> None:
        """Let bytes through as they come."""
        self.delay_seconds = self.bytes_per_second = 0.0
        self._open.set()

    async def passable(self) -> None:
        """Wait until bytes may go on."""
        await self._open.wait()


class Relays:
    """All relays of a city: node `i` reaches node `j` by the port `ports[i, j]`."""

    def __init__(self, nodes: int) -> None:
        self.targets: tuple[int, ...] = ()
        """The ports that the nodes listen on; known before the first of them starts."""
        self._pairs = [(a, b) for a in range(nodes) for b in range(nodes) if a != b]
        self._tasks = asyncio.TaskGroup()
        self._directions = {pair: Direction() for pair in self._pairs}
        self._severed: dict[Pair, bool] = dict.fromkeys(self._pairs, False)
        self._connections: dict[Pair, list[asyncio.StreamWriter]] = {p: [] for p in self._pairs}
        self._servers: list[asyncio.Server] = []
        self.ports: dict[Pair, int] = {}

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        for pair in self._pairs:
            server = await asyncio.start_server(
                partial(self._accepted, pair),
                "127.0.0.1",
                0,
            )
            self._servers.append(server)
            self.ports[pair] = server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for server in self._servers:
            server.close()
        self.heal()
        for pair in self._pairs:
            self._break(pair)
        await self._tasks.__aexit__(kind, error, traceback)

    def hold(self, speaker: int, listener: int) -> None:
        """Cut one direction without a word: its bytes wait."""
        self._directions[speaker, listener].hold()

    def slow(self, speaker: int, listener: int, *, delay: float, bytes_per_second: float) -> None:
        """Delay every byte of one direction by `delay` seconds, and let few through a second."""
        direction = self._directions[speaker, listener]
        direction.delay_seconds = delay
        direction.bytes_per_second = bytes_per_second

    def sever(self, one: int, other: int) -> None:
        """Break every connection between two nodes and refuse new ones."""
        for pair in ((one, other), (other, one)):
            self._severed[pair] = True
            self._break(pair)

    def drop(self, one: int, other: int) -> None:
        """Break every connection between two nodes once; they may connect again at once."""
        for pair in ((one, other), (other, one)):
            self._break(pair)

    def heal(self) -> None:
        """End every fault of every link."""
        for pair in self._pairs:
            self._severed[pair] = False
            self._directions[pair].heal()

    def crossing(self, groups: list[list[int]]) -> Iterator[Pair]:
        """Yield every pair of nodes in different groups, once."""
        place = {node: number for number, group in enumerate(groups) for node in group}
        for one, other in self._pairs:
            if one < other and place[one] != place[other]:
                yield one, other

    def _break(self, pair: Pair) -> None:
        for writer in self._connections[pair]:
            writer.transport.abort()
        self._connections[pair].clear()

    def _accepted(
        self, pair: Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._tasks.create_task(self._carry(pair, reader, writer))

    async def _carry(
        self, pair: Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._severed[pair]:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(
                "127.0.0.1", self.targets[pair[1]]
            )
        except OSError:
            writer.transport.abort()
            return
        ends = self._connections[pair]
        ends += [writer, far_writer]
        try:
            async with asyncio.TaskGroup() as pumps:
                there, back = self._directions[pair], self._directions[pair[1], pair[0]]
                pumps.create_task(_pump(reader, far_writer, there))
                pumps.create_task(_pump(far_reader, writer, back))
        finally:
            for one in (writer, far_writer):
                if one in ends:
                    ends.remove(one)
                one.transport.abort()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
) -> None:
    """Carry one direction of one connection until either end is gone."""
    waiting: deque[tuple[float, bytes]] = deque()
    arrived, room = asyncio.Event(), asyncio.Event()
    room.set()
    async with asyncio.TaskGroup() as halves:
        halves.create_task(_take(reader, direction, waiting, (arrived, room)))
        halves.create_task(_give(writer, direction, waiting, (arrived, room)))


async def _take(
    reader: asyncio.StreamReader,
    direction: Direction,
    waiting: deque[tuple[float, bytes]],
    signs: tuple[asyncio.Event, asyncio.Event],
) -> None:
    arrived, room = signs
    loop = asyncio.get_running_loop()
    data = b"more"
    while data:
        try:
            data = await reader.read(CHUNK_BYTES)
        except OSError:
            data = b""  # a broken connection ends like one that was closed
        waiting.append((loop.time() + direction.delay_seconds, data))
        arrived.set()
        if sum(len(one) for _, one in waiting) > HELD_BYTES_MAX:
            room.clear()
            await room.wait()


async def _give(
    writer: asyncio.StreamWriter,
    direction: Direction,
    waiting: deque[tuple[float, bytes]],
    signs: tuple[asyncio.Event, asyncio.Event],
) -> None:
    arrived, room = signs
    loop = asyncio.get_running_loop()
    while True:
        while not waiting:
            arrived.clear()
            room.set()
            await arrived.wait()
        due, data = waiting.popleft()
        await asyncio.sleep(max(0.0, due - loop.time()))
        await direction.passable()
        if not data:
            writer.transport.abort()
            return
        if direction.bytes_per_second:
            await asyncio.sleep(len(data) / direction.bytes_per_second)
        writer.write(data)
        with suppress(OSError):
            await writer.drain()
