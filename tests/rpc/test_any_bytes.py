"""Whatever bytes a socket brings: an answer or a closed connection, and no fault on the loop."""

import asyncio
import json
import random
from typing import Any

import pytest

from harness.raw_http import exchange
from harness.rpc_city import RpcCity

SEED = 20_260_131
SILENCE_SECONDS = 0.02
CALL = b'{"jsonrpc":"2.0","id":1,"method":"chain_head"}'


@pytest.fixture
async def faults() -> list[dict[str, Any]]:
    """What the loop was told of; each of these would stop a node."""
    seen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: seen.append(context))
    return seen


def good(port: int) -> bytes:
    return (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(CALL)}\r\n\r\n"
    ).encode() + CALL


def upgrade(port: int) -> bytes:
    return (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def spoiled(chance: random.Random, data: bytes) -> bytes:
    """Return the bytes with some of them changed, doubled, cut out or put in."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[place] = chance.randrange(256)
            case 1:
                changed[place:place] = changed[place : place + chance.randint(1, 40)]
            case 2 if len(changed) > 80:
                del changed[place : place + chance.randint(1, 30)]
            case _:
                changed[place:place] = chance.choice([b"\r\n", b"\x00", b"\xff\xfe", b": ", b"%ff"])
    return bytes(changed)


async def send(port: int, data: bytes) -> bytes:
    """Send bytes and return what comes back before a moment of silence."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(SILENCE_SECONDS):
            return await reader.read(4096)
    except (TimeoutError, ConnectionError):
        return b""
    finally:
        writer.close()


async def test_spoiled_requests_never_reach_the_loop(
    city: RpcCity, faults: list[dict[str, Any]]
) -> None:
    chance = random.Random(SEED)
    port = city.server.port
    answers = [await send(port, spoiled(chance, good(port))) for _ in range(150)]
    assert not faults
    assert sum(bool(one) for one in answers) > 50
    assert not [one for one in answers if b"Traceback" in one or b" 500 " in one[:20]]
    assert (await exchange(port, good(port))).status == 200


async def test_spoiled_frames_never_reach_the_loop(
    city: RpcCity, faults: list[dict[str, Any]]
) -> None:
    chance = random.Random(SEED)
    port = city.server.port
    frame = b"\x81" + bytes([0x80 | len(CALL)]) + bytes(4) + CALL
    for _ in range(60):
        await send(port, upgrade(port) + spoiled(chance, frame * 2))
    assert not faults
    assert (await exchange(port, good(port))).status == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Host", b"\xff\xfe"),
        (b"Host", "雪".encode()),
        (b"Origin", b"\xff"),
        (b"Authorization", b"Bearer \xff"),
        (b"Content-Type", b"\xff"),
        (b"Content-Encoding", b"\xff"),
    ],
)
async def test_headers_that_are_no_text_are_refused_like_others(
    city: RpcCity, faults: list[dict[str, Any]], name: bytes, value: bytes
) -> None:
    port = city.server.port
    lines = [line for line in good(port).split(b"\r\n") if not line.startswith(name)]
    request = b"\r\n".join([lines[0], name + b": " + value, *lines[1:]])
    answer = await exchange(port, request)
    assert answer.status in {200, 400, 403, 415, 421}
    json.loads(answer.body)
    assert not faults
