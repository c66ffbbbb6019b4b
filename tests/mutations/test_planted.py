"""The list of planted bugs keeps up with the sources. Planting them: `scripts/mutate`."""

import ast
from pathlib import Path

import pytest

from harness.planted import Planted, load, mutated

ROOT = Path(__file__).resolve().parents[2]
PLANTED = load()
PACKAGES = {"consensus", "ledger", "node", "p2p", "primitives", "rpc", "storage"}


def test_there_are_enough_in_every_part() -> None:
    assert len(PLANTED) >= 80
    assert {bug.file.split("/")[0] for bug in PLANTED} == PACKAGES


@pytest.mark.parametrize("bug", PLANTED, ids=[bug.name for bug in PLANTED])
def test_each_can_still_be_planted_and_looked_for(bug: Planted) -> None:
    source = (ROOT / bug.file).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(mutated(bug, source))) != ast.dump(ast.parse(source))
    assert bug.tests
    assert all((ROOT / test).is_file() for test in bug.tests)
