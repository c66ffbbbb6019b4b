"""`moyai get` and `moyai query`: what the ledger holds, as a node tells it.

A node's word is enough to look around; `moyai prove` gives the same with proof.
"""

import re
from typing import Annotated, Any

import msgspec
import typer

from moyai.node.cli_connection import CityOption, NodeOption, ask, node_urls
from moyai.node.cli_output import JsonOption, print_fields, print_json, print_table
from moyai.node.config_domain import nearest
from moyai.node.errors import ConfigError

GETTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "account": ("account_get", ("account",)),
    "account-history": ("account_history", ("account",)),
    "balance": ("token_balance", ("token", "account")),
    "block": ("chain_block", ("height",)),
    "collection": ("collection_get", ("collection",)),
    "document": ("documents_get", ("series",)),
    "head": ("chain_head", ()),
    "identity": ("identity_get", ("account",)),
    "record": ("records_get", ("collection", "key")),
    "record-history": ("records_history", ("collection", "key")),
    "token": ("token_get", ("token",)),
    "transaction": ("tx_get", ("id",)),
}
"""What can be got -> the method, and the names of what it takes."""

_CONDITION = re.compile(r"^(?P<field>[a-z_][a-z0-9_]*)(?P<sign>>=|<=|=)(?P<value>.*)$", re.DOTALL)
_SIGNS = {"=": "eq", ">=": "ge", "<=": "le"}


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(get)
    app.command()(query)


def get(
    kind: Annotated[str, typer.Argument(help=f"One of: {', '.join(GETTERS)}.")],
    names: Annotated[list[str] | None, typer.Argument(help="Which one.")] = None,
    city: CityOption = None,
    node: NodeOption = None,
    json: JsonOption = False,
) -> None:
    """Show one thing: `moyai get balance coin moyai1…`, `moyai get block 7`."""
    if kind not in GETTERS:
        raise ConfigError(
            f"no such kind: {kind}", what="moyai get", next=nearest(kind, list(GETTERS))
        )
    method, wanted = GETTERS[kind]
    given = names or []
    if len(given) != len(wanted):
        raise ConfigError(
            f"takes {len(wanted)} names and was given {len(given)}",
            what=f"moyai get {kind}",
            next=f"write: moyai get {kind} {' '.join(name.upper() for name in wanted)}".strip(),
        )
    parameters: dict[str, Any] = dict(zip(wanted, given, strict=True))
    if kind == "block":
        parameters["height"] = _number(given[0])
        parameters["include"] = ["ids", "codes"]
    answer = ask(node_urls(city, node), method, **parameters)
    print_json(answer) if json else print_fields(answer)


def query(  # noqa: PLR0913 - every option of a command is a parameter
    collection: Annotated[str, typer.Argument(help="The collection.")],
    where: Annotated[
        list[str] | None, typer.Option(help="FIELD=VALUE, FIELD>=VALUE, FIELD<=VALUE.")
    ] = None,
    order_by: Annotated[str | None, typer.Option(help="An indexed field.")] = None,
    descending: Annotated[bool, typer.Option("--descending")] = False,
    as_of: Annotated[int | None, typer.Option(min=0, help="As it stood at a height.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    cursor: Annotated[str | None, typer.Option(help="Goes on after an earlier page.")] = None,
    city: CityOption = None,
    node: NodeOption = None,
    json: JsonOption = False,
) -> None:
    """Find records of a collection by its fields."""
    chosen = {"order_by": order_by, "as_of": as_of, "cursor": cursor}
    answer = ask(
        node_urls(city, node),
        "records_query",
        collection=collection,
        filters=[_condition(text) for text in where or []],
        descending=descending,
        limit=limit,
        **{name: value for name, value in chosen.items() if value is not None},
    )
    if json:
        print_json(answer)
        return
    rows = [(one["key"], str(one["version"]), one["value"]) for one in answer["records"]]
    print_table(
        ("key", "version", "value"), rows, title=f"{collection} at height {answer['height']}"
    )
    if answer.get("cursor"):
        print_fields({"more": f"--cursor {answer['cursor']}"})


def _condition(text: str) -> dict[str, Any]:
    found = _CONDITION.match(text)
    if found is None:
        raise ConfigError(
            "is no condition",
            what=f"--where {text}",
            next="write FIELD=VALUE, FIELD>=VALUE, FIELD<=VALUE",
        )
    return {"field": found["field"], _SIGNS[found["sign"]]: _scalar(found["value"])}


def _scalar(text: str) -> str | int | bool:
    """Return a whole number or true or false where it is one, else the text; quotes keep a text."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return text
    return value if isinstance(value, str | int | bool) else text


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ConfigError("is not a height", what=text[:40], next="give a whole number")
    return int(text)
