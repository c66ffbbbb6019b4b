"""What a command is given in a file or on standard input, instead of in an argument."""

import sys
from pathlib import Path

from moyai.node.errors import OperationTextError

GIVEN_BYTES_MAX = 1024 * 1024
_STANDARD_INPUT = "-"


def given_text(argument: str) -> str:
    """Return `argument`, or for `@FILE` the text of that file. Raises `OperationTextError`."""
    if not argument.startswith("@"):
        return argument
    name = argument[1:]
    try:
        return given_bytes(name).decode()
    except UnicodeDecodeError:
        raise OperationTextError(
            "is not UTF-8 text", what=f"file {name}", next="save it as UTF-8"
        ) from None


def given_bytes(name: str) -> bytes:
    """Return what is in the file `name`, or for `-` on standard input.

    Raises `OperationTextError` when it cannot be read or is larger than `GIVEN_BYTES_MAX`.
    """
    what = "standard input" if name == _STANDARD_INPUT else f"file {name}"
    try:
        if name == _STANDARD_INPUT:
            data = sys.stdin.buffer.read(GIVEN_BYTES_MAX + 1)
        else:
            with Path(name).open("rb") as source:
                data = source.read(GIVEN_BYTES_MAX + 1)
    except OSError as error:
        raise OperationTextError(
            f"cannot be read: {error.strerror}", what=what, next="name a file that you can read"
        ) from None
    if len(data) > GIVEN_BYTES_MAX:
        raise OperationTextError(
            f"is larger than {GIVEN_BYTES_MAX} bytes", what=what, next="give less at once"
        )
    return data
