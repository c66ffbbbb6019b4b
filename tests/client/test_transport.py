"""Scenarios for JSON-RPC over HTTP: single calls, batches, and answers of every wrong kind."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from moyai.client import ClientSettings
from moyai.client.answers import SubmitAnswer
from moyai.client.errors import (
    LyingNodeError,
    NodeRefusalError,
    NodeUnreachableError,
    SettingsError,
)
from moyai.client.settings import ANSWER_BYTES_MAX
from moyai.client.transport import Node, checked_url, pause, socket_url

GOOD = b'{"jsonrpc":"2.0","id":0,"result":{"id":"aa","status":"pending"}}'
BUSY = (
    b'{"jsonrpc":"2.0","id":0,"error":{"code":-32004,"message":"full","data":{"code":"busy",'
    b'"reason":"is full","what":"pool","next":"wait","retry_after_ms":7}}}'
)


class Served:
    """A server that answers with fixed bytes, and a node that talks to it."""

    def __init__(self, server: TestServer, http: aiohttp.ClientSession) -> None:
        self.body = GOOD
        self.headers: list[str | None] = []
        self.node = Node(str(server.make_url("/")), http, ClientSettings(api_key="secret"))

    async def answer(self, request: web.Request) -> web.Response:
        self.headers.append(request.headers.get("Authorization"))
        return web.Response(body=self.body, content_type="application/json")

    async def call(self) -> SubmitAnswer:
        return await self.node.call("tx_submit", {}, SubmitAnswer)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    app = web.Application()
    async with aiohttp.ClientSession() as http:
        server = TestServer(app)

        async def answer(request: web.Request) -> web.Response:
            return await found.answer(request)

        app.router.add_post("/", answer)
        await server.start_server()
        found = Served(server, http)
        yield found
        await server.close()


async def test_a_call(served: Served) -> None:
    assert await served.call() == SubmitAnswer("aa", "pending")
    assert served.headers == ["Bearer secret"]


async def test_a_refusal_with_its_hint(served: Served) -> None:
    served.body = BUSY
    with pytest.raises(NodeRefusalError) as caught:
        await served.call()
    assert caught.value.name == "busy"
    assert caught.value.retry_after_ms == 7
    assert "is full" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", NodeUnreachableError),
        (b'{"id": "\xc4\xc0"}', NodeUnreachableError),
        (b"[" * 100_000, NodeUnreachableError),
        (b" " * (ANSWER_BYTES_MAX + 1), NodeUnreachableError),
        (b'{"jsonrpc":"2.0","id":0}', LyingNodeError),
        (b'{"jsonrpc":"2.0","id":0,"result":{"id":7}}', LyingNodeError),
        (b'{"jsonrpc":"2.0","id":0,"result":{"id":"\xc4\xc0"}}', LyingNodeError),
    ],
)
async def test_wrong_answers(served: Served, body: bytes, kind: type[Exception]) -> None:
    served.body = body
    with pytest.raises(kind):
        await served.call()


async def test_answers_of_a_batch_are_matched_by_their_number(served: Served) -> None:
    second = GOOD.replace(b'"id":0', b'"id":1').replace(b"aa", b"bb")
    served.body = b"[" + second + b"," + BUSY + b"]"
    answers = await served.node.batch("tx_submit", [{}, {}, {}], SubmitAnswer)
    assert isinstance(answers[0], NodeRefusalError)
    assert answers[1] == SubmitAnswer("bb", "pending")
    assert isinstance(answers[2], LyingNodeError)


async def test_a_batch_that_is_refused_as_a_whole(served: Served) -> None:
    served.body = BUSY
    answers = await served.node.batch("tx_submit", [{}, {}], SubmitAnswer)
    assert [getattr(answer, "name", "") for answer in answers] == ["busy", "busy"]


async def test_nobody_answers() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(NodeUnreachableError):
            await Node("http://127.0.0.1:1", http, ClientSettings()).call("m", {}, SubmitAnswer)
    await pause(0)


def test_addresses() -> None:
    assert checked_url("http://127.0.0.1:8545") == "http://127.0.0.1:8545/"
    assert checked_url("https://city.example/rpc") == "https://city.example/rpc"
    assert socket_url("http://127.0.0.1:8545/") == "ws://127.0.0.1:8545/ws"
    assert socket_url("https://city.example/rpc/") == "wss://city.example/rpc/ws"
    for wrong in ("127.0.0.1:8545", "ftp://city", "http://"):
        with pytest.raises(SettingsError):
            checked_url(wrong)
