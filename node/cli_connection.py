"""Which city a command talks to: the nodes' addresses, and the genesis that answers are checked by.

`--city FOLDER` is enough for a city made by `moyai testnet`; elsewhere `--genesis FILE --node URL`.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import aiohttp
import msgspec
import typer

from moyai.client import Client, ClientSettings
from moyai.client.errors import NodeUnreachableError
from moyai.client.transport import Node
from moyai.node.errors import ConfigError
from moyai.node.genesis_file import read_genesis
from moyai.node.testnet import GENESIS_NAME, load_city
from moyai.primitives.errors import MoyaiError
from moyai.primitives.genesis import Genesis

T = TypeVar("T")

NodeOption = Annotated[
    list[str] | None,
    typer.Option("--node", help="A node's JSON-RPC address; may be repeated."),
]
GenesisOption = Annotated[
    Path | None, typer.Option("--genesis", help="The genesis file that proofs start from.")
]
CityOption = Annotated[
    Path | None, typer.Option("--city", help="A folder that `moyai testnet` made.")
]


class Connection(msgspec.Struct, frozen=True):
    """Where to ask, and what to trust."""

    urls: tuple[str, ...]
    genesis: Genesis


def connection(city: Path | None, genesis: Path | None, nodes: list[str] | None) -> Connection:
    """Return the connection that the options and MOYAI_CITY, MOYAI_GENESIS, MOYAI_NODE name.

    Raises `ConfigError` when something is missing.
    """
    path = genesis_file_of(city, genesis)
    if path is None:
        raise ConfigError(
            "names no genesis file, so nothing could be checked",
            what="the command",
            next="give --city FOLDER, or --genesis FILE and --node URL",
        )
    return Connection(node_urls(city, nodes), read_genesis(path))


def genesis_file_of(city: Path | None, genesis: Path | None) -> Path | None:
    """Return the genesis file that the options or the environment name, if any."""
    city = city or _path("MOYAI_CITY")
    path = genesis or _path("MOYAI_GENESIS")
    if path is None and city is not None:
        return city / GENESIS_NAME
    return path


def with_client(where: Connection, question: Callable[[Client], Awaitable[T]]) -> T:
    """Connect, ask, disconnect, and return the answer."""

    async def session() -> T:
        async with Client.connect(where.urls, trust=where.genesis) as client:
            return await question(client)

    return asyncio.run(session())


def node_urls(city: Path | None, nodes: list[str] | None) -> tuple[str, ...]:
    """Return the addresses that the options or the environment name; no genesis is needed.

    Raises `ConfigError` when they name none.
    """
    urls = tuple(nodes or os.environ.get("MOYAI_NODE", "").split())
    city = city or _path("MOYAI_CITY")
    if not urls and city is not None:
        urls = tuple(node.url for node in load_city(city).nodes)
    if not urls:
        raise ConfigError(
            "names no node", what="the command", next="give --city FOLDER or --node URL"
        )
    return urls


def ask(urls: tuple[str, ...], method: str, **parameters: Any) -> dict[str, Any]:
    """Return what the first node that answers says, its word alone.

    Raises the last node's error when none answers, and at once what a node refuses.
    """

    async def in_turn() -> dict[str, Any]:
        async with aiohttp.ClientSession() as http:
            for url in urls[:-1]:
                try:
                    return await _call(http, url, method, parameters)
                except NodeUnreachableError:
                    continue
            return await _call(http, urls[-1], method, parameters)

    return asyncio.run(in_turn())


def ask_each(urls: tuple[str, ...], method: str) -> list[tuple[str, dict[str, Any] | MoyaiError]]:
    """Return what every node says, or why it says nothing, in the order of `urls`."""

    async def one(http: aiohttp.ClientSession, url: str) -> dict[str, Any] | MoyaiError:
        try:
            return await _call(http, url, method, {})
        except MoyaiError as error:
            return error

    async def all_of_them() -> list[dict[str, Any] | MoyaiError]:
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(one(http, url)) for url in urls]
        return [task.result() for task in asked]

    return list(zip(urls, asyncio.run(all_of_them()), strict=True))


async def _call(
    http: aiohttp.ClientSession, url: str, method: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    return await Node(url, http, ClientSettings()).call(method, parameters, dict[str, Any])


def _path(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None
