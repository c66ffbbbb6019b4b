"""The program `moyai`: `python -m moyai.node` and the console script come in here."""

import sys

ASSERTIONS_OFF = (
    "error: Python runs with -O, which removes the assertions that keep this node safe; "
    "start it without -O and without PYTHONOPTIMIZE\n"
)
USAGE_ERROR = 2


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if not __debug__:
        sys.stderr.write(ASSERTIONS_OFF)
        raise SystemExit(USAGE_ERROR)
    from moyai.node.cli import main as run_command_line

    raise SystemExit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
