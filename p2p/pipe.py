"""A byte pipe over one socket: bounded reading, back-pressured writing, nothing about messages.

Reading fills a buffer of the pipe's own size, so a stranger can make this node hold one kibibyte
and no more; `widen` is called once the other side is authenticated. Works on asyncio and uvloop.
"""

import asyncio
from collections.abc import Callable
from typing import Self, cast

from typing_extensions import override

from moyai.p2p import limits


class Pipe(asyncio.BufferedProtocol):
    """One connection; ends by `abort`, by the other side or by the network."""

    def __init__(self, on_open: Callable[["Pipe"], None] | None = None) -> None:
        self._on_open = on_open
        self._transport: asyncio.Transport | None = None
        self._space = memoryview(bytearray(limits.HANDSHAKE_BYTES_MAX))
        self._held = bytearray()
        self._held_max = limits.HANDSHAKE_BYTES_MAX
        self._reading = True
        self._ended = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()

    @property
    def ended(self) -> bool:
        """Whether nothing more will be read or written."""
        return self._ended

    @property
    def remote_address(self) -> str:
        """The address of the other side, without its port."""
        assert self._transport is not None
        name = self._transport.get_extra_info("peername")
        return str(name[0]) if isinstance(name, tuple) else ""

    def widen(self) -> None:
        """Read in large pieces from now on."""
        self._space = memoryview(bytearray(limits.READ_BYTES))
        self._held_max = limits.READ_BYTES

    async def read(self) -> bytes:
        """Return what has arrived, at least one byte; nothing at the end of the stream."""
        while not self._held:
            if self._ended:
                return b""
            self._readable.clear()
            await self._readable.wait()
        return self._release(len(self._held))

    async def read_exactly(self, size: int) -> bytes:
        """Return the next `size` bytes.

        Raises `ConnectionResetError` when the stream ends before.
        """
        assert size <= self._held_max
        while len(self._held) < size:
            if self._ended:
                raise ConnectionResetError("the other side closed the connection")
            self._readable.clear()
            await self._readable.wait()
        return self._release(size)

    async def write(self, data: bytes) -> None:
        """Write `data`, then wait while more is on its way than the transport should hold.

        Raises `ConnectionResetError` when the pipe has ended.
        """
        if not self.put(data):
            await self.drain()

    def put(self, data: bytes) -> bool:
        """Write `data`; return whether more may follow at once, without `drain`.

        Raises `ConnectionResetError` when the pipe has ended.
        """
        if self._transport is None or self._ended:
            raise ConnectionResetError("the connection is closed")
        self._transport.write(data)
        return self._writable.is_set()

    async def drain(self) -> None:
        """Wait while more is on its way than the transport should hold."""
        await self._writable.wait()

    def abort(self) -> None:
        """End the pipe at once; what is unsent is lost."""
        if self._transport is not None:
            self._transport.abort()
        self._held.clear()
        self._end()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=limits.TRANSPORT_BYTES_MAX)
        if self._on_open is not None:
            self._on_open(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        return self._space

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self._held += self._space[:nbytes]
        self._readable.set()
        if len(self._held) >= self._held_max:
            self._pause()

    @override
    def eof_received(self) -> bool:
        self._end()
        return False

    @override
    def pause_writing(self) -> None:
        self._writable.clear()

    @override
    def resume_writing(self) -> None:
        self._writable.set()

    def _release(self, size: int) -> bytes:
        data = bytes(self._held[:size])
        del self._held[:size]
        if not self._reading and len(self._held) < self._held_max and not self._ended:
            assert self._transport is not None
            self._transport.resume_reading()
            self._reading = True
        return data

    def _pause(self) -> None:
        if self._reading and self._transport is not None:
            self._transport.pause_reading()
            self._reading = False

    def _end(self) -> None:
        self._ended = True
        self._readable.set()
        self._writable.set()
