"""One end of a simulated connection: a transport that moves bytes, split and merged by chance.

It keeps the promises of a socket: order, back pressure by a window, an end that is heard of or not.
Not here: who listens where, and who may connect (`network`).
"""

import asyncio
from functools import partial
from typing import Any

from typing_extensions import override

from harness.whole_city.machine_loop import MachineLoop
from harness.whole_city.paths import Path

WINDOW_BYTES = 256 * 1024
HIGH_WATER_BYTES = 64 * 1024
READ_BYTES = 64 * 1024
SPLIT_CHANCE = 0.05

Address = tuple[str, int]


class Endpoint(asyncio.Transport):
    """One end; `other` is set once both exist."""

    def __init__(self, loop: MachineLoop, own: Address, remote: Address, path: Path) -> None:
        super().__init__({"sockname": own, "peername": remote})
        self.other: Endpoint
        self.loop = loop
        self.is_gone = False
        self.is_silent = False
        self._path = path
        self._protocol: Any = None
        self._unsent = bytearray()
        self._in_flight_bytes = 0
        self._arrived = bytearray()
        self._last_us = 0
        self._high, self._low = HIGH_WATER_BYTES, HIGH_WATER_BYTES // 4
        self._is_full = False
        self._is_reading = True
        self._read_is_due = False
        self._is_closing = False
        self._remote_ended = False

    # -- what a protocol asks of its transport

    @override
    def write(self, data: Any) -> None:
        if self.is_gone or self._is_closing:
            return
        self._unsent += data
        self._send()
        if len(self._unsent) > self._high and not self._is_full:
            self._is_full = True
            self._protocol.pause_writing()

    @override
    def close(self) -> None:
        if self.is_gone or self._is_closing:
            return
        self._is_closing = True
        self._is_reading = False
        if not self._unsent:
            self._end(None)

    @override
    def abort(self) -> None:
        if not self.is_gone:
            self._end(None)

    @override
    def is_closing(self) -> bool:
        return self._is_closing or self.is_gone

    @override
    def pause_reading(self) -> None:
        self._is_reading = False

    @override
    def resume_reading(self) -> None:
        self._is_reading = True
        self._read_soon()

    @override
    def is_reading(self) -> bool:
        return self._is_reading and not self.is_closing()

    @override
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = HIGH_WATER_BYTES if high is None else high
        self._low = self._high // 4 if low is None else low

    @override
    def get_write_buffer_size(self) -> int:
        return len(self._unsent)

    @override
    def can_write_eof(self) -> bool:
        return False

    @override
    def get_protocol(self) -> Any:
        return self._protocol

    @override
    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    @property
    def is_used(self) -> bool:
        """Return whether a protocol has it and has not ended it."""
        return self._protocol is not None and not self.is_closing()

    # -- what the network does to it

    def open(self, protocol: Any) -> None:
        """Hand the connection to a protocol; to be called on its loop."""
        self._protocol = protocol
        protocol.connection_made(self)
        if self.is_gone:
            self.loop.call_soon(self._lost, ConnectionResetError(104, "Connection reset by peer"))
        self._read_soon()

    def vanish(self, *, silently: bool) -> None:
        """Be gone with the process; a system that still runs tells the other side."""
        self.is_gone = True
        self.is_silent = silently
        self._unsent.clear()
        self._arrived.clear()
        if not silently:
            self._tell_end()

    def reset(self) -> None:
        """Be ended by the network or the other side's system; the protocol hears of it."""
        if not self.is_gone:
            self.is_gone = True
            self._arrived.clear()
            self._unsent.clear()
            error = ConnectionResetError(104, "Connection reset by peer")
            self.loop.call_soon(self._lost, error)

    def _send(self) -> None:
        while self._unsent:
            room = WINDOW_BYTES - self._in_flight_bytes - len(self.other._arrived)
            size = min(len(self._unsent), READ_BYTES, room)
            if size <= 0:
                return
            if size > 1 and self._path.random.random() < SPLIT_CHANCE:
                size = self._path.random.randrange(1, size)
            data = bytes(self._unsent[:size])
            del self._unsent[:size]
            self._in_flight_bytes += size
            self._last_us = self._path.carry(size, self._last_us, partial(self._arrive, data))
        if self._is_full and len(self._unsent) <= self._low:
            self._is_full = False
            self._protocol.resume_writing()

    def _arrive(self, data: bytes) -> None:
        """Hand over bytes at the other side; a system that knows no such connection says so."""
        self._in_flight_bytes -= len(data)
        other = self.other
        if other.is_gone:
            if not other.is_silent:
                other._path.carry(0, 0, self.reset)
            return
        other._arrived += data
        other._read_soon()

    def _read_soon(self) -> None:
        waiting = self._arrived or self._remote_ended
        if waiting and self._is_reading and not self._read_is_due and self._protocol is not None:
            self._read_is_due = True
            self.loop.call_soon(self._read)

    def _read(self) -> None:
        self._read_is_due = False
        if self.is_gone or not self._is_reading:
            return
        if not self._arrived:
            self._finish()
            return
        if isinstance(self._protocol, asyncio.BufferedProtocol):
            space = memoryview(self._protocol.get_buffer(-1))
            size = min(len(space), len(self._arrived))
            space[:size] = self._arrived[:size]
            del self._arrived[:size]
            self._protocol.buffer_updated(size)
        else:
            data = bytes(self._arrived[:READ_BYTES])
            del self._arrived[:READ_BYTES]
            self._protocol.data_received(data)
        if self.other._unsent and not self.other.is_gone:
            self._path.carry(0, 0, self.other._window_opened)
        self._read_soon()

    def _window_opened(self) -> None:
        if not self.is_gone:
            self._send()
            if self._is_closing and not self._unsent:
                self._end(None)

    def _finish(self) -> None:
        """The other side has said that it sends no more."""
        self._remote_ended = False
        keeps_open = self._protocol.eof_received()
        if not keeps_open and not self.is_gone:
            self.close()

    def _end(self, error: Exception | None) -> None:
        self.is_gone = True
        self._unsent.clear()
        self._arrived.clear()
        self._tell_end()
        self.loop.call_soon(self._lost, error)

    def _tell_end(self) -> None:
        """Let the other side read to the end of what is on its way, and then find it."""
        other = self.other

        def arrive() -> None:
            if not other.is_gone:
                other._remote_ended = True
                other._read_soon()

        self._last_us = self._path.carry(0, self._last_us, arrive)

    def _lost(self, error: Exception | None) -> None:
        if self._protocol is not None:
            self._protocol.connection_lost(error)
