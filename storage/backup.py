"""Backup, restore and compaction of a node's two stores.

A copy is made through LMDB, so it is consistent even of a running node; it is complete under a
temporary name first, opened, checked and only then given its name. A restored journal has forgotten
votes, so it is marked: the validator abstains until it is safe (`docs/storage.md`).
"""

import os
import shutil
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from moyai.primitives.genesis import Genesis, genesis_digest
from moyai.primitives.ids import Height, PublicKey
from moyai.storage import chain as chain_store
from moyai.storage import journal as journal_store
from moyai.storage.chain import ChainStore
from moyai.storage.environment import DATA_FILE, sync_path
from moyai.storage.errors import MissingStoreError, StoreExistsError
from moyai.storage.journal import Journal

JOURNAL_FOLDER = "journal"
CHAIN_FOLDER = "chain"
_PARTIAL = ".partial"


class Owner(msgspec.Struct, frozen=True):
    """Whose stores they are, and how large they may become."""

    genesis: Genesis
    key: PublicKey
    journal_map_bytes: int = journal_store.MAP_BYTES
    chain_map_bytes: int = chain_store.MAP_BYTES


class CopyReport(msgspec.Struct, frozen=True):
    """What a copy holds."""

    height: Height
    values: int
    bytes_written: int


class CompactReport(msgspec.Struct, frozen=True):
    """How many bytes the two data files had, and have."""

    bytes_before: int
    bytes_after: int


def backup(chain: ChainStore, journal: Journal, target: Path, owner: Owner) -> CopyReport:
    """Copy both stores, open ones, into a new directory. Raises the errors of `storage.errors`."""
    partial = _partial_directory(target)
    # The journal first: what it prunes meanwhile is in the chain store by then.
    for name, environment in (
        (JOURNAL_FOLDER, journal.environment),
        (CHAIN_FOLDER, chain.environment),
    ):
        (partial / name).mkdir(mode=0o700)
        environment.copy(partial / name)
    report = _check_copy(partial, owner)
    _publish(partial, target)
    return report


def restore(source: Path, data_directory: Path, owner: Owner) -> CopyReport:
    """Copy a backup to where a node without stores expects them; the journal will abstain.

    Raises the errors of `storage.errors`.
    """
    for name in (JOURNAL_FOLDER, CHAIN_FOLDER):
        if not (source / name / DATA_FILE).exists():
            raise MissingStoreError(
                f"has no {name} store", what="backup", next="name the directory that `backup` made"
            )
        if (data_directory / name / DATA_FILE).exists():
            raise StoreExistsError(
                "there already is one, newer perhaps than the backup",
                what=f"{name} store",
                next="move it away first",
            )
    partial = _partial_directory(data_directory / "restored")
    for name in (JOURNAL_FOLDER, CHAIN_FOLDER):
        (partial / name).mkdir(mode=0o700)
        shutil.copyfile(source / name / DATA_FILE, partial / name / DATA_FILE)
        sync_path(partial / name / DATA_FILE)
    with closing(_open_journal(partial, owner)) as journal:
        journal.mark_abstaining()
    report = _check_copy(partial, owner)
    # The chain first: a journal alone would look like a node whose chain store was lost.
    for name in (CHAIN_FOLDER, JOURNAL_FOLDER):
        shutil.rmtree(data_directory / name, ignore_errors=True)
        _publish(partial / name, data_directory / name)
    partial.rmdir()
    return report


def compact(data_directory: Path, owner: Owner) -> CompactReport:
    """Rewrite both data files without the space they no longer use; no node may have them open.

    Each file is replaced in one step, and only by a copy that was opened and checked.
    """
    before = _data_bytes(data_directory)
    partial = _partial_directory(data_directory / "compacted")
    with ExitStack() as opened:
        journal = opened.enter_context(closing(_open_journal(data_directory, owner)))
        chain = opened.enter_context(closing(_open_chain(data_directory, owner)))
        stores = ((JOURNAL_FOLDER, journal.environment), (CHAIN_FOLDER, chain.environment))
        for name, environment in stores:
            (partial / name).mkdir(mode=0o700)
            environment.copy(partial / name)
        _check_copy(partial, owner)
        opened.pop_all()
        for name, environment in stores:
            environment.replace_by(partial / name / DATA_FILE)
    shutil.rmtree(partial)
    return CompactReport(before, _data_bytes(data_directory))


def _check_copy(directory: Path, owner: Owner) -> CopyReport:
    with closing(_open_journal(directory, owner)) as journal:
        journal.load()
        values = journal.environment.verify()
    with closing(_open_chain(directory, owner)) as chain:
        values += chain.environment.verify()
        height = chain.committed_height
    return CopyReport(height, values, _data_bytes(directory))


def _open_journal(directory: Path, owner: Owner) -> Journal:
    path, digest = directory / JOURNAL_FOLDER, genesis_digest(owner.genesis)
    return Journal.open(path, owner.key, digest, map_bytes=owner.journal_map_bytes)


def _open_chain(directory: Path, owner: Owner) -> ChainStore:
    path = directory / CHAIN_FOLDER
    return ChainStore.open(path, owner.genesis, map_bytes=owner.chain_map_bytes)


def _partial_directory(target: Path) -> Path:
    if target.exists():
        raise StoreExistsError(
            "already exists", what=f"directory {target.name}", next="choose a new directory"
        )
    partial = target.with_name(target.name + _PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    return partial


def _publish(partial: Path, target: Path) -> None:
    sync_path(partial)
    os.replace(partial, target)
    sync_path(target.parent)


def _data_bytes(directory: Path) -> int:
    files = (directory / name / DATA_FILE for name in (JOURNAL_FOLDER, CHAIN_FOLDER))
    return sum(file.stat().st_blocks * 512 for file in files)
