"""How every command speaks: tables for people, JSON for scripts, one line for an error.

Answers go to standard output; progress, questions and errors to standard error.
"""

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from moyai.primitives.errors import MoyaiError

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


PIPED_COLUMNS = 400
"""How wide a table may be where no terminal cuts it."""

LIST_COLUMNS = 72
"""How long a list of words may be on one line; a longer one takes a line a word."""


class ExitCode(IntEnum):
    """The exit codes, the same for every command."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_PROVEN = 4
    NOT_FINAL = 5
    BUG = 70
    INTERRUPTED = 130


class Answer(MoyaiError):
    """Ends a command with an exit code of its own after its answer was printed."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code.name.lower())
        self.exit_code = code


def out() -> Console:
    """Return the console of answers."""
    width = None if sys.stdout.isatty() else PIPED_COLUMNS
    return Console(file=sys.stdout, soft_wrap=True, highlight=False, width=width)


def program() -> str:
    """Return how the program is called from here: by its name where the shell finds it."""
    own = Path(sys.executable).with_name("moyai")
    found = shutil.which("moyai")
    if not own.exists() or (found is not None and Path(found).samefile(own)):
        return "moyai"
    here = Path.cwd()
    return str(own.relative_to(here) if own.is_relative_to(here) else own)


def _print(table: Table) -> None:
    """Print a table; where no terminal shows it, lines end with their last word."""
    console = out()
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    sys.stdout.write("\n".join(lines) + "\n")


def say(text: str) -> None:
    """Tell the person at the terminal something that is no answer."""
    Console(file=sys.stderr, soft_wrap=True, highlight=False).print(escape(text))


def print_json(value: object) -> None:
    """Print one JSON document."""
    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    sys.stdout.write(text.decode() + "\n")


def print_fields(fields: Mapping[str, Any], *, title: str | None = None) -> None:
    """Print names and values, one a line."""
    table = Table(title=title, show_header=False, box=None, pad_edge=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields.items():
        label = escape(name.replace("_", " "))
        for line in _lines(value):
            table.add_row(label, escape(line))
            label = ""
    _print(table)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    title: str | None = None,
    unbroken: bool = False,
) -> None:
    """Print a table; numbers stand to the right.

    `unbroken` is for what people copy: rows become blocks where the terminal would break a word.
    """
    content = [list(row) for row in rows]
    words = _longest_words(columns, content)
    fit = sum(words) + 2 * (len(words) - 1) <= out().width
    if unbroken and not fit:
        for row in content:
            print_fields(dict(zip(columns, row, strict=True)))
            sys.stdout.write("\n")
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        numbers = bool(content) and all(isinstance(row[place], int | float) for row in content)
        table.add_column(
            escape(column),
            justify="right" if numbers else "left",
            overflow="fold",
            min_width=words[place] if fit else None,
        )
    for row in content:
        table.add_row(*(escape(show(value)) for value in row))
    _print(table)


def _longest_words(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[int]:
    """Return the width of the longest word of every column, in cells of the terminal."""
    cells = zip(columns, *([show(value) for value in row] for row in rows), strict=True)
    return [max(map(cell_len, " ".join(column).split()), default=0) for column in cells]


def _lines(value: Any) -> list[str]:
    """Return the lines of a field: an object on one, a list on one or one for each element."""
    match value:
        case Mapping() if value:
            return [pairs(value)]
        case [Mapping(), *_]:
            return [pairs(one) if isinstance(one, Mapping) else show(one) for one in value]
        case [] | ():
            return [show(None)]
        case list() | tuple():
            words = [show(one) for one in value]
            line = ", ".join(words)
            return [line] if len(line) <= LIST_COLUMNS else words
        case _:
            return [show(value)]


def pairs(fields: Mapping[str, Any]) -> str:
    """Return names and values on one line; what lies deeper is JSON."""
    return ", ".join(f"{name.replace('_', ' ')} {show(value)}" for name, value in fields.items())


def show(value: Any) -> str:
    """Return a value as a person reads it."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case str():
            return value
        case Mapping() | list() | tuple():
            return msgspec.json.encode(value, enc_hook=str).decode()
        case _:
            return str(value)


def print_error(error: MoyaiError, *, as_json: bool) -> None:
    """Print what is wrong, about which object, and what to do next."""
    if as_json:
        parts = {"code": error.code, "reason": error.reason, "what": error.what, "next": error.next}
        sys.stderr.write(msgspec.json.encode({"error": parts}).decode() + "\n")
    else:
        sys.stderr.write(f"error: {error}\n")


def progress() -> Progress:
    """Return a progress display on standard error; it is silent where that is no terminal."""
    console = Console(file=sys.stderr)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
