"""`moyai node assume-safe`: the operators' own word that silent validators may vote again.

A validator whose journal was lost or restored stays silent until the others show it that it is
safe. When more validators were wiped than may fail, nobody is left who could show it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from moyai.node.cli_node import DEFAULT_CONFIG, ConfigOption
from moyai.node.cli_output import JsonOption, print_fields, print_json, say
from moyai.node.cli_store import owner_of
from moyai.node.config import load_config
from moyai.node.errors import ConfigError
from moyai.primitives.genesis import genesis_digest
from moyai.storage.journal import Journal

LOG_NAME = "assumed-safe.log"

node = typer.Typer(help="What only the operator can decide for a node.", no_args_is_help=True)


@node.callback()
def _group() -> None:
    """Keep `assume-safe` a command of its own, however few there are."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(node, name="node")


@node.command("assume-safe")
def assume_safe(
    config: ConfigOption = DEFAULT_CONFIG,
    agreed: Annotated[
        bool,
        typer.Option("--agreed", help="All operators agree, and no second copy of this key runs."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """End the silence of a stopped validator that nobody can end otherwise.

    Only when more validators have lost their journals than may fail. Votes that this key signed
    before and forgot can be contradicted from now on.
    """
    loaded = load_config(config)
    owner = owner_of(loaded)
    if not agreed:
        raise ConfigError(
            "may let this key contradict votes that it has forgotten",
            what="moyai node assume-safe",
            next="wait until the node votes by itself, or agree with all operators: --agreed",
        )
    network, map_bytes = genesis_digest(owner.genesis), owner.journal_map_bytes
    journal = Journal.open(loaded.journal_path, owner.key, network, map_bytes=map_bytes)
    try:
        above = journal.assume_safe()
    finally:
        journal.close()
    when = datetime.now(UTC).isoformat(timespec="milliseconds")
    log = Path(loaded.data_dir) / LOG_NAME
    with log.open("a", encoding="utf-8") as target:
        target.write(f"{when} {owner.key.hex()} votes above view {above}\n")
    fields = {"key": owner.key.hex(), "votes_above_view": above, "noted_in": str(log)}
    print_json(fields) if json else print_fields(fields)
    say("\nThis node votes from its next start on.")
