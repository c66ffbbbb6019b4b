"""`moyai demo`: the demonstration. `scripts/demo` runs the same after making the environment."""

from pathlib import Path
from typing import Annotated

import typer

from moyai.node.cli_output import JsonOption, print_json, say
from moyai.node.demo import run_demo
from moyai.node.demo_documents import documents_of
from moyai.node.demo_report import print_how_to_talk, print_report
from moyai.node.processes import stop_city


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(demo)


def demo(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder whose files are registered.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the city running.")] = False,
    stop: Annotated[Path | None, typer.Option(help="Stop a city that was left running.")] = None,
    json: JsonOption = False,
) -> None:
    """Run a city of four real nodes on this machine, and a real job against it."""
    if stop is not None:
        count = stop_city(stop)
        print_json({"stopped": count}) if json else say(f"{count} nodes stopped")
        return
    outcome = run_demo(documents_of(folder), keep=keep)
    if json:
        kept = None if outcome.kept is None else str(outcome.kept.directory)
        print_json({"report": outcome.report, "city": kept})
        return
    print_report(outcome.report)
    if outcome.kept is not None:
        print_how_to_talk(outcome.kept)
