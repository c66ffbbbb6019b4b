"""The code about itself: small files, small functions, a test file beside every source file.

Not here: what ruff, mypy and import-linter already see; `scripts/check` runs those.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "primitives",
    "consensus",
    "ledger",
    "p2p",
    "storage",
    "rpc",
    "node",
    "client",
    "verify",
)
FOLDERS = (*PACKAGES, "scripts", "tests")
FILE_LINES_MAX = 500
ONE_FILE_LINES_MAX = {"verify/verifier.py": 800}  # an auditor copies and reads exactly one file
FUNCTION_LINES_MAX = 70

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def texts() -> list[Path]:
    """Everything a reader reads: sources, tests, scripts, documents, configuration."""
    found = [path for path in ROOT.glob("*") if path.suffix in {".md", ".toml"}]
    for folder in (*FOLDERS, "docs", "config"):
        found += [
            path
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and path.suffix in {".py", ".md", ".toml", ".sh", ""}
        ]
    return sorted(found)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def listed(rule: str, found: list[str]) -> str:
    return "\n  ".join([rule, *found])


def named(path: Path, line: int = 1) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_every_file_is_short() -> None:
    too_long = [
        f"{named(path)} has {lines} lines"
        for path in python_files(*FOLDERS)
        if (lines := len(path.read_text(encoding="utf-8").splitlines()))
        > ONE_FILE_LINES_MAX.get(path.relative_to(ROOT).as_posix(), FILE_LINES_MAX)
    ]
    assert not too_long, listed(f"split by idea, {FILE_LINES_MAX} lines at most", too_long)


def test_every_function_is_short() -> None:
    too_long = [
        f"{named(path, node.lineno)} {node.name} has {lines} lines"
        for path in python_files(*FOLDERS)
        for node in functions(path)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not too_long, listed(f"split, {FUNCTION_LINES_MAX} lines at most", too_long)


def test_every_file_says_what_it_is() -> None:
    silent = [
        named(path)
        for path in python_files(*FOLDERS)
        if not (ast.get_docstring(parsed(path)) or "").strip()
    ]
    for path in (ROOT / "scripts").iterdir():
        if path.is_file() and path.suffix in {"", ".sh"}:
            first_lines = path.read_text(encoding="utf-8").splitlines()[:2]
            if not any(re.match(r'# \w|"""\w', line) for line in first_lines):
                silent.append(named(path))
    assert not silent, listed("begin with what the file is and is not", silent)


def test_every_source_file_has_its_test_file() -> None:
    alone = [
        f"{named(path)} wants {expected.relative_to(ROOT)}"
        for package in PACKAGES
        for path in python_files(package)
        if path.stem not in {"__init__", "__main__"} and has_behaviour(path)
        if not (expected := mirror_of(path)).exists()
    ]
    assert not alone, listed("write the scenarios", alone)


def mirror_of(source: Path) -> Path:
    inside = source.relative_to(ROOT)
    return ROOT / "tests" / inside.parent / f"test_{inside.name}"


def has_behaviour(path: Path) -> bool:
    """Whether a function of the file does something; data and protocols have nothing to run."""
    return any(not all(is_inert(line) for line in node.body) for node in functions(path))


def is_inert(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def test_no_file_is_named_after_nothing() -> None:
    nameless = {"utils", "util", "helpers", "helper", "common", "misc", "stuff"}
    found = [named(path) for path in python_files(*FOLDERS) if path.stem in nameless]
    assert not found, listed("name the file by its idea", found)


BANNED = {
    ("asyncio", "create_task"): "use a TaskGroup",
    ("asyncio", "ensure_future"): "use a TaskGroup",
    ("asyncio", "wait_for"): "use asyncio.timeout",
    ("time", "time"): "the clock is an argument",
}


def banned_uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    modules = {"asyncio": "asyncio", "time": "time"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname: alias.name for alias in node.names if alias.asname}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            uses = [(node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            uses = [(modules.get(node.value.id, ""), node.attr)]
        else:
            continue
        for use in uses:
            if use in BANNED:
                yield node.lineno, f"{'.'.join(use)}: {BANNED[use]}"


def test_nothing_banned_is_called() -> None:
    found = [
        f"{named(path, line)} {use}"
        for path in python_files(*FOLDERS)
        for line, use in banned_uses(parsed(path))
    ]
    assert not found, listed("use what the rule names", found)


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasyncio.wait_for(x, 1)",
        "import asyncio as loop\nloop.create_task(x)",
        "from asyncio import ensure_future",
        "from time import time",
        "import time as clock\nnow = clock.time()",
    ],
)
def test_a_banned_call_is_seen_in_every_spelling(source: str) -> None:
    assert list(banned_uses(ast.parse(source)))


# Written apart, so that this file does not find itself.
LEFTOVERS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
TICKETS = re.compile(r"(?:\bissues?\s+#?\d+|(?:^|[\s(])#\d+\b(?![-\w]))", re.IGNORECASE)


def test_no_text_speaks_of_unfinished_work_or_of_tickets() -> None:
    found = [
        f"{named(path, number)} {line.strip()[:80]}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if LEFTOVERS.search(line) or TICKETS.search(line)
    ]
    assert not found, listed("say what the product does, finish it or leave it out", found)


def test_the_node_refuses_to_start_without_assertions() -> None:
    command = [sys.executable, "-O", "-m", "moyai.node", "--version"]
    answer = subprocess.run(
        command,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / ".dev")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode not in {0, None}
    assert "-O" in answer.stderr, answer.stderr
    assert "Traceback" not in answer.stderr, answer.stderr
