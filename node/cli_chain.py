"""`moyai status`, `params`: how the nodes stand, and by which rules."""

from typing import Any

import typer

from moyai.node.cli_connection import CityOption, NodeOption, ask, ask_each, node_urls
from moyai.node.cli_output import (
    Answer,
    ExitCode,
    JsonOption,
    print_fields,
    print_json,
    print_table,
)
from moyai.primitives.errors import MoyaiError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(status)
    app.command()(params)


def status(city: CityOption = None, node: NodeOption = None, json: JsonOption = False) -> None:
    """Show how every node stands: heights, quorum, what waits, the disk."""
    answers = ask_each(node_urls(city, node), "node_status")
    if json:
        print_json([_plain(url, answer) for url, answer in answers])
    else:
        columns = (
            "node",
            "mode",
            "final",
            "stored",
            "view",
            "links",
            "pool",
            "disk",
            "waits for",
            "says",
        )
        print_table(columns, [_row(url, answer) for url, answer in answers])
    if all(isinstance(answer, MoyaiError) for _, answer in answers):
        raise Answer(ExitCode.UNREACHABLE)


def params(city: CityOption = None, node: NodeOption = None, json: JsonOption = False) -> None:
    """Show the parameters that all nodes share."""
    answer = ask(node_urls(city, node), "params_get")
    print_json(answer) if json else print_fields(answer["parameters"])


def _plain(url: str, answer: dict[str, Any] | MoyaiError) -> dict[str, Any]:
    if isinstance(answer, MoyaiError):
        return {"url": url, "error": {"code": answer.code, "reason": answer.reason}}
    return {"url": url, **answer}


def _row(url: str, answer: dict[str, Any] | MoyaiError) -> tuple[Any, ...]:
    if isinstance(answer, MoyaiError):
        return (url, *("-" * 8), answer.reason)
    linked = sum(1 for link in answer["links"] if link["is_linked"])
    return (
        answer["name"],
        answer["mode"],
        str(answer["heights"]["final"]),
        str(answer["heights"]["committed"]),
        str(answer["view"]),
        f"{linked}/{len(answer['links'])}",
        str(answer["pool"]["transactions"]),
        f"{answer['disk']['used_percent']} %",
        answer["waits_for"],
        answer["summary"],
    )
