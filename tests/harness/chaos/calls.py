"""JSON-RPC to real nodes over one bounded pool of connections; what a node answers, or that it
does not.

The SDK is not used: it checks and repairs, and here the nodes alone are judged.
"""

import asyncio
from typing import Any

import aiohttp

from harness.chaos.city import ChaosNode

CALL_SECONDS_MAX = 3.0
CONNECTIONS_MAX = 256


class NoAnswer(Exception):
    """The node did not answer, or answered with an error that `code` names."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class Calls:
    """Calls to any node of the city."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def call(self, node: ChaosNode, method: str, **params: Any) -> Any:
        """Make one call and return its result. Raises `NoAnswer`."""
        return _result(await self._post(node, _request(0, method, params)))

    async def batch(
        self, node: ChaosNode, method: str, many: list[dict[str, Any]]
    ) -> list[NoAnswer | Any]:
        """Make several calls of one method in one request. Raises `NoAnswer` for all of them."""
        answers = await self._post(node, [_request(n, method, one) for n, one in enumerate(many)])
        if not isinstance(answers, list):
            _result(answers)
        told = {answer["id"]: answer for answer in answers}
        return [_result_or_error(told[number]) for number in range(len(many))]

    async def _post(self, node: ChaosNode, request: object) -> Any:
        try:
            async with (
                asyncio.timeout(CALL_SECONDS_MAX),
                self._session.post(node.node.url, json=request) as answer,
            ):
                return await answer.json()
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NoAnswer(f"{node.node.slug}: {error!r}") from None


def calls_session() -> aiohttp.ClientSession:
    """Return the pool of connections to make calls with."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX))


def _request(number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _result(answer: Any) -> Any:
    told = _result_or_error(answer)
    if isinstance(told, NoAnswer):
        raise told
    return told


def _result_or_error(answer: Any) -> Any:
    if "error" not in answer:
        return answer["result"]
    error = answer["error"]
    return NoAnswer(str(error), error.get("data", {}).get("code", ""))
