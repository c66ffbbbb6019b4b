"""An environment on disk: whose it is, who may open it, and what a failed commit means."""

import multiprocessing
import os
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import lmdb
import pytest

from moyai.primitives.ids import Digest
from moyai.storage import environment as environment_module
from moyai.storage.environment import Environment, FillLevel, StoreSettings
from moyai.storage.errors import (
    AlreadyInUseError,
    CommitFailed,
    CorruptedError,
    MissingStoreError,
    NewerFormatError,
    OtherNetworkError,
    ReadExpired,
    ReadOnlyStoreError,
    StorageFull,
    StoreExistsError,
)
from moyai.storage.migrate import FORMAT


class Tables(Enum):
    META = "meta"
    THINGS = "things"


def settings(path: Path, **changes: object) -> StoreSettings:
    known = {"name": "test", "network": Digest(b"\x01" * 32), "map_bytes": 1024**2}
    return StoreSettings(path=path, **{**known, **changes})


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    opened = Environment.create(settings(tmp_path), Tables)
    yield opened
    opened.close()


def fill(environment: Environment, value: bytes) -> None:
    for number in range(10_000):
        put(environment, b"%d" % number, value)


def put(environment: Environment, key: bytes, value: bytes) -> None:
    with environment.write() as txn:
        environment.table(Tables.THINGS).put(txn, key, value)


def get(environment: Environment, key: bytes) -> bytes | None:
    with environment.read() as read:
        return environment.table(Tables.THINGS).get(read.raw, key)


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    first = Environment.create(settings(tmp_path), Tables)
    put(first, b"key", b"value")
    first.close()
    second = Environment(settings(tmp_path), Tables)
    assert get(second, b"key") == b"value"
    second.close()


def test_a_second_one_is_not_made_over_the_first(environment: Environment, tmp_path: Path) -> None:
    with pytest.raises(StoreExistsError, match="already is one"):
        Environment.create(settings(tmp_path), Tables)


def test_a_crash_while_one_is_made_leaves_none_and_the_next_try_makes_it(tmp_path: Path) -> None:
    def crash(txn: lmdb.Transaction, table: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Environment.create(settings(tmp_path), Tables, crash)
    with pytest.raises(MissingStoreError):
        Environment(settings(tmp_path), Tables)

    def first(txn: lmdb.Transaction, table: object) -> None:
        table(Tables.THINGS).put(txn, b"key", b"value")

    opened = Environment.create(settings(tmp_path), Tables, first)
    assert get(opened, b"key") == b"value"
    opened.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data.mdb", "lock", "lock.mdb"]


def test_one_that_is_not_there_is_not_made_by_opening(tmp_path: Path) -> None:
    with pytest.raises(MissingStoreError):
        Environment(settings(tmp_path / "none"), Tables)
    assert not (tmp_path / "none").exists()


def _open_elsewhere(path: Path, answers: "multiprocessing.Queue[str]") -> None:
    try:
        Environment(settings(path), Tables)
    except AlreadyInUseError as error:
        answers.put(error.code)
    else:
        answers.put("opened")


def test_a_second_process_is_kept_out(environment: Environment, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_open_elsewhere, args=(tmp_path, answers))
    process.start()
    assert answers.get(timeout=30) == "store_in_use"
    process.join()


def test_a_store_of_another_network_is_refused(tmp_path: Path) -> None:
    Environment.create(settings(tmp_path), Tables).close()
    with pytest.raises(OtherNetworkError, match="another genesis"):
        Environment(settings(tmp_path, network=Digest(b"\x02" * 32)), Tables)


def test_a_store_of_another_kind_is_refused(tmp_path: Path) -> None:
    Environment.create(settings(tmp_path), Tables).close()
    with pytest.raises(CorruptedError):
        Environment(settings(tmp_path, name="other"), Tables)


def _set_format(path: Path, number: int) -> None:
    opened = Environment.create(settings(path), Tables)
    with opened.write() as txn:
        opened.table(Tables.META).put(txn, b"format", number.to_bytes(4, "big"))
    opened.close()


def test_a_newer_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    _set_format(tmp_path, FORMAT + 1)
    with pytest.raises(NewerFormatError, match=f"format {FORMAT + 1}.*install the version"):
        Environment(settings(tmp_path), Tables)


def test_an_older_format_is_migrated_step_by_step_and_once(tmp_path: Path) -> None:
    _set_format(tmp_path, FORMAT - 1)
    steps = []

    def step(txn: lmdb.Transaction, table: object) -> None:
        steps.append(FORMAT - 1)
        table(Tables.THINGS).put(txn, b"migrated", b"yes")

    for _ in range(2):
        opened = Environment(settings(tmp_path, migrations={FORMAT - 1: step}), Tables)
        assert get(opened, b"migrated") == b"yes"
        opened.close()
    assert steps == [FORMAT - 1]


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    _set_format(tmp_path, FORMAT - 1)

    def step(txn: lmdb.Transaction, table: object) -> None:
        table(Tables.THINGS).put(txn, b"half", b"done")
        raise CorruptedError("does not fit")

    with pytest.raises(CorruptedError, match="does not fit"):
        Environment(settings(tmp_path, migrations={FORMAT - 1: step}), Tables)
    opened = Environment(
        settings(tmp_path, migrations={FORMAT - 1: lambda txn, table: None}), Tables
    )
    assert get(opened, b"half") is None
    opened.close()


def test_a_directory_that_cannot_be_written_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Environment.create(settings(tmp_path), Tables).close()
    real = os.open

    def refuse(path: object, flags: int, *rest: object, **more: object) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *rest, **more)

    # As root no directory is read-only: the answer of the system is what is put in place here.
    monkeypatch.setattr(environment_module.os, "open", refuse)
    with pytest.raises(ReadOnlyStoreError, match="write access"):
        Environment(settings(tmp_path), Tables)


def test_a_data_file_that_is_no_store_says_so(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"not a database" * 1_000)
    with pytest.raises(CorruptedError, match="cannot be read"):
        Environment(settings(tmp_path), Tables)


def test_an_error_inside_a_transaction_leaves_nothing_and_the_store_goes_on(
    environment: Environment,
) -> None:
    with pytest.raises(KeyError), environment.write() as txn:  # noqa: PT012 - the error is inside
        environment.table(Tables.THINGS).put(txn, b"key", b"value")
        raise KeyError
    assert get(environment, b"key") is None
    put(environment, b"key", b"value")
    assert not environment.failed


class FailingCommit:
    """A transaction whose sync fails, as when the disk does."""

    def __init__(self, txn: lmdb.Transaction) -> None:
        self._txn = txn

    def __getattr__(self, name: str) -> object:
        return getattr(self._txn, name)

    def commit(self) -> None:
        self._txn.abort()
        raise lmdb.DiskError("mdb_txn_commit: Input/output error")


def test_after_a_failed_commit_every_write_is_refused(environment: Environment) -> None:
    put(environment, b"before", b"1")
    with pytest.raises(CommitFailed, match="Input/output error"):
        environment._commit(FailingCommit(environment._lmdb.begin(write=True)))
    assert environment.failed
    with pytest.raises(CommitFailed, match="an earlier commit failed"):
        put(environment, b"after", b"2")
    assert get(environment, b"before") == b"1"
    assert get(environment, b"after") is None


def test_a_full_map_refuses_the_write_and_says_so(environment: Environment) -> None:
    with pytest.raises(StorageFull, match="raise its map size"):
        fill(environment, bytes(10_000))
    assert environment.failed
    assert get(environment, b"0") == bytes(10_000)


def test_a_larger_map_opens_a_full_store_again(tmp_path: Path) -> None:
    full = Environment.create(settings(tmp_path), Tables)
    with pytest.raises(StorageFull):
        fill(full, bytes(10_000))
    full.close()
    larger = Environment(settings(tmp_path, map_bytes=16 * 1024**2), Tables)
    put(larger, b"more", bytes(10_000))
    assert larger.fill_level is FillLevel.NORMAL
    larger.close()


def test_the_fill_level_rises_with_what_is_used(environment: Environment) -> None:
    levels = [environment.fill_level]
    for number in range(10_000):
        put(environment, b"%d" % number, bytes(3_000))
        if environment.fill_level is not levels[-1]:
            levels.append(environment.fill_level)
        if levels[-1] is FillLevel.STOP:
            break
    assert levels == list(FillLevel)


def test_a_disk_with_little_room_counts_like_a_small_map(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Disk:
        f_bavail = 1
        f_frsize = 4_096

    monkeypatch.setattr(environment_module.os, "statvfs", lambda path: Disk)
    assert environment.fill_level >= FillLevel.ALARM


def test_a_read_that_is_kept_too_long_ends(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(environment_module.time, "monotonic", lambda: now[0])
    with environment.read() as read:
        now[0] += 1.9
        assert read.raw is not None
        now[0] += 0.2
        with pytest.raises(ReadExpired, match="2000 ms"):
            _ = read.raw


def test_bytes_by_table_and_verify_see_every_table(environment: Environment) -> None:
    put(environment, b"key", bytes(100_000))
    assert environment.bytes_by_table()["things"] > 100_000
    assert environment.verify() == 4


@pytest.mark.parametrize("kept_percent", [30, 60])
def test_a_file_cut_off_a_little_is_found_out_and_kills_nobody(
    tmp_path: Path, kept_percent: int
) -> None:
    environment = Environment.create(settings(tmp_path), Tables)
    for number in range(20):
        put(environment, b"%d" % number, bytes(1_000))
    environment.close()
    data_file = tmp_path / "data.mdb"
    os.truncate(data_file, data_file.stat().st_size * kept_percent // 100)

    def read_all() -> None:
        opened = Environment(settings(tmp_path), Tables)
        try:
            for number in range(20):
                assert get(opened, b"%d" % number) == bytes(1_000)
        finally:
            opened.close()

    with pytest.raises(CorruptedError):
        read_all()
