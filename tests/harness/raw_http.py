"""HTTP by hand: exactly these bytes are sent, and what comes back is read as it stands."""

import asyncio

import msgspec

ANSWER_SECONDS_MAX = 20.0


class Answer(msgspec.Struct, frozen=True):
    """An answer; status 0 says that the connection was closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes


async def exchange(port: int, data: bytes, *, allow_nothing: bool = False) -> Answer:
    """Send bytes on a new connection and return the first answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            try:
                writer.write(data)
                await writer.drain()
                return await read_answer(reader)
            except (ConnectionError, asyncio.IncompleteReadError):
                if not allow_nothing:
                    raise
                return Answer(0, {}, b"")
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Return the next answer of a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(head[0].split()[1]), headers, body)
