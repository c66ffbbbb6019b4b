"""`moyai keys`: makes, shows and seals key files. No command ever prints a secret."""

from pathlib import Path
from typing import Annotated

import typer

from moyai.node.cli_output import JsonOption, print_fields, print_json
from moyai.node.errors import KeyFileError
from moyai.node.key_file import (
    KeyFile,
    KeyKind,
    make_key_file,
    new_secret,
    open_secret,
    read_key_file,
    replace_key_file,
    write_key_file,
)
from moyai.node.passphrase import new_passphrase

keys = typer.Typer(help="Make, show and seal key files.", no_args_is_help=True)

PathArgument = Annotated[Path, typer.Argument(help="The key file.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(keys, name="keys")


@keys.command()
def new(
    path: PathArgument,
    kind: Annotated[KeyKind, typer.Option(help="What the key is for.")] = KeyKind.ACCOUNT,
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Seal it by a passphrase.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a new key file that only you can read."""
    content = make_key_file(kind, new_secret(), new_passphrase(path) if encrypt else None)
    write_key_file(path, content)
    _print(path, content, as_json=json)


@keys.command()
def show(path: PathArgument, json: JsonOption = False) -> None:
    """Show the public half of a key file."""
    _print(path, read_key_file(path), as_json=json)


@keys.command("encrypt")
def encrypt_file(path: PathArgument, json: JsonOption = False) -> None:
    """Seal a plain key file by a passphrase, in place."""
    content = read_key_file(path)
    if content.sealed is not None:
        raise KeyFileError(
            "is sealed already", what=f"key file {path}", next="nothing needs to be done"
        )
    secret = open_secret(content, None, what=f"key file {path}")
    sealed = make_key_file(content.kind, secret, new_passphrase(path))
    replace_key_file(path, sealed)
    _print(path, sealed, as_json=json)


def _print(path: Path, content: KeyFile, *, as_json: bool) -> None:
    fields = {
        "file": str(path),
        "kind": content.kind.value,
        "public_key": content.public_key,
        "encrypted": content.sealed is not None,
    }
    print_json(fields) if as_json else print_fields(fields)
