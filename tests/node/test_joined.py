"""A key has its journal once, and what says so survives the loss of the data folder."""

from pathlib import Path

from harness.core_city import GENESIS
from moyai.node.joined import mark_joined
from moyai.primitives.genesis import genesis_digest


def test_only_the_first_mark_is_the_first(tmp_path: Path) -> None:
    key_file = tmp_path / "validator.key"
    assert mark_joined(key_file, GENESIS)
    assert not mark_joined(key_file, GENESIS)
    assert mark_joined(tmp_path / "other.key", GENESIS)


def test_the_mark_names_the_network(tmp_path: Path) -> None:
    mark_joined(tmp_path / "validator.key", GENESIS)
    (mark,) = tmp_path.iterdir()
    assert mark.read_text(encoding="ascii").strip() == genesis_digest(GENESIS).hex()
