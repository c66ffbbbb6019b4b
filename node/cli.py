"""The command line `moyai`: puts the groups of commands together and is the one door for errors.

Not here: the commands themselves (`cli_*`). Exit codes: `cli_output.ExitCode`, docs/operations.md.
"""

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from moyai.client.errors import (
    LyingNodeError,
    NodeUnreachableError,
    NoNodeAnsweredError,
    OutcomeUnknownError,
)
from moyai.node import (
    cli_chain,
    cli_demo,
    cli_evidence,
    cli_keys,
    cli_members,
    cli_node,
    cli_node_safety,
    cli_opening,
    cli_proofs,
    cli_records,
    cli_setup,
    cli_store,
    cli_tx,
)
from moyai.node.cli_output import Answer, ExitCode, print_error
from moyai.node.errors import NodeProcessError
from moyai.primitives.errors import CertificateError, MoyaiError, ProofError

EXIT_CODES: tuple[tuple[tuple[type[MoyaiError], ...], ExitCode], ...] = (
    ((NodeProcessError, NodeUnreachableError, NoNodeAnsweredError), ExitCode.UNREACHABLE),
    ((CertificateError, ProofError, LyingNodeError), ExitCode.NOT_PROVEN),
    ((OutcomeUnknownError,), ExitCode.NOT_FINAL),
)

PARTS = (
    cli_setup,
    cli_node,
    cli_keys,
    cli_tx,
    cli_chain,
    cli_members,
    cli_records,
    cli_opening,
    cli_evidence,
    cli_proofs,
    cli_store,
    cli_node_safety,
    cli_demo,
)

app = typer.Typer(
    name="moyai",
    help="The node of a city's consortium ledger, and the tools around it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for part in PARTS:
    part.register(app)


@app.callback(invoke_without_command=True)
def moyai(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.")
    ] = False,
) -> None:
    """The node of a city's consortium ledger, and the tools around it."""
    if show_version:
        sys.stdout.write(f"moyai {version('moyai')}\n")
        raise typer.Exit


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Nothing is ever raised to the caller."""
    as_json = "--json" in arguments
    try:
        command = typer.main.get_command(app)
        returned = command.main(_or_help(arguments), "moyai", standalone_mode=False)
    except Answer as answer:
        return answer.exit_code
    except MoyaiError as error:
        print_error(error, as_json=as_json)
        return exit_code_of(error)
    except typer.TyperException as error:
        path = getattr(getattr(error, "ctx", None), "command_path", "moyai")
        usage = MoyaiError(error.format_message().rstrip("."), next=f"see `{path} --help`")
        print_error(usage, as_json=as_json)
        return ExitCode.USAGE
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("interrupted\n")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; the interpreter must not flush again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except ExceptionGroup as group:
        expected = _expected_in(group)
        print_error(expected or _bug(group), as_json=as_json)
        return exit_code_of(expected) if expected else ExitCode.BUG
    except Exception as error:  # noqa: BLE001 - the last door: a bug, too, is told in one line
        print_error(_bug(error), as_json=as_json)
        return ExitCode.BUG
    return returned if isinstance(returned, int) else ExitCode.OK


def _or_help(arguments: Sequence[str]) -> list[str]:
    """Return the arguments; the program or a group of commands named alone asks for its help."""
    is_alone = list(arguments) in ([], *([group.name] for group in app.registered_groups))
    return [*arguments, "--help"] if is_alone else list(arguments)


def exit_code_of(error: MoyaiError) -> ExitCode:
    """Return the documented exit code of an expected error."""
    for kinds, code in EXIT_CODES:
        if isinstance(error, kinds):
            return code
    return ExitCode.REFUSED


def _expected_in(group: ExceptionGroup[Exception]) -> MoyaiError | None:
    """Return the first error of concurrent tasks, when all of them are expected ones."""
    _, others = group.split(MoyaiError)
    leaf: Exception = group
    while isinstance(leaf, ExceptionGroup):
        leaf = leaf.exceptions[0]
    return leaf if others is None and isinstance(leaf, MoyaiError) else None


def _bug(error: Exception) -> MoyaiError:
    """Keep the traceback in a file and say in one line where."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="moyai-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as report:
        traceback.print_exception(error, file=report)
    reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return MoyaiError(reason, what="bug in moyai", next=f"please report it with {report.name}")
