"""JSON-RPC 2.0 over HTTP to one node: single calls and batches, bounded in time and size.

Answers have the shape that was asked for, or an error says why not; nothing is believed here.
Not here: which node to ask (`nodes`), events over WebSocket (`events`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from moyai.client.errors import (
    LyingNodeError,
    NodePrunedError,
    NodeRefusalError,
    NodeUnreachableError,
    SettingsError,
)
from moyai.client.settings import ANSWER_BYTES_MAX, BATCH_CALLS_MAX, ClientSettings
from moyai.primitives.codec import UNDECODABLE
from moyai.primitives.errors import MoyaiError, PrunedError

T = TypeVar("T")

Parameters = Mapping[str, Any]


class _ErrorData(msgspec.Struct, frozen=True):
    code: str = "unknown"
    reason: str = ""
    what: str = ""
    next: str = ""
    retry_after_ms: int | None = None


class _Error(msgspec.Struct, frozen=True):
    code: int
    message: str = ""
    data: _ErrorData = _ErrorData()


class _Answer(msgspec.Struct, frozen=True):
    id: int | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: _Error | None = None


_one = msgspec.json.Decoder(_Answer)
_many = msgspec.json.Decoder(tuple[_Answer, ...])


class Node:
    """One node by its address, over connections that are kept open."""

    def __init__(self, url: str, http: aiohttp.ClientSession, settings: ClientSettings) -> None:
        self.url = checked_url(url)
        self._http = http
        self._settings = settings
        self._timeout = aiohttp.ClientTimeout(total=settings.request_timeout_ms / 1000)

    async def call(self, method: str, parameters: Parameters, kind: type[T]) -> T:
        """Return the answer of one method.

        Raises `NodeUnreachableError`, `NodeRefusalError` or `LyingNodeError`.
        """
        answer = _decode(_one, await self._post(_request(0, method, parameters)), self.url)
        return _result(answer, method, kind)

    async def batch(
        self, method: str, parameters: Sequence[Parameters], kind: type[T]
    ) -> list[T | MoyaiError]:
        """Return the answers of up to 50 calls of one method in order, each may be an error.

        Raises `NodeUnreachableError` or `LyingNodeError` when the batch as a whole failed.
        """
        assert 0 < len(parameters) <= BATCH_CALLS_MAX
        requests = [_request(number, method, one) for number, one in enumerate(parameters)]
        data = await self._post(requests)
        if data[:1] == b"{":
            return [_refusal_or_lie(_decode(_one, data, self.url), method)] * len(parameters)
        answers = {answer.id: answer for answer in _decode(_many, data, self.url)}
        results: list[T | MoyaiError] = []
        for number in range(len(parameters)):
            try:
                results.append(_result(answers.get(number, _Answer()), method, kind))
            except MoyaiError as error:
                results.append(error)
        return results

    async def _post(self, body: Any) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self._settings.api_key is not None:
            headers["Authorization"] = f"Bearer {self._settings.api_key}"
        try:
            async with self._http.post(
                self.url,
                data=msgspec.json.encode(body),
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return await _read_bounded(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NodeUnreachableError(
                f"does not answer ({type(error).__name__})",
                what=self.url,
                next="check the address, and whether the node runs",
            ) from None


def checked_url(url: str) -> str:
    """Return an http or https address with its path. Raises `SettingsError`."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(
            "not the address of a node", what=url, next="write it as http://127.0.0.1:8545"
        )
    return url if parts.path else url + "/"


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > ANSWER_BYTES_MAX:
            raise aiohttp.ClientPayloadError("answer too large")
    return bytes(data)


def _request(number: int, method: str, parameters: Parameters) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}


def _decode(decoder: msgspec.json.Decoder[T], data: bytes, url: str) -> T:
    try:
        return decoder.decode(data)
    except UNDECODABLE:
        raise NodeUnreachableError(
            "does not answer in JSON-RPC", what=url, next="check the address"
        ) from None


def _result(answer: _Answer, method: str, kind: type[T]) -> T:
    if answer.error is not None or not bytes(answer.result):
        raise _refusal_or_lie(answer, method)
    try:
        return msgspec.json.decode(answer.result, type=kind)
    except UNDECODABLE as error:
        raise LyingNodeError(
            f"an answer of another shape: {error}", what=method, next="the client asks another node"
        ) from None


def _refusal_or_lie(answer: _Answer, method: str) -> MoyaiError:
    if answer.error is None:
        return LyingNodeError("no answer to a call", what=method, next="ask another node")
    data = answer.error.data
    texts = (data.reason or answer.error.message, data.what or method, data.next)
    kind = NodePrunedError if data.code == PrunedError.code else NodeRefusalError
    return kind(data.code, texts, retry_after_ms=data.retry_after_ms)


async def pause(milliseconds: int) -> None:
    """Wait before asking again."""
    await asyncio.sleep(milliseconds / 1000)


def socket_url(url: str) -> str:
    """Return the address of a node's WebSocket."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/ws"
