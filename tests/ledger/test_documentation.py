"""The page about the ledger names every operation, code, event and state key there is."""

import re
from pathlib import Path
from typing import get_args

from moyai.ledger.codes import Code
from moyai.primitives import state_keys
from moyai.primitives.operations import Operation

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")


def test_every_operation_has_a_row_with_its_number() -> None:
    for kind in get_args(Operation):
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
        assert f"| {kind.__struct_config__.tag} | `{name}` |" in PAGE


def test_every_code_stands_beside_what_it_refuses() -> None:
    missing = [code.name for code in Code if code is not Code.OK and code.name not in PAGE]
    assert not missing


def test_every_event_is_listed() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "ledger").glob("rules_*.py")
    )
    kinds = set(re.findall(r'"([a-z]+\.[a-z]+)"', sources))
    assert len(kinds) > 10
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in PAGE] == []


def test_every_topic_of_the_state_is_listed() -> None:
    source = Path(state_keys.__file__).read_text(encoding="utf-8")
    topics = set(re.findall(r'b"([a-z])"', source))
    assert [topic for topic in sorted(topics) if f"| `{topic}`" not in PAGE] == []
