"""WebSockets: the same calls, subscriptions from a cursor, and readers that do not read."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from harness.rpc_city import RpcCity, turns_until
from moyai.primitives.ids import Digest
from moyai.primitives.operations_documents import RegisterDocument
from moyai.rpc import sessions, subscriptions
from moyai.rpc.limits import REQUEST_BYTES_MAX, SOCKET_CALLS_MAX, SOCKET_SUBSCRIPTIONS_MAX


class Reader:
    """A client of one WebSocket; news and answers are kept apart."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.answers: dict[int, dict[str, Any]] = {}
        self.items: list[dict[str, Any]] = []
        self.cursor = ""
        self._next = 0

    async def read(self) -> None:
        async with asyncio.timeout(10):
            message = await self.socket.receive()
        assert message.type is WSMsgType.TEXT, message
        told = json.loads(message.data)
        if told.get("method") == "subscription":
            self.items += told["params"]["items"]
            self.cursor = told["params"]["cursor"]
        else:
            self.answers[told["id"]] = told

    async def call(self, method: str, **params: Any) -> Any:
        self._next += 1
        number = self._next
        call = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        await self.socket.send_str(json.dumps(call))
        while number not in self.answers:
            await self.read()
        answer = self.answers.pop(number)
        return answer.get("result", answer.get("error"))

    async def until(self, count: int) -> list[dict[str, Any]]:
        while len(self.items) < count:
            await self.read()
        return self.items


@asynccontextmanager
async def reader(city: RpcCity) -> AsyncIterator[Reader]:
    assert city.http is not None
    async with city.http.ws_connect(f"{city.url}/ws", max_msg_size=0) as socket:
        yield Reader(socket)


def paper(number: int) -> RegisterDocument:
    return RegisterDocument(f"p/{number}", Digest(bytes(32)), 1)


async def test_every_method_is_served(city: RpcCity) -> None:
    async with reader(city) as client:
        assert (await client.call("chain_head"))["height"] == 0
        assert (await client.call("nothing"))["data"]["code"] == "method_not_found"
        await client.socket.send_str('[{"jsonrpc":"2.0","id":77,"method":"chain_head"}]')
        message = await client.socket.receive()
        assert json.loads(message.data)[0]["id"] == 77
        await client.socket.send_str("{")
        assert json.loads((await client.socket.receive()).data)["error"]["code"] == -32700
        await client.socket.send_bytes(b"{}")
        assert json.loads((await client.socket.receive()).data)["error"]["code"] == -32600


async def test_subscriptions_are_for_websockets_only(city: RpcCity) -> None:
    refusal = await city.refusal("subscribe", topic="blocks")
    assert refusal["code"] == "method_not_found"
    assert "/ws" in refusal["next"]


async def test_blocks_are_told_as_they_are_committed(city: RpcCity) -> None:
    city.commit()
    async with reader(city) as client:
        answer = await client.call("subscribe", topic="blocks")
        assert answer["subscription"] == 1
        city.commit(city.sign(paper(1)))
        city.commit()
        blocks = await client.until(2)
        assert [(one["height"], one["tx_count"]) for one in blocks] == [(2, 1), (3, 0)]


async def test_events_are_told_by_filter(city: RpcCity) -> None:
    async with reader(city) as client:
        await client.call("subscribe", topic="events", filter={"kinds": ["document"]})
        city.commit(city.sign(paper(1), paper(2)))
        city.commit()
        city.commit(city.sign(paper(3)))
        events = await client.until(3)
        assert [one["fields"]["series"] for one in events] == ["p/1", "p/2", "p/3"]


@pytest.mark.parametrize("topic", ["events", "blocks"])
async def test_who_comes_back_with_a_cursor_loses_and_repeats_nothing(
    city: RpcCity, topic: str
) -> None:
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    number = 0
    async with reader(city) as client:
        cursor = {"cursor": (await client.call("subscribe", topic=topic))["cursor"]}
    for taken in (1, 2, 5, 3):
        for _ in range(3):
            number += 1
            city.commit(city.sign(paper(number)))
        async with reader(city) as client:
            await client.call("subscribe", topic=topic, **cursor)
            wanted = min(taken, number - len(seen))
            items = (await client.until(wanted))[:wanted]
            seen += items
            cursor = {"cursor": items[-1]["cursor"]}
    async with reader(city) as client:
        await client.call("subscribe", topic=topic, **cursor)
        if len(seen) < number:
            seen += await client.until(number - len(seen))
    assert [one["height"] for one in seen] == list(range(1, number + 1))


async def test_a_subscription_from_the_beginning_catches_up_in_pages(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "SOCKET_ITEMS_MAX", 3)
    start = (await city.call("events_list"))["cursor"]
    for number in range(10):
        city.commit(city.sign(paper(number)))
    async with reader(city) as client:
        await client.call("subscribe", topic="events", cursor=start)
        events = await client.until(10)
        assert [one["fields"]["series"] for one in events] == [f"p/{n}" for n in range(10)]
        city.commit(city.sign(paper(10)))
        assert (await client.until(11))[-1]["height"] == 11


async def test_a_subscription_ends_when_it_is_told_to(city: RpcCity) -> None:
    async with reader(city) as client:
        number = (await client.call("subscribe", topic="blocks"))["subscription"]
        assert await client.call("unsubscribe", subscription=number) == {"ended": True}
        assert await client.call("unsubscribe", subscription=number) == {"ended": False}
        city.commit()
        assert (await client.call("chain_head"))["height"] == 1
        assert client.items == []


async def test_subscriptions_of_one_connection_are_bounded(city: RpcCity) -> None:
    async with reader(city) as client:
        for _ in range(SOCKET_SUBSCRIPTIONS_MAX):
            assert "subscription" in await client.call("subscribe", topic="blocks")
        refused = await client.call("subscribe", topic="blocks")
        assert refused["data"]["code"] == "invalid_params"
        await client.call("unsubscribe", subscription=3)
        assert "subscription" in await client.call("subscribe", topic="blocks")
    await turns_until(
        lambda: city.metrics.registry.get_sample_value("moyai_rpc_subscriptions") == 0
    )


@pytest.mark.parametrize("cursor", ["", "nonsense", "kgE"])
async def test_a_bad_cursor_is_refused(city: RpcCity, cursor: str) -> None:
    async with reader(city) as client:
        refused = await client.call("subscribe", topic="events", cursor=cursor)
        assert refused["data"]["code"] in {"bad_cursor", "invalid_params"}


async def test_a_call_that_waits_holds_up_no_other(city: RpcCity) -> None:
    async with reader(city) as client:
        wait = {"id": "00" * 32, "timeout_ms": 9_000}
        call = {"jsonrpc": "2.0", "id": 99, "method": "tx_wait", "params": wait}
        await client.socket.send_str(json.dumps(call))
        assert (await client.call("chain_head"))["height"] == 0
    await turns_until(lambda: len(city.server._waiting.waiters) == 0)


async def test_calls_at_one_time_are_bounded_and_all_answered(city: RpcCity) -> None:
    async with reader(city) as client:
        count = 3 * SOCKET_CALLS_MAX
        for number in range(count):
            params = {"id": "00" * 32, "timeout_ms": 30}
            call = {"jsonrpc": "2.0", "id": number, "method": "tx_wait", "params": params}
            await client.socket.send_str(json.dumps(call))
        while len(client.answers) < count:
            await client.read()
        assert {one["result"]["status"] for one in client.answers.values()} == {"unknown"}


async def test_a_reader_that_does_not_read_is_cut(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "SOCKET_STALLED_SECONDS_MAX", 0.2)
    monkeypatch.setattr(sessions, "SOCKET_CLOSE_SECONDS_MAX", 0.2)
    start = (await city.call("events_list"))["cursor"]
    for block in range(12):
        raws = [
            city.sign(*(paper(block * 600 + tx * 60 + n) for n in range(60))) for tx in range(10)
        ]
        city.commit(*raws)
    _, writer = await asyncio.open_connection("127.0.0.1", city.server.port)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(handshake(city.server.port))
    subscribe = {"topic": "events", "cursor": start}
    call = {"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": subscribe}
    for _ in range(12):
        writer.write(masked(json.dumps(call).encode()))
    await writer.drain()

    def cut() -> float | None:
        read = city.metrics.registry.get_sample_value
        return read("moyai_rpc_refused_total", {"reason": "slow_reader"})

    await turns_until(lambda: (cut() or 0) >= 1)
    await turns_until(lambda: city.server._gate.count <= 1)
    writer.close()
    assert (await city.call("chain_head"))["height"] == 12


async def test_a_message_too_large_ends_the_connection(city: RpcCity) -> None:
    async with reader(city) as client:
        await client.socket.send_str(" " * (REQUEST_BYTES_MAX + 1))
        message = await client.socket.receive()
        assert message.type is WSMsgType.CLOSE
        assert message.data == 1009
    assert (await city.call("chain_head"))["height"] == 0


async def test_a_foreign_page_gets_no_websocket(city: RpcCity) -> None:
    assert city.http is not None
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await city.http.ws_connect(f"{city.url}/ws", headers=headers)
        assert refused.value.status in {403, 421}


def handshake(port: int) -> bytes:
    return (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def masked(text: bytes) -> bytes:
    """Return a text frame as a client sends it, with a mask of zeros."""
    text = text.ljust(126)
    return b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text
