"""Backup, restore and compaction: complete or not there, and a restored validator abstains."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stored_chain import KEY, MAP_BYTES, ChainBuilder
from moyai.consensus.records import VoteRecord
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.ids import ZERO_DIGEST, Digest, Epoch, ValidatorIndex, View
from moyai.primitives.vote import Vote, VoteKind
from moyai.storage import backup as backup_module
from moyai.storage.backup import Owner, backup, compact, restore
from moyai.storage.chain import ChainStore
from moyai.storage.errors import (
    AlreadyInUseError,
    CommitFailed,
    CorruptedError,
    MissingStoreError,
    StoreExistsError,
)
from moyai.storage.journal import Journal


class Node:
    """A data directory with both stores, some blocks and one vote."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.chain = ChainBuilder(self.data / "chain")
        self.network = genesis_digest(self.chain.genesis)
        self.owner = Owner(self.chain.genesis, KEY, MAP_BYTES, MAP_BYTES)
        path = self.data / "journal"
        self.journal = Journal.create(path, KEY, self.network, map_bytes=MAP_BYTES)
        for height in range(1, 6):
            self.chain.add({b"key": b"%d" % height})
        vote = Vote(
            Epoch(0), View(1), VoteKind.NULLIFY, ZERO_DIGEST, ValidatorIndex(0), b"\x00" * 64
        )
        self.journal.commit([VoteRecord(vote)], {})

    def backup(self, target: Path) -> backup_module.CopyReport:
        return backup(self.chain.store, self.journal, target, self.owner)

    def close(self) -> None:
        self.chain.store.close()
        self.journal.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    for store in (made.chain.store, made.journal):
        try:
            store.close()
        except OSError:
            continue


def test_a_backup_of_a_running_node_restores_to_the_same_chain(node: Node, tmp_path: Path) -> None:
    report = node.backup(tmp_path / "backup")
    assert report.height == 5
    assert report.values > 20
    node.chain.add({b"key": b"after the backup"})
    restored = restore(tmp_path / "backup", tmp_path / "again", node.owner)
    assert restored.height == 5
    store = ChainStore.open(tmp_path / "again" / "chain", node.chain.genesis, map_bytes=MAP_BYTES)
    assert store.states.get(b"key").value == b"5"
    assert store.states.root == node.chain.executed[5].state_root
    store.close()


def test_a_restored_validator_abstains(node: Node, tmp_path: Path) -> None:
    node.backup(tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again", node.owner)
    path = tmp_path / "again" / "journal"
    journal = Journal.open(path, KEY, node.network, map_bytes=MAP_BYTES)
    recovered = journal.load()
    assert recovered.abstain.abstaining
    assert not recovered.unused
    assert len(recovered.votes) == 1
    journal.close()


def test_neither_backup_nor_restore_writes_over_anything(node: Node, tmp_path: Path) -> None:
    node.backup(tmp_path / "backup")
    with pytest.raises(StoreExistsError, match="choose a new directory"):
        node.backup(tmp_path / "backup")
    with pytest.raises(StoreExistsError, match="newer perhaps"):
        restore(tmp_path / "backup", node.data, node.owner)
    with pytest.raises(MissingStoreError, match="has no journal store"):
        restore(tmp_path / "nothing", tmp_path / "again", node.owner)


def test_a_damaged_backup_is_not_restored(node: Node, tmp_path: Path) -> None:
    node.backup(tmp_path / "backup")
    data = tmp_path / "backup" / "chain" / "data.mdb"
    content = bytearray(data.read_bytes())
    place = content.index(node.chain.headers[3].log_root)
    content[place] ^= 1
    data.write_bytes(content)
    with pytest.raises(CorruptedError, match="headers"):
        restore(tmp_path / "backup", tmp_path / "again", node.owner)
    assert not (tmp_path / "again" / "chain" / "data.mdb").exists()


def test_a_backup_that_fails_half_way_leaves_no_backup(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(target: Path) -> None:
        raise CommitFailed("the copy failed: no space left on device")

    monkeypatch.setattr(node.chain.store.environment, "copy", fail)
    with pytest.raises(CommitFailed):
        node.backup(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
    monkeypatch.undo()
    assert node.backup(tmp_path / "backup").height == 5


def test_compaction_shrinks_the_files_and_keeps_the_content(tmp_path: Path) -> None:
    node = Node(tmp_path)
    for height in range(6, 40):
        node.chain.add({b"key%d" % number: b"%d" % height for number in range(60)})
    root = node.chain.store.states.root
    with pytest.raises(AlreadyInUseError):
        compact(node.data, node.owner)
    node.close()
    report = compact(node.data, node.owner)
    assert report.bytes_after < report.bytes_before
    assert sorted(one.name for one in node.data.iterdir()) == ["chain", "journal"]
    store = ChainStore.open(node.data / "chain", node.chain.genesis, map_bytes=MAP_BYTES)
    assert store.states.root == root
    store.close()
    journal = Journal.open(node.data / "journal", KEY, node.network, map_bytes=MAP_BYTES)
    assert len(journal.load().votes) == 1
    journal.close()


def test_a_backup_of_another_network_is_refused(node: Node, tmp_path: Path) -> None:
    node.backup(tmp_path / "backup")
    assert isinstance(node.network, bytes)
    other = Node(tmp_path / "other")
    other.close()
    wrong = Owner(other.chain.genesis, type(KEY)(bytes(32)), MAP_BYTES, MAP_BYTES)
    with pytest.raises(Exception, match="belongs to the key"):
        restore(tmp_path / "backup", tmp_path / "again", wrong)
    assert Digest(node.network) == other.network
