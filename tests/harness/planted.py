"""The list of planted bugs, tests/mutations/planted.toml, and how one is planted in a source.

Not here: trying them (`scripts/mutate`).
"""

import tomllib
from pathlib import Path

import msgspec

LIST = Path(__file__).resolve().parents[1] / "mutations" / "planted.toml"


class Planted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bug: what stands in the place of what, which rule that breaks, and who should notice."""

    name: str
    breaks: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    simulate: bool = False


class Misplanted(Exception):
    """The text that a bug replaces is not there exactly once: the list lags behind the source."""


def load() -> list[Planted]:
    """Return the list, names distinct."""
    rows = tomllib.loads(LIST.read_text(encoding="utf-8"))["planted"]
    planted = msgspec.convert(rows, list[Planted])
    names = [bug.name for bug in planted]
    if len(set(names)) != len(names):
        raise Misplanted(f"two bugs of one name in {LIST}")
    return planted


def mutated(bug: Planted, source: str) -> str:
    """Return `source` with the bug in it."""
    if source.count(bug.before) != 1:
        raise Misplanted(f"{bug.name}: its text is {source.count(bug.before)} times in {bug.file}")
    return source.replace(bug.before, bug.after)
