"""Which city a command talks to: the nodes' addresses and the genesis that answers are held against.

`--city FOLDER` is enough for a city made by `moyai testnet`; elsewhere `--genesis FILE --node URL`.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer

from moyai.client import Client
from moyai.node.errors import ConfigError
from moyai.node.genesis_file import read_genesis
from moyai.node.testnet import GENESIS_NAME, load_city
from moyai.primitives.genesis import Genesis

T = TypeVar("T")

NodeOption = Annotated[
    list[str] | None,
    typer.Option("--node", help="A node's JSON-RPC address; may be repeated."),
]
GenesisOption = Annotated[
    Path | None, typer.Option("--genesis", help="The genesis file that answers are checked against.")
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

    Raises `ConfigError` when they name none.
    """
    city = city or _path("MOYAI_CITY")
    genesis = genesis or _path("MOYAI_GENESIS")
    urls = tuple(nodes or os.environ.get("MOYAI_NODE", "").split())
    if city is not None and not urls:
        urls = tuple(node.url for node in load_city(city).nodes)
    if genesis is None and city is not None:
        genesis = city / GENESIS_NAME
    if genesis is None or not urls:
        raise ConfigError(
            "names no city",
            what="the command",
            next="give --city FOLDER, or --genesis FILE and --node URL",
        )
    return Connection(urls, read_genesis(genesis))


def with_client(where: Connection, ask: Callable[[Client], Awaitable[T]]) -> T:
    """Connect, ask, disconnect, and return the answer."""

    async def session() -> T:
        async with Client.connect(where.urls, trust=where.genesis) as client:
            return await ask(client)

    return asyncio.run(session())


def _path(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None
