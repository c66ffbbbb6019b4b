"""What has a name for users has that name in the documents, so none of them lags behind the code.

Names are asked from the code itself. Not here: whether what the documents say about them is true.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main
from prometheus_client import CollectorRegistry

from moyai.ledger.codes import Code
from moyai.node.cli import app
from moyai.node.config import NodeConfig, keys_of
from moyai.rpc.errors import CATALOGUE
from moyai.rpc.metrics import Metrics
from moyai.rpc.routes import ADMIN_METHODS, METHODS

ROOT = Path(__file__).resolve().parent.parent


@cache
def documents() -> str:
    """Everything a user is given to read; decision records explain, they do not document."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(
        page.read_text(encoding="utf-8") for page in pages if page.parent != ROOT / "docs" / "adr"
    )


def undocumented(names: Iterable[str]) -> list[str]:
    wanted = set(names)
    assert wanted, "the list of names is empty: this test no longer finds them"
    return sorted(
        name
        for name in wanted
        if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", documents())
    )


def test_every_setting_is_documented() -> None:
    assert not undocumented(keys_of(NodeConfig))


def test_every_rpc_method_is_documented() -> None:
    assert not undocumented([*METHODS, *ADMIN_METHODS])


def test_every_rpc_error_is_documented_with_its_number() -> None:
    assert not undocumented(error.code for error in CATALOGUE)
    assert not undocumented(str(error.number) for error in CATALOGUE)


def test_every_refusal_is_documented_with_its_number() -> None:
    assert not undocumented(code.name.lower() for code in Code)
    assert not undocumented(str(int(code)) for code in Code)


def test_every_metric_is_documented() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    # A counter is read with an ending of its own.
    endings = {"counter": "_total"}
    names = [metric.name + endings.get(metric.type, "") for metric in registry.collect()]
    assert not undocumented(names)


def test_every_command_is_documented() -> None:
    assert not undocumented(command_lines())


def command_lines() -> Iterator[str]:
    """Each command as it is typed: `moyai keys new`."""
    waiting = [("moyai", typer.main.get_command(app))]
    while waiting:
        line, command = waiting.pop()
        parts = getattr(command, "commands", {})
        waiting += [(f"{line} {name}", part) for name, part in parts.items() if not part.hidden]
        if not parts:
            yield line


@pytest.mark.parametrize("script", sorted(path.name for path in ROOT.glob("scripts/generate_*.py")))
def test_a_generated_page_is_current(script: str) -> None:
    answer = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr


def test_every_link_between_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not broken


def test_every_script_has_a_line_in_the_guide() -> None:
    """A script that nobody is told about is found by nobody."""
    guides = documents() + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    programs = [path for path in (ROOT / "scripts").iterdir() if path.suffix == ""]
    unknown = [path.name for path in programs if f"scripts/{path.name}" not in guides]
    assert not [name for name in unknown if name != "__pycache__"]
