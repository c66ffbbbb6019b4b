"""The passphrase of a sealed key: from `MOYAI_PASSPHRASE`, or asked for at the terminal."""

import os
import sys
from getpass import getpass
from pathlib import Path

from moyai.node.errors import KeyFileError
from moyai.node.key_file import KeyKind, read_key_file

VARIABLE = "MOYAI_PASSPHRASE"
PASSPHRASE_CHARACTERS_MIN = 8


def passphrase_for(path: Path, kind: KeyKind | None = None) -> str | None:
    """Return the passphrase that opens key file `path`, none when it is not sealed.

    Raises `KeyFileError` when the file cannot be used or nobody is there to ask.
    """
    if read_key_file(path, kind).sealed is None:
        return None
    return os.environ.get(VARIABLE) or _ask(f"Passphrase of {path}: ", path)


def new_passphrase(path: Path) -> str:
    """Return a new passphrase for `path`, asked for twice. Raises `KeyFileError`."""
    given = os.environ.get(VARIABLE)
    if given is None:
        given = _ask(f"New passphrase for {path}: ", path)
        if _ask("The same again: ", path) != given:
            raise KeyFileError(
                "the two passphrases differ", what=f"key file {path}", next="try again"
            )
    if len(given) < PASSPHRASE_CHARACTERS_MIN:
        raise KeyFileError(
            "the passphrase is too short",
            what=f"key file {path}",
            next=f"choose at least {PASSPHRASE_CHARACTERS_MIN} characters",
        )
    return given


def _ask(question: str, path: Path) -> str:
    if not sys.stdin.isatty():
        raise KeyFileError(
            "needs a passphrase and there is no terminal to ask at",
            what=f"key file {path}",
            next=f"set {VARIABLE}",
        )
    return getpass(question, stream=sys.stderr)
