"""One JSON-RPC call over a Unix socket."""

from typing import Any

import aiohttp


async def unix_call(path: str, method: str, **params: Any) -> dict[str, Any]:
    """Return the whole answer of one call on the operator's socket."""
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as http,
        http.post("http://node/", json=call) as answer,
    ):
        told: dict[str, Any] = await answer.json()
        return told
