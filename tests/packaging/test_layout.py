"""Flat folders, one import name: links, wheel, sdist and checks speak of the same list."""

import tomllib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TARGETS = PROJECT["tool"]["hatch"]["build"]["targets"]
SHIPPED: list[str] = TARGETS["wheel"]["only-include"]
PACKAGES = [folder for folder in SHIPPED if folder != "config"]


def test_every_folder_with_sources_is_shipped() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == set(PACKAGES)


def test_the_sdist_holds_what_the_wheel_is_built_from() -> None:
    assert set(SHIPPED) <= set(TARGETS["sdist"]["only-include"])


def test_every_folder_is_checked_for_its_layer() -> None:
    roots = PROJECT["tool"]["importlinter"]["root_packages"]
    assert set(roots) == {f"moyai.{package}" for package in PACKAGES}
    banned = PROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    assert set(PACKAGES) <= set(banned)


def test_every_part_of_the_links_but_their_shell_is_held_pure() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (pure,) = [contract for contract in contracts if contract["name"].startswith("Links are sans")]
    shell = {"moyai.p2p.connection", "moyai.p2p.hub", "moyai.p2p.pipe", "moyai.p2p.ports"}
    parts = {f"moyai.p2p.{path.stem}" for path in (ROOT / "p2p").glob("*.py")}
    assert set(pure["source_modules"]) == parts - shell - {"moyai.p2p.__init__"}


@pytest.mark.parametrize("folder", SHIPPED)
def test_the_import_name_is_a_relative_link_to_the_folder(folder: str) -> None:
    link = ROOT / ".dev" / "moyai" / folder
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == ROOT / folder
    assert link.is_dir()


def test_the_import_name_holds_nothing_else() -> None:
    assert {path.name for path in (ROOT / ".dev" / "moyai").iterdir()} == {
        *SHIPPED,
        *(["__pycache__"] if (ROOT / ".dev" / "moyai" / "__pycache__").exists() else []),
    }


def test_tests_import_this_checkout_and_no_other() -> None:
    for package in PACKAGES:
        spec = find_spec(f"moyai.{package}")
        assert spec is not None
        assert spec.origin is not None
        assert Path(spec.origin).resolve() == ROOT / package / "__init__.py"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_ships_its_types(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


def test_the_installed_version_is_the_declared_one() -> None:
    assert version("moyai") == PROJECT["project"]["version"]
