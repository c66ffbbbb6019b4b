"""Hosts, who listens on them, and how connections between them come about.

Not here: how bytes travel (`paths`), and what a connection does with them (`endpoints`).
"""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from harness.simulator.plan import Weather
from harness.whole_city.endpoints import Address, Endpoint
from harness.whole_city.machine_loop import MachineLoop
from harness.whole_city.paths import Path
from harness.whole_city.virtual_time import VirtualTime

if TYPE_CHECKING:
    import asyncio

EPHEMERAL_PORT_MIN = 32_768


class ListeningName:
    """What `asyncio.Server.sockets` has for an address that is listened on."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def getsockname(self) -> Address:
        return self._address


class Listener:
    """An address that is listened on; it has of `asyncio.Server` what servers use."""

    def __init__(self, network: "Network", loop: MachineLoop, make: Any, port: int) -> None:
        self.loop = loop
        self.make = make
        self.sockets = (ListeningName((loop.address, port)),)
        self._network = network
        self._port = port

    def close(self) -> None:
        self._network.unlisten(self.loop.address, self._port)


class Network:
    """All hosts. `met` is told of every connection that comes about: from, to, port."""

    def __init__(self, time: VirtualTime, seed: int, weather: Weather) -> None:
        self.met: Callable[[str, str, int], None] = lambda *_: None
        self._time = time
        self._seed = seed
        self._weather = weather
        self._paths: dict[tuple[str, str], Path] = {}
        self._listeners: dict[Address, Listener] = {}
        self._endpoints: dict[Endpoint, None] = {}
        self._ports = EPHEMERAL_PORT_MIN

    def path(self, origin: str, target: str) -> Path:
        """Return the way from one host to another; it begins to be at the first use."""
        key = (origin, target)
        if key not in self._paths:
            random = Random(f"{self._seed}/{origin}/{target}")
            self._paths[key] = Path(self._time, self._weather, random)
        return self._paths[key]

    def listen(self, loop: MachineLoop, make: Any, port: int) -> Listener:
        address = (loop.address, port)
        if address in self._listeners:
            raise OSError(98, "Address already in use")
        self._listeners[address] = Listener(self, loop, make, port)
        return self._listeners[address]

    def unlisten(self, host: str, port: int) -> None:
        self._listeners.pop((host, port), None)

    async def connect(self, loop: MachineLoop, make: Any, host: str, port: int) -> Any:
        """Connect as `loop.create_connection` does. Raises `ConnectionRefusedError`."""
        forth, back = self.path(loop.address, host), self.path(host, loop.address)
        waiting: asyncio.Future[Endpoint | None] = loop.create_future()

        def knock() -> None:
            listener = self._listeners.get((host, port))
            near = None if listener is None else self._join(loop, listener, port)
            back.carry(0, 0, lambda: answer(near))

        def answer(near: Endpoint | None) -> None:
            if loop.is_dead or waiting.done():
                if near is not None:
                    near.vanish(silently=False)
                return
            waiting.set_result(near)

        forth.carry(0, 0, knock)
        near = await waiting
        if near is None:
            raise ConnectionRefusedError(111, f"Connect call failed ('{host}', {port})")
        protocol = make()
        near.open(protocol)
        return near, protocol

    def cut_off(self, loop: MachineLoop, *, silently: bool) -> None:
        """Take a process away from its connections and addresses."""
        for address, listener in list(self._listeners.items()):
            if listener.loop is loop:
                del self._listeners[address]
        for endpoint in self._of(lambda each: each.loop is loop):
            endpoint.vanish(silently=silently)
        self._endpoints = {each: None for each in self._endpoints if not each.is_gone}

    def break_connections(self, one: str, other: str) -> int:
        """End every connection between two hosts, as a box between them may; return how many."""
        pair = {one, other}
        broken = self._of(lambda each: {each.loop.address, each.other.loop.address} == pair)
        for endpoint in broken:
            endpoint.reset()
        return len(broken)

    def heal(self, weather: Weather) -> None:
        """From now on every path is a good one."""
        self._weather = weather
        for path in self._paths.values():
            path.heal(weather)

    def used_by(self, loop: MachineLoop) -> list[Endpoint]:
        """Return the ends of connections that a process has and has not ended."""
        return self._of(lambda each: each.loop is loop and each.is_used)

    def _of(self, wanted: Callable[[Endpoint], bool]) -> list[Endpoint]:
        return [each for each in self._endpoints if not each.is_gone and wanted(each)]

    def _join(self, loop: MachineLoop, listener: Listener, port: int) -> Endpoint:
        """Make both ends of a connection; the server's is open at once."""
        host = listener.loop.address
        self._ports += 1
        client, server = (loop.address, self._ports), (host, port)
        near = Endpoint(loop, client, server, self.path(loop.address, host))
        far = Endpoint(listener.loop, server, client, self.path(host, loop.address))
        near.other, far.other = far, near
        self._endpoints = {each: None for each in self._endpoints if not each.is_gone}
        self._endpoints[near] = self._endpoints[far] = None
        self.met(loop.address, host, port)
        listener.loop.call_soon(lambda: far.open(listener.make()))
        return near
