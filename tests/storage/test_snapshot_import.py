"""Scenarios of imports: a crash at any point leaves a partial import or a whole chain store."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.grown_chain import (
    NAMES,
    RECORDS,
    SIZE,
    begin_import,
    grow,
    import_whole,
    lot,
    recent_of,
    snapshot_of,
)
from harness.stored_chain import ALICE, MAP_BYTES, ChainBuilder
from moyai.primitives.errors import PrunedError
from moyai.primitives.ids import Height
from moyai.storage.blocks import TransactionPlace
from moyai.storage.chain import ChainStore
from moyai.storage.errors import CorruptedError, MissingStoreError, StoreExistsError
from moyai.storage.indexes import IndexRange
from moyai.storage.reindex import reindex
from moyai.storage.snapshot import ChainSnapshot
from moyai.storage.state_snapshots import StoredSnapshot
from moyai.storage.verify import verify_chain


@pytest.fixture
def kept(chain: ChainBuilder, tmp_path: Path) -> StoredSnapshot:
    grow(chain, 30)
    return snapshot_of(chain, tmp_path / "snapshots")


@pytest.fixture
def twin(chain: ChainBuilder, kept: StoredSnapshot, tmp_path: Path) -> Iterator[ChainBuilder]:
    imported = import_whole(chain, kept, tmp_path / "twin")
    yield imported
    imported.store.close()


def sizes(view: ChainSnapshot, height: int) -> list[tuple[bytes, bytes]]:
    wanted = IndexRange(index=SIZE, as_of_height=Height(height))
    names = IndexRange(index=NAMES, as_of_height=Height(height))
    rows = view.index_range(wanted, limit=100) + view.index_range(names, limit=100)
    return [(row.value, row.key) for row in rows]


def test_an_import_is_a_chain_store_that_goes_on(chain: ChainBuilder, twin: ChainBuilder) -> None:
    assert (twin.store.height, twin.store.base) == (29, 30)
    assert twin.store.states.root == chain.executed[29].state_root
    grow(twin, 10)
    grow(chain, 9)
    assert twin.store.tip_header == chain.store.tip_header
    assert twin.executed[-1] == chain.executed[-1]
    with twin.store.snapshot() as view, chain.store.snapshot() as other:
        for height in (29, 33, 38):
            assert sizes(view, height) == sizes(other, height)
        assert view.receipts(35) == other.receipts(35)
        assert view.prove_log(32, 38) == other.prove_log(32, 38)
        assert view.prove_log(29, 38) == other.prove_log(29, 38)
        assert view.prove_state(lot(1)) == other.prove_state(lot(1))
        assert view.state_as_of(lot(1), 29) == other.state_as_of(lot(1), 29)
    report = verify_chain(twin.store)
    assert (report.base, report.blocks) == (30, 11)
    twin.reopen()
    assert twin.store.states.root == chain.store.states.root


def test_what_lies_below_is_refused_by_name(twin: ChainBuilder) -> None:
    grow(twin, 4)
    reads: list[Callable[[ChainSnapshot], object]] = [
        lambda view: view.require_header(20),
        lambda view: view.body(29),
        lambda view: view.receipts(29),
        lambda view: view.state_as_of(lot(1), 28),
        lambda view: view.prove_log(28, 32),
        lambda view: view.log_frontier(10),
        lambda view: view.prove_receipts_root(29, 32),
        lambda view: view.prove_history(lot(1)),
        lambda view: view.events(TransactionPlace(Height(29), 0), limit=5),
        lambda view: sizes(view, 28),
    ]
    with twin.store.snapshot() as view:
        for read in reads:
            with pytest.raises(PrunedError, match="from height 30 on"):
                read(view)
        assert view.transaction_ids(29)
        assert view.header(26) is not None
        assert view.events(TransactionPlace(Height(30), 0), limit=5).rows
        oldest = list(view.history(lot(1)))[-1]
        assert oldest.version > 1
        proof, _ = view.prove_history(b"pcount", first_version=29)
        assert (proof.first_version, len(proof.versions)) == (29, 4)
        assert all(place.height >= 30 for place in view.account_transactions(ALICE, limit=99))


def test_reindexing_an_import_answers_as_before(twin: ChainBuilder) -> None:
    with twin.store.snapshot() as view:
        before = sizes(view, 29)
    reindex(twin.store, lambda *_: pytest.fail("there is no block to execute"))
    with twin.store.snapshot() as view:
        assert sizes(view, 29) == before
        assert len(before) == 2 * RECORDS


def test_an_import_goes_on_where_it_was(
    chain: ChainBuilder, kept: StoredSnapshot, tmp_path: Path
) -> None:
    path = tmp_path / "twin"
    state = begin_import(chain, path, kept.description)
    assert list(state.missing()) == [0]
    state.add_part(0, kept.part(0))
    state.add_part(0, kept.part(0))
    state.close()
    with pytest.raises(MissingStoreError):
        ChainStore.open(path, chain.genesis, map_bytes=MAP_BYTES)
    again = begin_import(chain, path, kept.description)
    assert list(again.missing()) == []
    again.close()
    grow(chain, 3)
    newer = snapshot_of(chain, tmp_path / "snapshots")
    other = begin_import(chain, path, newer.description)
    assert list(other.missing()) == [0]
    other.close()


def test_parts_that_do_not_come_to_the_root_are_named_by_their_folder(
    chain: ChainBuilder, kept: StoredSnapshot, tmp_path: Path
) -> None:
    state = begin_import(chain, tmp_path / "twin", kept.description)
    state.add_part(0, kept.part(0)[1:])
    with pytest.raises(CorruptedError, match="remove the folder `twin`"):
        state.finish((), recent_of(chain, 29, 4))
    state.close()


class Crash(Exception):
    """The process ends here."""


@pytest.mark.parametrize("step", range(6))
def test_a_crash_at_any_step_of_the_end_leaves_one_or_the_other(
    chain: ChainBuilder,
    kept: StoredSnapshot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
) -> None:
    path = tmp_path / "twin"
    state = begin_import(chain, path, kept.description)
    state.add_part(0, kept.part(0))
    recent = recent_of(chain, 29, 4)
    with monkeypatch.context() as patched:
        crash_at(patched, state, step)
        with pytest.raises(Crash):
            state.finish((), recent)
    if not (path / "data.mdb").exists():
        if step < 4:  # later it has closed its files already
            state.close()
        again = begin_import(chain, path, kept.description)
        assert list(again.missing()) == []
        again.finish((), recent)
    store = ChainStore.open(path, chain.genesis, map_bytes=MAP_BYTES)
    assert store.states.root == chain.executed[29].state_root
    verify_chain(store)
    store.close()
    with pytest.raises(StoreExistsError):
        begin_import(chain, path, kept.description)


def crash_at(patched: pytest.MonkeyPatch, state: object, step: int) -> None:
    def crash(*_: object, **__: object) -> None:
        raise Crash

    if step < 4:
        names = ("_sections", "_write_indexes", "_write_chain", "_write_state")
        patched.setattr(state, names[step], crash)
    elif step == 4:
        patched.setattr(os, "replace", crash)
    else:
        patched.setattr(shutil, "rmtree", crash)


def test_a_part_that_comes_again_after_all_is_written_changes_nothing(
    chain: ChainBuilder, kept: StoredSnapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "twin"
    recent = recent_of(chain, 29, 4)
    state = begin_import(chain, path, kept.description)
    state.add_part(0, kept.part(0))
    with monkeypatch.context() as patched:
        crash_at(patched, state, 4)
        with pytest.raises(Crash):
            state.finish((), recent)
    again = begin_import(chain, path, kept.description)
    again.add_part(0, kept.part(0))
    again.close()
    twin = import_whole(chain, kept, path)
    grow(twin, 2)
    grow(chain, 1)
    assert twin.store.tip_header == chain.store.tip_header
    twin.store.close()
