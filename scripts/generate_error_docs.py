"""Writes docs/errors.md from the error classes and the catalogue of refusals themselves.

Run it with the Python of `.venv` after a change of an error; `--check` only says whether the page
is current, as the test of the documents does.
"""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

from moyai.ledger.codes import CATALOGUE, Code
from moyai.primitives.errors import MoyaiError

PAGE = Path(__file__).resolve().parent.parent / "docs" / "errors.md"
SECTIONS = {
    "primitives": "Values: bytes and texts that are not what they claim to be",
    "consensus": "Consensus",
    "ledger": "Ledger",
    "p2p": "Links between nodes",
    "storage": "Stores on disk",
    "rpc": "The door for applications",
    "node": "The operator's side: files, settings, processes",
    "client": "The Python SDK",
}
INTRODUCTION = """\
# Errors and refusals

Every error has a stable `code`, a `reason` (what is wrong), `what` (about which object) and `next`
(what to do). On the command line they are one line, or an object with `--json`; over JSON-RPC they
are the `data` of the error, and its number is in [the reference](rpc.md). A code is never given
another meaning.

This page is written by `scripts/generate_error_docs.py` from the code.
"""
REFUSALS = """\
## Refusals of final transactions

A transaction that breaks a rule of the ledger is final all the same: its receipt has one of these
codes, and nothing else of it is left. The rules are in [the ledger](ledger.md).
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Write docs/errors.md, or check it")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it differs")
    arguments = parser.parse_args()
    page = rendered()
    if not arguments.check:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        print("docs/errors.md is not current: run scripts/generate_error_docs.py", file=sys.stderr)
        return 1
    return 0


def rendered() -> str:
    parts = [INTRODUCTION]
    for package, title in SECTIONS.items():
        rows = [f"| `{error.code}` | {meaning(error)} |" for error in errors_of(f"moyai.{package}")]
        if rows:
            parts.append(f"## {title}\n\n| code | meaning |\n|---|---|\n" + "\n".join(rows) + "\n")
    parts.append(REFUSALS)
    parts.append("| number | code | reason | what to do | 理由 | 対処 |\n|---|---|---|---|---|---|")
    parts.extend(refusal_row(code) for code in Code)
    text = "\n".join(parts)
    return text + "\n"


def errors_of(package: str) -> Iterator[type[MoyaiError]]:
    """Every error of a package that has a code of its own, in the order of its files."""
    for module_name in sorted(modules_of(package)):
        module = importlib.import_module(module_name)
        for value in vars(module).values():
            if not isinstance(value, type) or not issubclass(value, MoyaiError):
                continue
            if value.__module__ == module_name and "code" in vars(value):
                yield value


def modules_of(package: str) -> Iterator[str]:
    found = pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
    return (module.name for module in found if not module.name.endswith("__main__"))


def meaning(error: type[MoyaiError]) -> str:
    first_paragraph = (error.__doc__ or "").split("\n\n")[0]
    return " ".join(first_paragraph.split()).replace("|", "\\|")


def refusal_row(code: Code) -> str:
    text = CATALOGUE[code]
    cells = (str(int(code)), f"`{code.name.lower()}`", *text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
