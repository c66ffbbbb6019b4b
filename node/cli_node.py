"""`moyai run` and `moyai doctor`: the daemon in the foreground, and a look at its place."""

import os
from pathlib import Path
from typing import Annotated

import typer

from moyai.node import daemon
from moyai.node.cli_output import (
    Answer,
    ExitCode,
    JsonOption,
    print_json,
    print_table,
)
from moyai.node.config import load_config
from moyai.node.doctor import Verdict, examine
from moyai.node.key_file import KeyKind
from moyai.node.passphrase import VARIABLE, passphrase_for

ConfigOption = Annotated[
    Path, typer.Option("--config", envvar="MOYAI_CONFIG", help="The node's configuration file.")
]
DEFAULT_CONFIG = Path("config.toml")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(run)
    app.command()(doctor)


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the node until it is told to stop (Ctrl-C or SIGTERM)."""
    loaded = load_config(config)
    kinds = {KeyKind.NETWORK: loaded.network_key_file}
    if loaded.mode == "validator":
        kinds[KeyKind.VALIDATOR] = loaded.key_file
    for kind, path in kinds.items():
        passphrase = passphrase_for(Path(path), kind)
        if passphrase is not None:
            os.environ[VARIABLE] = passphrase
    daemon.run(loaded)


def doctor(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Check clock, disk, ports, peers, file modes, versions and quorum of one node."""
    findings = list(examine(load_config(config)))
    if json:
        print_json(findings)
    else:
        marks = {Verdict.GOOD: "ok", Verdict.WARNING: "warn", Verdict.BAD: "BAD"}
        rows = [(marks[one.verdict], one.check, one.found, one.next) for one in findings]
        print_table(("", "check", "found", "what to do"), rows)
    if any(one.verdict is Verdict.BAD for one in findings):
        raise Answer(ExitCode.REFUSED)
