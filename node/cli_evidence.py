"""`moyai prove`: writes an evidence file that anyone can check without a node.

Everything in the file was checked while it was gathered. Not here: checking it (`cli_proofs`).
"""

import asyncio
import contextlib
import json as plain_json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from moyai.client import Client, Evidence, Opening
from moyai.node.cli_connection import (
    CityOption,
    GenesisOption,
    NodeOption,
    connection,
    with_client,
)
from moyai.node.cli_output import JsonOption, print_fields, print_json
from moyai.node.config_domain import nearest
from moyai.node.errors import ConfigError
from moyai.primitives.errors import IdentifierError
from moyai.primitives.ids import DIGEST_BYTES, Digest, TransactionId, parse_account, parse_hex
from moyai.primitives.state_keys import (
    PARAMETERS,
    account_key,
    balance_key,
    identity_key,
    record_key,
    version_key,
)

PROVABLE_SECONDS_MAX = 5.0
POLL_SECONDS = 0.05

Gather = Callable[[Client, Opening | None], Awaitable[Evidence]]

KINDS: dict[str, tuple[str, ...]] = {
    "account": ("account",),
    "balance": ("token", "account"),
    "document": ("series", "version"),
    "identity": ("account",),
    "key": ("state-key-hex",),
    "record": ("collection", "key"),
    "transaction": ("id",),
}
"""What can be proven, and the names it takes."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(prove)


def prove(  # noqa: PLR0913 - every option of a command is a parameter
    kind: Annotated[str, typer.Argument(help=f"One of: {', '.join(KINDS)}.")],
    names: Annotated[list[str], typer.Argument(help="Which one.")],
    output: Annotated[Path, typer.Option(help="The evidence file to write.")],
    history: Annotated[bool, typer.Option("--history", help="All versions, not the last.")] = False,
    opening: Annotated[
        Path | None, typer.Option(help="The opening of the document, to prove the file as well.")
    ] = None,
    city: CityOption = None,
    genesis: GenesisOption = None,
    node: NodeOption = None,
    json: JsonOption = False,
) -> None:
    """Write an evidence file: `moyai prove document plan 1 --output plan.moyai`.

    A file name that ends in .json gets the JSON form, any other the shorter MessagePack form.
    """
    gather = _gatherer(kind, names, history=history)
    opened = read_opening(opening) if opening is not None else None
    if output.exists():
        raise ConfigError("exists already", what=f"file {output}", next="choose another name")

    async def ask(client: Client) -> Evidence:
        await until_provable(client)
        return await gather(client, opened)

    evidence = with_client(connection(city, genesis, node), ask)
    data = evidence.to_json() if output.suffix == ".json" else evidence.to_bytes()
    output.write_bytes(data)
    fields = {"file": str(output), "bytes": len(data), "proves": " ".join([kind, *names])}
    print_json(fields) if json else print_fields(fields)


async def until_provable(client: Client) -> None:
    """Wait until a certified header attests the state after the newest block with transactions.

    That takes one more block, which follows by itself. After a while what is there has to do.
    """
    head = await client.call("chain_block")
    wanted = head["height"] if head["tx_count"] else head["height"] - 1
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PROVABLE_SECONDS_MAX):
            while (await client.state(PARAMETERS)).height < wanted:  # noqa: ASYNC110 - polls a node
                await asyncio.sleep(POLL_SECONDS)


def read_opening(path: Path) -> Opening:
    """Return the opening in a JSON file with salt, file_sha256 and size_bytes.

    Raises `ConfigError`.
    """
    try:
        given = plain_json.loads(path.read_bytes())
        return Opening(
            salt=_digest(given["salt"], "salt"),
            file_sha256=_digest(given["file_sha256"], "file_sha256"),
            size_bytes=int(given["size_bytes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, IdentifierError) as error:
        raise ConfigError(
            f"holds no opening ({type(error).__name__})",
            what=f"file {path}",
            next='write {"salt": hex, "file_sha256": hex, "size_bytes": number}',
        ) from None


def _gatherer(kind: str, names: list[str], *, history: bool) -> Gather:
    if kind not in KINDS:
        advice = nearest(kind, list(KINDS))
        raise ConfigError(f"no such kind: {kind}", what="moyai prove", next=advice)
    if len(names) != len(KINDS[kind]):
        usage = " ".join(name.upper() for name in KINDS[kind])
        raise ConfigError(
            f"takes {len(KINDS[kind])} names and was given {len(names)}",
            what=f"moyai prove {kind}",
            next=f"write: moyai prove {kind} {usage} --output FILE",
        )
    if kind == "transaction":
        transaction = TransactionId(_digest(names[0], "transaction id"))
        return lambda client, opening: client.transaction_evidence(transaction, opening=opening)
    key = state_key(kind, names)
    return lambda client, opening: client.state_evidence(key, history=history, opening=opening)


def state_key(kind: str, names: list[str]) -> bytes:
    """Return the state key of a thing, made here so that no node can choose another.

    Raises `IdentifierError`.
    """
    match kind, names:
        case "account", [account]:
            return account_key(parse_account(account))
        case "identity", [account]:
            return identity_key(parse_account(account))
        case "balance", [token, account]:
            return balance_key(token, parse_account(account))
        case "record", [collection, key]:
            return record_key(collection, key)
        case "document", [series, version]:
            return version_key(series, _version(version))
        case _:
            return parse_hex(names[0], bytes_exact=len(names[0]) // 2, what="state key")


def _version(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) < 2**31):
        raise IdentifierError("is not a version", what=text[:40], next="versions count from 1")
    return int(text)


def _digest(text: str, what: str) -> Digest:
    return Digest(parse_hex(text, bytes_exact=DIGEST_BYTES, what=what))
