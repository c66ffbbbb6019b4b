"""Scenarios of making snapshots: the same bytes everywhere, while blocks go on."""

from pathlib import Path

import pytest

from harness.grown_chain import grow, snapshot_of
from harness.stored_chain import ChainBuilder
from moyai.primitives.codec import encode
from moyai.primitives.errors import ProofError
from moyai.primitives.state_snapshot import check_description, check_part
from moyai.storage.snapshot_maker import SnapshotMaker, Wanted, due, make_snapshot
from moyai.storage.state_snapshots import LEAVES_FILE, SnapshotFolder, StoredSnapshot


def wanted_at(chain: ChainBuilder, height: int) -> Wanted:
    with chain.store.snapshot() as view:
        return Wanted(view.require_header(height), view.require_header(height + 1))


def test_a_snapshot_proves_itself(chain: ChainBuilder, tmp_path: Path) -> None:
    grow(chain, 12)
    kept = snapshot_of(chain, tmp_path / "snapshots")
    assert kept.description.header.height == 11
    check_description(kept.description)
    for index in range(1 << kept.description.depth):
        check_part(kept.description, index, kept.part(index))


def test_it_is_cut_into_parts_of_bounded_size(chain: ChainBuilder, tmp_path: Path) -> None:
    chain.add({b"p%d" % number: bytes(1_000) for number in range(700)})
    grow(chain, 1)
    kept = snapshot_of(chain, tmp_path / "snapshots")
    assert kept.description.depth == 3
    parts = [kept.part(index) for index in range(8)]
    assert sum(len(part) for part in parts) == chain.store.states.tree.leaf_count - 2
    for index, part in enumerate(parts):
        check_part(kept.description, index, part)


def test_two_stores_make_the_same_bytes(chain: ChainBuilder, tmp_path: Path) -> None:
    """One makes it while blocks go on, the other after a restart."""
    other = ChainBuilder(tmp_path / "other")
    grow(chain, 20)
    grow(other, 11)
    maker = SnapshotMaker(other.store, SnapshotFolder(tmp_path / "b"), wanted_at(other, 10))
    while maker.collect():
        if other.store.height < 20:
            grow(other, 1)
    chain.reopen()
    while maker.write():
        pass
    with pytest.raises(ProofError, match="no longer kept"):
        make_snapshot(chain.store, SnapshotFolder(tmp_path / "a"), wanted_at(chain, 10))
    grow(chain, 3)
    grow(other, 3)
    first = make_snapshot(chain.store, SnapshotFolder(tmp_path / "a"), wanted_at(chain, 21))
    second = make_snapshot(other.store, SnapshotFolder(tmp_path / "c"), wanted_at(other, 21))
    assert encode(first.description) == encode(second.description)
    leaves = [(tmp_path / name / "21" / LEAVES_FILE).read_bytes() for name in "ac"]
    assert leaves[0] == leaves[1]
    done: StoredSnapshot = maker.finish()
    assert done.description.attesting.executed.state_root == other.executed[10].state_root
    other.store.close()


def test_which_snapshots_are_due_follows_from_the_chain(chain: ChainBuilder) -> None:
    grow(chain, 12)
    with chain.store.snapshot() as view:
        found = [due(view, height, 5) for height in range(13)]
    heights = [(one.header.height, one.attesting.height) for one in found if one is not None]
    assert heights == [(5, 6), (10, 11)]


def test_a_snapshot_given_up_leaves_nothing_behind(chain: ChainBuilder, tmp_path: Path) -> None:
    grow(chain, 5)
    folder = SnapshotFolder(tmp_path / "snapshots")
    maker = SnapshotMaker(chain.store, folder, wanted_at(chain, 4))
    while maker.collect():
        pass
    maker.write()
    maker.close()
    assert folder.heights() == []
    again = make_snapshot(chain.store, folder, wanted_at(chain, 4))
    assert again.description.header.height == 4
