"""`moyai verify`: evidence, checked without any node; or the stores of a stopped node.

Not here: the check itself (`moyai.verify`, one file that an auditor can read and copy), and making
evidence (`cli_evidence`).
"""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from moyai.node.cli_connection import CityOption, GenesisOption, genesis_file_of
from moyai.node.cli_output import Answer, ExitCode, JsonOption, print_fields, print_json, progress
from moyai.node.cli_store import open_stores, owner_of
from moyai.node.config import load_config
from moyai.node.errors import ConfigError
from moyai.node.genesis_file import read_genesis
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.ids import parse_hex
from moyai.storage.verify import verify_chain
from moyai.verify import verifier

_LANGUAGES = ("en", "ja")
_EXIT_CODES = {0: ExitCode.OK, 2: ExitCode.REFUSED}
"""Exit codes of the verifier that are not `NOT_PROVEN`: proven, and no evidence at all."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(verify)


def verify(  # noqa: PLR0913 - every option of a command is a parameter
    evidence: Annotated[Path | None, typer.Argument(help="An evidence file.")] = None,
    digest: Annotated[str, typer.Option(help="The genesis digest you trust, hexadecimal.")] = "",
    city: CityOption = None,
    genesis: GenesisOption = None,
    file: Annotated[Path | None, typer.Option(help="Should be the registered file.")] = None,
    lang: Annotated[str, typer.Option(help="en or ja.")] = "en",
    config: Annotated[
        Path | None, typer.Option("--config", help="Check the stores of this stopped node.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check an evidence file without any node, or every value of a stopped node's stores.

    Without a genesis to trust the evidence is checked against its own, whose digest is shown to be
    compared; it then counts as not proven.
    """
    if config is not None:
        _verify_stores(config, as_json=json)
        return
    if evidence is None or lang not in _LANGUAGES:
        raise ConfigError(
            "was given nothing to check" if evidence is None else f"does not speak {lang}",
            what="moyai verify",
            next="name an evidence file, or --config for a node's stores; --lang en or ja",
        )
    trusted = _trusted_digest(digest, city, genesis)
    arguments = [str(evidence), "--lang", lang]
    arguments += ["--genesis", trusted] if trusted else []
    arguments += ["--file", str(file)] if file is not None else []
    arguments += ["--json"] if json else []
    code = verifier.main(arguments)
    if code != 0:
        raise Answer(_EXIT_CODES.get(code, ExitCode.NOT_PROVEN))


def _trusted_digest(digest: str, city: Path | None, genesis: Path | None) -> str:
    if digest:
        return parse_hex(digest, bytes_exact=32, what="genesis digest").hex()
    path = genesis_file_of(city, genesis)
    return genesis_digest(read_genesis(path)).hex() if path is not None else ""


def _verify_stores(config: Path, *, as_json: bool) -> None:
    loaded = load_config(config)
    with open_stores(loaded, owner_of(loaded)) as (chain, journal), progress() as bar:
        task = bar.add_task("checking blocks", total=chain.committed_height)
        journal.environment.verify()
        report = verify_chain(
            chain, lambda done, total: bar.update(task, completed=done, total=total)
        )
    fields = msgspec.structs.asdict(report)
    print_json(fields) if as_json else print_fields(fields)
