"""Scenarios of upkeep: snapshots when they are due, pruning behind them, never in the way."""

from pathlib import Path

import msgspec
import pytest

from harness.grown_chain import grow, import_whole, snapshot_of
from harness.stored_chain import ChainBuilder
from moyai.node.upkeep import Upkeep, UpkeepSettings
from moyai.primitives.block import Header
from moyai.primitives.transaction import CheckedTransaction
from moyai.storage.snapshot import ChainSnapshot
from moyai.storage.snapshot_maker import Wanted, due
from moyai.storage.state_snapshots import LEAVES_FILE, SnapshotFolder
from moyai.storage.states import PROOF_ROOTS_KEPT


class Notes:
    """An observer that remembers the news."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def count(self, counter: str, reason: str) -> None:
        raise AssertionError(counter, reason)

    def note(self, event: str, **details: object) -> None:
        self.events.append(event)


def settle(upkeep: Upkeep) -> None:
    while (work := upkeep.turn()) is not None:
        work()


def upkeep_of(
    chain: ChainBuilder, path: Path, blocks: int, retention_ms: int | None = None
) -> tuple[Upkeep, SnapshotFolder, Notes]:
    notes, folder = Notes(), SnapshotFolder(path / "snapshots")
    return Upkeep(chain.store, folder, UpkeepSettings(blocks, retention_ms), notes), folder, notes


@pytest.fixture
def chain(tmp_path: Path) -> ChainBuilder:
    return ChainBuilder(tmp_path / "chain")


def test_snapshots_are_made_when_they_are_due(chain: ChainBuilder, tmp_path: Path) -> None:
    upkeep, folder, notes = upkeep_of(chain, tmp_path, 10)
    for height in range(1, 36):
        chain.add({b"pk": b"%d" % height})
        settle(upkeep)
    assert folder.heights() == [20, 30]
    assert notes.events == ["snapshot_made"] * 3


def test_blocks_that_come_meanwhile_change_nothing(chain: ChainBuilder, tmp_path: Path) -> None:
    upkeep, folder, _ = upkeep_of(chain, tmp_path, 10)
    for height in range(1, 12):
        chain.add({b"pk": b"%d" % height})
    while (work := upkeep.turn()) is not None:
        work()
        if chain.store.height < 60:
            chain.add({b"pk": b"later"})
    newest = folder.all()[-1]
    assert newest.description.attesting.executed.state_root == chain.executed[10].state_root


def test_after_many_blocks_without_a_turn_only_those_still_kept_are_looked_at(
    chain: ChainBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []

    def noted(view: ChainSnapshot, height: int, blocks: int) -> Wanted | None:
        looked_at.append(height)
        return due(view, height, blocks)

    monkeypatch.setattr("moyai.node.upkeep.due", noted)
    upkeep, folder, _ = upkeep_of(chain, tmp_path, 100)
    for _ in range(350):
        chain.append({b"pk": b"%d" % chain.store.height})
    chain.write()
    settle(upkeep)
    assert looked_at == list(range(350 - PROOF_ROOTS_KEPT + 1, 351))
    assert folder.heights() == [300]


def test_none_is_made_when_it_is_turned_off(chain: ChainBuilder, tmp_path: Path) -> None:
    upkeep, folder, _ = upkeep_of(chain, tmp_path, 0)
    for _ in range(12):
        chain.add({})
    assert upkeep.turn() is None
    assert folder.heights() == []


def test_old_blocks_go_once_a_snapshot_stands_above_them(
    chain: ChainBuilder, tmp_path: Path
) -> None:
    upkeep, folder, notes = upkeep_of(chain, tmp_path, 100, retention_ms=50)
    for _ in range(5):
        for _ in range(60):
            chain.append({b"pk": b"%d" % chain.store.height})
        chain.write()
        settle(upkeep)
    assert folder.heights() == [100, 200]
    assert chain.store.base == 0
    for _ in range(120):
        chain.append({b"pk": b"%d" % chain.store.height})
    chain.write()
    settle(upkeep)
    assert chain.store.base == 150  # 50 ms before the older snapshot kept
    assert notes.events.count("pruning") == 1
    assert upkeep.bytes_reclaimed > 0


def test_a_full_disk_under_the_snapshots_stops_nothing(chain: ChainBuilder, tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("no folder")
    upkeep, folder, notes = upkeep_of(chain, tmp_path, 10)
    for _ in range(12):
        chain.add({})
    with pytest.raises(NotADirectoryError):
        folder.begin()
    settle(upkeep)
    assert notes.events == ["snapshot_given_up"]


def test_a_disk_that_fills_up_meanwhile_stops_nothing_and_is_given_back(
    chain: ChainBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upkeep, folder, notes = upkeep_of(chain, tmp_path, 10)
    begin = folder.begin

    def begin_on_a_full_disk() -> Path:
        partial = begin()
        (partial / LEAVES_FILE).symlink_to("/dev/full")
        return partial

    monkeypatch.setattr(folder, "begin", begin_on_a_full_disk)
    for number in range(12):
        chain.add({b"pk%d" % number: bytes(1_000)})
    settle(upkeep)
    assert notes.events == ["snapshot_given_up"]
    assert list(folder.path.iterdir()) == []


class Lagging(ChainBuilder):
    """Headers attest the roots of some blocks before."""

    def _header(self, body: tuple[CheckedTransaction, ...]) -> Header:
        header = super()._header(body)
        return msgspec.structs.replace(header, executed=self.executed[max(0, header.height - 4)])


def test_a_store_that_began_with_a_state_makes_none_of_what_lies_below(tmp_path: Path) -> None:
    chain = Lagging(tmp_path / "chain")
    grow(chain, 30)
    kept = snapshot_of(chain, tmp_path / "theirs")
    twin = import_whole(chain, kept, tmp_path / "twin")
    upkeep, folder, _ = upkeep_of(twin, tmp_path, 1)
    settle(upkeep)
    assert folder.heights() == []
    twin.store.close()
    chain.store.close()


def test_snapshots_of_a_chain_store_that_is_gone_are_in_nobodys_way(
    chain: ChainBuilder, tmp_path: Path
) -> None:
    grow(chain, 400)
    for _ in range(2):
        grow(chain, 1)
        snapshot_of(chain, tmp_path / "snapshots")
    anew = ChainBuilder(tmp_path / "anew")
    upkeep, folder, notes = upkeep_of(anew, tmp_path, 100, retention_ms=50)
    for _ in range(300):
        anew.append({b"pk": b"%d" % anew.store.height})
        anew.write()
        settle(upkeep)
    assert folder.heights() == [100, 200]
    assert notes.events == ["snapshot_made"] * 2
    newest = snapshot_of(chain, tmp_path / "others")
    twin = import_whole(chain, newest, tmp_path / "twin")
    _, left, _ = upkeep_of(twin, tmp_path, 100)
    assert left.heights() == []
    anew.store.close()
    twin.store.close()
