"""`moyai opening`: salts the digest of a file, so that it can be registered and later be proven.

Works without a node. Not here: registering it (`cli_tx`), proving it (`cli_evidence`).
"""

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from moyai.client import Opening, opening_of_file
from moyai.node.cli_output import JsonOption, print_fields, print_json
from moyai.node.errors import ConfigError

MODE = 0o600
KEPT = "choose another name; without its opening a registered file cannot be proven"


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(opening)


def opening(
    file: Annotated[Path, typer.Argument(help="The file to be registered.")],
    output: Annotated[Path, typer.Option(help="Where the opening goes; keep it with the file.")],
    json: JsonOption = False,
) -> None:
    """Salt the digest of a file, for register_document; the opening proves the file later."""
    try:
        made = opening_of_file(file)
        _write(output, made)
    except FileExistsError:
        raise ConfigError("exists already", what=f"file {output}", next=KEPT) from None
    except OSError as error:
        what = f"file {error.filename or file}"
        raise ConfigError(str(error.strerror), what=what, next="check its name") from None
    fields = {"digest": made.digest.hex(), "opening": str(output)}
    size = made.size_bytes
    if json:
        print_json(fields | {"size_bytes": size})
    else:
        print_fields(fields | {"size_bytes": str(size)})


def _write(path: Path, made: Opening) -> None:
    parts = {
        "salt": made.salt.hex(),
        "file_sha256": made.file_sha256.hex(),
        "size_bytes": made.size_bytes,
    }
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(handle, "wb") as target:
        target.write(msgspec.json.format(msgspec.json.encode(parts), indent=2) + b"\n")
