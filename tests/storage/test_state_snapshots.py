"""Scenarios of snapshots on disk: two are kept, a damaged one is never served."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.grown_chain import grow, snapshot_of
from harness.stored_chain import ChainBuilder
from moyai.storage.errors import CorruptedError
from moyai.storage.state_snapshots import (
    CONTENTS_FILE,
    LEAVES_FILE,
    SnapshotFolder,
    StoredSnapshot,
)


def test_there_is_none_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path / "snapshots")
    assert (folder.newest(), folder.all(), folder.heights()) == (None, (), [])


def test_the_newest_two_are_kept(chain: ChainBuilder, tmp_path: Path) -> None:
    for _ in range(3):
        grow(chain, 4)
        snapshot_of(chain, tmp_path / "snapshots")
    folder = SnapshotFolder(tmp_path / "snapshots")
    assert [one.description.header.height for one in folder.all()] == [11, 7]
    newest = folder.newest()
    assert newest is not None
    assert newest.bytes_on_disk > 500
    assert sum(len(newest.part(index)) for index in range(1)) == chain.store.states.tree.leaf_count


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, bytes]:
    path = tmp_path_factory.mktemp("kept")
    chain = ChainBuilder(path / "chain")
    grow(chain, 3)
    snapshot_of(chain, path / "snapshots")
    chain.store.close()
    folder = path / "snapshots" / "2"
    return folder, (folder / LEAVES_FILE).read_bytes(), (folder / CONTENTS_FILE).read_bytes()


@given(st.data())
def test_every_flipped_byte_is_noticed(
    kept: tuple[Path, bytes, bytes], data: st.DataObject
) -> None:
    folder, leaves, contents = kept
    name, whole = data.draw(st.sampled_from([(LEAVES_FILE, leaves), (CONTENTS_FILE, contents)]))
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / name).write_bytes(bytes(damaged))
    with pytest.raises(CorruptedError, match="snapshot 2"):
        StoredSnapshot(folder).part(0)
    (folder / name).write_bytes(whole)
    assert StoredSnapshot(folder).part(0)


def test_a_damaged_snapshot_is_left_out(chain: ChainBuilder, tmp_path: Path) -> None:
    grow(chain, 3)
    snapshot_of(chain, tmp_path / "snapshots")
    (tmp_path / "snapshots" / "2" / CONTENTS_FILE).unlink()
    assert SnapshotFolder(tmp_path / "snapshots").all() == ()
