"""The lock: every package pinned with hashes, bounded ranges, and no host named anywhere."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("runtime.txt", "dev.txt")
PINNED = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>\S+)(?: ; .+?)?(?: \\)?$")


def locked(lock: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / lock).read_text(encoding="utf-8").splitlines()
    found = [match for line in lines if (match := PINNED.match(line))]
    return {match["name"]: match["version"] for match in found}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(names: list[str]) -> list[Requirement]:
    return [Requirement(name) for name in names]


def runtime_requirements() -> list[Requirement]:
    declared = project()
    extras = declared["project"]["optional-dependencies"].values()
    return requirements(
        [
            *declared["project"]["dependencies"],
            *(name for extra in extras for name in extra),
            *declared["build-system"]["requires"],
        ]
    )


def dev_requirements() -> list[Requirement]:
    group = project()["dependency-groups"]["dev"]
    return requirements([name for name in group if isinstance(name, str)])


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_with_a_hash(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n?", "", text).strip())
    for block in blocks:
        first, *rest = block.splitlines()
        assert PINNED.match(first), f"{lock}: not a pinned package: {first}"
        assert rest, f"{lock}: no hash: {first}"
        for line in rest:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line), line


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_satisfies_what_the_project_asks_for(lock: str) -> None:
    versions = locked(lock)
    wanted = runtime_requirements()
    if lock == "dev.txt":
        wanted += dev_requirements()
    for requirement in wanted:
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in {lock}: run scripts/lock"
        assert requirement.specifier.contains(version), (
            f"{lock} has {requirement.name} {version}, wanted is {requirement}: run scripts/lock"
        )


def test_both_locks_agree() -> None:
    runtime, dev = locked("runtime.txt"), locked("dev.txt")
    differing = {name for name, version in runtime.items() if dev.get(name) != version}
    assert not differing, f"run scripts/lock: {sorted(differing)}"


@pytest.mark.parametrize(
    "requirement", [*runtime_requirements(), *dev_requirements()], ids=lambda item: item.name
)
def test_every_range_has_two_ends(requirement: Requirement) -> None:
    operators = {specifier.operator for specifier in requirement.specifier}
    assert operators == {">=", "<"}, f"{requirement}: give a lowest and a first unwanted version"


def test_no_file_names_an_index() -> None:
    for path in [*(ROOT / "requirements").iterdir(), *(ROOT / "scripts").iterdir()]:
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?m)^\s*(-i|-f|--(extra-)?index-url|--find-links)\b", text), path
            assert "/simple" not in text, path
            assert "pypi." not in text, path
