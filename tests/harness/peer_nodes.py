"""Actors of the network scenarios: nodes with a real hub on loopback, and strangers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from moyai.p2p.connection import Clocks, Hello, Identity
from moyai.p2p.framing import FrameWriter
from moyai.p2p.handshake import Channel, Initiator, prologue
from moyai.p2p.hub import Hub
from moyai.p2p.messages import (
    KEEPALIVE,
    PAYLOAD_BYTES_MAX,
    WireMessage,
    encode_message,
    wire_type,
)
from moyai.p2p.noise import public_bytes
from moyai.p2p.peers import Contact, Directory
from moyai.p2p.ports import Event, Handlers, HubConfig, Notice
from moyai.primitives.codec import encode
from moyai.primitives.ids import Digest, NetworkKey, TimeMs, ValidatorIndex

T = TypeVar("T")

CHAIN_ID = "test-city"
GENESIS = Digest(b"\x07" * 32)
LOOPBACK = "127.0.0.1"
DEADLINE_S = 20


def secret(number: int) -> X25519PrivateKey:
    """Return the network key of actor `number`."""
    return X25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def network_key(number: int) -> NetworkKey:
    return NetworkKey(public_bytes(secret(number)))


def contact(number: int, endpoint: str = "", *, validator: bool = True) -> Contact:
    index = ValidatorIndex(number) if validator else None
    return Contact(network_key(number), f"node-{number}", endpoint, index)


class Node:
    """A hub that remembers what it was told, and can wait for it."""

    def __init__(
        self,
        number: int,
        directory: Directory,
        *,
        listen: tuple[str, int] | None = (LOOPBACK, 0),
        wall_ms: int = 1_000_000,
    ) -> None:
        self.key = network_key(number)
        self.received: list[tuple[NetworkKey, WireMessage]] = []
        self.links: list[tuple[NetworkKey, bool]] = []
        self.notices: list[Notice] = []
        self.strangers: list[Stranger] = []
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        identity = Identity(secret(number), chain_id=CHAIN_ID, genesis=GENESIS)
        clocks = Clocks(lambda: int(self._loop.time() * 1_000), lambda: TimeMs(wall_ms))
        self.hub = Hub(
            HubConfig(identity, listen, "test", clocks),
            directory,
            Handlers(self._on_message, self._on_link, self._on_notice),
        )

    @property
    def address(self) -> tuple[str, int]:
        assert self.hub.listen_address is not None
        return self.hub.listen_address

    @property
    def endpoint(self) -> str:
        return f"{self.address[0]}:{self.address[1]}"

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until what this node was told satisfies `condition`."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_linked(self, *others: "Node") -> None:
        await self.until(lambda: all(other.key in self.hub.connected() for other in others))

    async def until_noticed(self, event: Event, fragment: str = "") -> Notice:
        def found() -> list[Notice]:
            return [one for one in self.notices if one.event is event and fragment in one.reason]

        await self.until(lambda: bool(found()))
        return found()[0]

    def messages(self) -> list[WireMessage]:
        return [message for _, message in self.received]

    def _on_message(self, peer: NetworkKey, message: WireMessage) -> None:
        self.received.append((peer, message))
        self._changed.set()

    def _on_link(self, peer: NetworkKey, up: bool) -> None:
        self.links.append((peer, up))
        self._changed.set()

    def _on_notice(self, notice: Notice) -> None:
        self.notices.append(notice)
        self._changed.set()


class City:
    """Starts nodes and stops them all at the end of a scenario."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._running: dict[NetworkKey, asyncio.Task[None]] = {}
        self._nodes: list[Node] = []

    async def start(self, node: Node) -> Node:
        self._nodes.append(node)
        self._running[node.key] = self._tasks.create_task(node.hub.run())
        async with asyncio.timeout(DEADLINE_S):
            await node.hub.listening.wait()
        return node

    async def stop(self, node: Node) -> None:
        task = self._running.pop(node.key)
        task.cancel()
        await asyncio.wait([task])

    async def stop_all(self) -> None:
        for task in self._running.values():
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running.values()))
        for node in self._nodes:
            for stranger in node.strangers:
                stranger.writer.transport.abort()


async def in_city(scenario: Callable[[City], Awaitable[T]]) -> T:
    """Run a scenario; every node it started is stopped, also when it fails."""
    async with asyncio.TaskGroup() as tasks:
        city = City(tasks)
        try:
            return await scenario(city)
        finally:
            await city.stop_all()


Play = Callable[[Callable[[City], Awaitable[Any]]], Any]
"""Runs a scenario to its end."""


def player(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> Play:
    """Return what plays scenarios on loops of this kind."""

    def play(scenario: Callable[[City], Awaitable[Any]]) -> Any:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(in_city(scenario))

    return play


class Stranger:
    """A raw socket to a node, which says whatever a scenario wants, handshake included."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.first = b""

    @classmethod
    async def connect(cls, node: Node) -> "Stranger":
        stranger = cls(*await asyncio.open_connection(*node.address))
        node.strangers.append(stranger)
        return stranger

    def say_first(self, number: int, node: Node) -> Initiator:
        """Send the first handshake message of actor `number`."""
        initiator = Initiator(
            static=secret(number),
            ephemeral=X25519PrivateKey.generate(),
            remote=node.key,
            prologue=prologue(CHAIN_ID, GENESIS),
        )
        message = initiator.first(encode(Hello(1, TimeMs(1_000_000), "stranger")))
        self.first = len(message).to_bytes(2, "big") + message
        self.say(self.first)
        return initiator

    async def shake(self, number: int, node: Node) -> Channel:
        """Run the initiator's handshake as actor `number`; the channel is not confirmed yet."""
        initiator = self.say_first(number, node)
        length = int.from_bytes(await self.reader.readexactly(2), "big")
        return initiator.finish(await self.reader.readexactly(length))

    def confirm(self, channel: Channel) -> None:
        """Send the first, empty frame."""
        self.say(FrameWriter(channel.sender, PAYLOAD_BYTES_MAX).seal(KEEPALIVE, b""))

    def send(self, channel: Channel, message: WireMessage) -> None:
        """Send a well-formed message."""
        seal = FrameWriter(channel.sender, PAYLOAD_BYTES_MAX).seal
        self.say(seal(wire_type(message).kind, encode_message(message)))

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def until_closed(self) -> None:
        """Wait until the node has closed the connection."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    if not await self.reader.read(65_536):
                        break
                except ConnectionError:
                    break
