"""A client of the door that writes its own bytes: calls over HTTP, and one WebSocket.

Deliberately not the SDK: what a node answers is judged, and nothing else. Not here: what customers
call (`customers`).
"""

import asyncio
import base64
import json
import struct
from typing import Any

from harness.raw_http import read_answer

CALL_SECONDS_MAX = 12.0
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_MASK = b"\x00\x00\x00\x00"
"""A mask of zeros leaves the payload as it is; servers do not care."""


class NoAnswer(Exception):
    """The node did not answer this call; it may have done it."""


class Refused(Exception):
    """The node answered that it does not do this; `code` says why."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.code = str(error.get("data", {}).get("code"))


class Line:
    """Calls to one node over a connection that is kept as long as it lasts."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, method: str, **params: Any) -> Any:
        """Make one call. Raises `NoAnswer` or `Refused`."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        body = json.dumps(call).encode()
        head = (
            f"POST / HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            async with asyncio.timeout(CALL_SECONDS_MAX):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(self._host, self._port)
                reader, writer = self._streams
                writer.write(head.encode() + body)
                answer = json.loads((await read_answer(reader)).body)
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise NoAnswer(str(error) or type(error).__name__) from None
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


class Socket:
    """One WebSocket, from its handshake to its end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int) -> "Socket":
        """Connect. Raises `NoAnswer`."""
        key = base64.b64encode(bytes(16)).decode()
        head = (
            f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        )
        socket = None
        try:
            async with asyncio.timeout(CALL_SECONDS_MAX):
                socket = cls(*await asyncio.open_connection(host, port))
                socket._writer.write(head.encode())
                answer = await read_answer(socket._reader)
            if answer.status == 101:
                return socket
            reason = f"status {answer.status}"
        except (OSError, EOFError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
        if socket is not None:
            socket.close()
        raise NoAnswer(reason)

    def send(self, value: Any) -> None:
        """Send one JSON text."""
        self._frame(_TEXT, json.dumps(value).encode())

    async def receive(self) -> Any:
        """Return the next JSON text. Raises `NoAnswer` at the end of the connection."""
        try:
            while True:
                kind, payload = await self._next()
                if kind == _TEXT:
                    return json.loads(payload)
                if kind == _PING:
                    self._frame(_PONG, payload)
                if kind == _CLOSE:
                    raise NoAnswer("closed")
        except (OSError, EOFError) as error:
            raise NoAnswer(str(error) or type(error).__name__) from None

    def close(self) -> None:
        """End the connection."""
        self._writer.transport.abort()

    async def _next(self) -> tuple[int, bytes]:
        first, size = await self._reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack(">H", await self._reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", await self._reader.readexactly(8))
        return first & 0x0F, await self._reader.readexactly(size)

    def _frame(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self._writer.write(bytes([0x80 | kind]) + length + _MASK + payload)
