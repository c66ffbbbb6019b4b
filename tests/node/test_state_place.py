"""Scenarios of putting an import in its place: old or new is whole wherever the process dies."""

import os
import shutil
from pathlib import Path

import pytest

from moyai.node.state_place import NEW_NAME, OLD_NAME, adopt, import_place
from moyai.storage.environment import DATA_FILE


def store(folder: Path, content: str) -> None:
    folder.mkdir(parents=True)
    (folder / DATA_FILE).write_text(content)


def test_with_no_import_nothing_changes(tmp_path: Path) -> None:
    chain = tmp_path / "chain"
    assert not adopt(tmp_path, chain)
    store(chain, "old")
    assert not adopt(tmp_path, chain)
    assert (chain / DATA_FILE).read_text() == "old"


def test_an_import_that_is_not_complete_stays_where_it_is(tmp_path: Path) -> None:
    store(import_place(tmp_path) / "importing", "half")
    assert not adopt(tmp_path, tmp_path / "chain")
    assert (tmp_path / NEW_NAME / "importing" / DATA_FILE).exists()


@pytest.mark.parametrize("has_old", [False, True])
def test_a_complete_one_becomes_the_chain_store(tmp_path: Path, has_old: bool) -> None:
    chain = tmp_path / "chain"
    if has_old:
        store(chain, "old")
    store(import_place(tmp_path), "new")
    assert adopt(tmp_path, chain)
    assert (chain / DATA_FILE).read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["chain"]
    assert not adopt(tmp_path, chain)


@pytest.mark.parametrize("deaths", range(4))
def test_it_can_die_before_each_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    chain = tmp_path / "chain"
    store(chain, "old")
    store(import_place(tmp_path), "new")
    steps = 0

    def dying(act: object) -> object:
        def do(*arguments: object, **options: object) -> None:
            nonlocal steps
            steps += 1
            if steps > deaths:
                raise InterruptedError
            assert callable(act)
            act(*arguments, **options)

        return do

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", dying(os.replace))
        patched.setattr(shutil, "rmtree", dying(shutil.rmtree))
        with pytest.raises(InterruptedError):
            adopt(tmp_path, chain)
    kept = [
        name for name in ("chain", OLD_NAME, NEW_NAME) if (tmp_path / name / DATA_FILE).exists()
    ]
    assert kept, "one of them is whole"
    adopt(tmp_path, chain)
    assert (chain / DATA_FILE).read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["chain"]
