"""One LMDB environment on disk: lock, identity, transactions, and what a failed commit means.

Full sync, never a writable map. One process opens it at a time. Not here: what the tables hold.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from enum import Enum, IntEnum
from pathlib import Path
from typing import TypeVar

import lmdb
import msgspec

from moyai.primitives.ids import Digest
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
from moyai.storage.migrate import FORMAT, MIGRATIONS, Migration
from moyai.storage.table import Table, map_full

READ_TRANSACTION_MS_MAX = 2_000
READERS_MAX = 126
ALARM_PERCENT = 70
NO_NEW_TRANSACTIONS_PERCENT = 85
STOP_PERCENT = 95
UNWRITTEN_TAIL_BYTES_MAX = 256 * 1024  # pages that LMDB allocated and freed again
LOCK_FILE = "lock"
DATA_FILE = "data.mdb"
_PARTIAL_FOLDER = "partial"

T = TypeVar("T", bound=Enum)


class FillLevel(IntEnum):
    """How full a store is, by what the node has to do about it."""

    NORMAL = 0
    ALARM = 1
    NO_NEW_TRANSACTIONS = 2
    STOP = 3


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a store lies, whose it is and how large it may become."""

    path: Path
    name: str
    network: Digest
    map_bytes: int
    migrations: Mapping[int, Migration] = MIGRATIONS


def _nothing(txn: lmdb.Transaction, table: Callable[[Enum], Table]) -> None:
    """Write nothing into a new store."""


class Environment:
    """An open environment; thread-agnostic, but one thread at a time may write."""

    def __init__(self, settings: StoreSettings, tables: type[Enum]) -> None:
        """Open the store. Raises the errors of `storage.errors` that name what is in the way."""
        self.name = settings.name
        self._path = settings.path
        self._failed: str | None = None
        if not (settings.path / DATA_FILE).exists():
            raise MissingStoreError(
                "there is none",
                what=self._what,
                next="check data_dir; restore a backup, or prepare the node with "
                "`moyai init`, with --lost-journal when its key may have voted",
            )
        with ExitStack() as opened:
            self._lock = _lock(settings)
            opened.callback(os.close, self._lock)
            try:
                self._lmdb = _open(settings, settings.path, tables)
                opened.callback(self._lmdb.close)
                self._check_length()
                self._tables = _tables(settings, self._lmdb, tables)
                self._meta = self._tables[tables("meta")]
                self._check_identity(settings)
            except lmdb.Error as error:
                raise _unreadable(self._what, error) from None
            opened.pop_all()

    @staticmethod
    def create(
        settings: StoreSettings, tables: type[Enum], first: Migration = _nothing
    ) -> "Environment":
        """Make a new store with what `first` writes, and open it.

        It appears in one step with everything in it, whatever happens meanwhile. Raises the errors
        of `storage.errors`.
        """
        what = f"{settings.name} store"
        try:
            settings.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _read_only(what, error) from None
        _refuse_existing(settings)
        lock = _lock(settings)
        try:
            _refuse_existing(settings)
            _make(settings, tables, first)
        finally:
            os.close(lock)
        return Environment(settings, tables)

    def table(self, table: Enum) -> Table:
        """Return a table of this environment."""
        return self._tables[table]

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return all tables."""
        return tuple(self._tables.values())

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        """Run a write transaction and commit it with a full sync.

        Raises `CommitFailed` or `StorageFull`; after either the environment refuses every write.
        """
        if self._failed is not None:
            raise self._commit_failed(f"an earlier commit failed: {self._failed}")
        txn = self._lmdb.begin(write=True)
        try:
            yield txn
        except StorageFull as error:
            self._failed = error.reason
            txn.abort()
            raise
        except lmdb.Error as error:
            self._failed = str(error)
            txn.abort()
            raise self._commit_failed(str(error)) from None
        except BaseException:
            txn.abort()
            raise
        self._commit(txn)

    @contextmanager
    def read(self) -> Iterator["ReadTransaction"]:
        """Open a read transaction; never keep it over an await. Raises `CorruptedError`."""
        try:
            with self._lmdb.begin(buffers=False) as txn:
                yield ReadTransaction(txn, self._what)
        except lmdb.Error as error:
            raise _unreadable(self._what, error) from None

    @property
    def failed(self) -> bool:
        """Return whether a commit failed; the node must stop."""
        return self._failed is not None

    @property
    def used_bytes(self) -> int:
        """Return the bytes of the file that LMDB has ever used."""
        return int((self._lmdb.info()["last_pgno"] + 1) * self._lmdb.stat()["psize"])

    @property
    def capacity_bytes(self) -> int:
        """Return how large the store can become: by its map, and by the disk under it."""
        disk = os.statvfs(self._path)
        return min(self._lmdb.info()["map_size"], self.used_bytes + disk.f_bavail * disk.f_frsize)

    @property
    def fill_level(self) -> FillLevel:
        """Return how full the store is."""
        percent = self.used_bytes * 100 // self.capacity_bytes
        if percent >= STOP_PERCENT:
            return FillLevel.STOP
        if percent >= NO_NEW_TRANSACTIONS_PERCENT:
            return FillLevel.NO_NEW_TRANSACTIONS
        return FillLevel.ALARM if percent >= ALARM_PERCENT else FillLevel.NORMAL

    def bytes_by_table(self) -> dict[str, int]:
        """Return the bytes that each table takes."""
        with self.read() as txn:
            return {table.name: table.bytes_used(txn.raw) for table in self._tables.values()}

    def verify(self) -> int:
        """Check every value of every table and return their number. Raises `CorruptedError`."""
        with self._lmdb.begin() as txn:
            return sum(table.verify(txn) for table in self._tables.values())

    def copy(self, target: Path) -> None:
        """Write a compacted copy into the empty directory `target` and sync it."""
        try:
            self._lmdb.copy(str(target), compact=True)
        except lmdb.Error as error:
            raise CommitFailed(
                f"the copy failed: {error}", what=self._what, next="free disk space and try again"
            ) from None
        sync_path(target / DATA_FILE)
        sync_path(target)

    def replace_by(self, data_file: Path) -> None:
        """Close the environment and put a copy made by `copy` in its place, in one step."""
        self._lmdb.close()
        os.replace(data_file, self._path / DATA_FILE)
        sync_path(self._path)
        os.close(self._lock)

    def close(self) -> None:
        """Close the environment and release the lock."""
        self._lmdb.close()
        os.close(self._lock)

    def _check_length(self) -> None:
        """Refuse a file that was cut off: reading behind its end would kill the process.

        The last pages may rightly be unwritten. They become zeros, so that a page that was written
        and is gone is found out when it is read.
        """
        data_file = self._path / DATA_FILE
        missing = self.used_bytes - data_file.stat().st_size
        if missing > UNWRITTEN_TAIL_BYTES_MAX:
            raise CorruptedError(
                f"is cut off: {missing} bytes are missing", what=self._what, next=_START_ANEW
            )
        if missing > 0:
            os.truncate(data_file, self.used_bytes)

    @property
    def _what(self) -> str:
        return f"{self.name} store"

    def _commit(self, txn: lmdb.Transaction) -> None:
        try:
            txn.commit()
        except lmdb.MapFullError:
            self._failed = "the store is full"
            raise map_full(self.name) from None
        except lmdb.Error as error:
            self._failed = str(error)
            raise self._commit_failed(str(error)) from None

    def _commit_failed(self, reason: str) -> CommitFailed:
        return CommitFailed(
            f"the commit failed: {reason}",
            what=self._what,
            next="stop the node, check the disk, start again; it verifies what it finds",
        )

    def _check_identity(self, settings: StoreSettings) -> None:
        with self._lmdb.begin() as txn:
            written = int.from_bytes(self._meta.require(txn, b"format"), "big")
            if written > FORMAT:
                raise NewerFormatError(
                    f"has format {written}; this program knows formats up to {FORMAT}",
                    what=self._what,
                    next="install the version that wrote it, or a newer one",
                )
            if self._meta.require(txn, b"network") != settings.network:
                raise OtherNetworkError(
                    "belongs to a network with another genesis",
                    what=self._what,
                    next="use the genesis file it was made with, or another data directory",
                )
            if self._meta.require(txn, b"kind") != settings.name.encode():
                raise CorruptedError(
                    "is a store of another kind", what=self._what, next="check the data directory"
                )
        while written < FORMAT:
            with self.write() as txn:
                settings.migrations[written](txn, self.table)
                written += 1
                self._meta.put(txn, b"format", written.to_bytes(4, "big"))


class ReadTransaction:
    """A read transaction that may not live for long."""

    __slots__ = ("_deadline", "_txn", "_what")

    def __init__(self, txn: lmdb.Transaction, what: str) -> None:
        self._txn = txn
        self._what = what
        self._deadline = time.monotonic() + READ_TRANSACTION_MS_MAX / 1_000

    @property
    def raw(self) -> lmdb.Transaction:
        """Return the transaction. Raises `ReadExpired` when it is too old."""
        if time.monotonic() > self._deadline:
            raise ReadExpired(
                f"a read was open for more than {READ_TRANSACTION_MS_MAX} ms",
                what=self._what,
                next="read less at once, in pages",
            )
        return self._txn


def sync_path(path: Path) -> None:
    """Make a file or the entries of a directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_existing(settings: StoreSettings) -> None:
    if (settings.path / DATA_FILE).exists():
        raise StoreExistsError(
            "there already is one",
            what=f"{settings.name} store",
            next="choose an empty data directory",
        )


def _lock(settings: StoreSettings) -> int:
    what = f"{settings.name} store"
    try:
        descriptor = os.open(settings.path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _read_only(what, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise AlreadyInUseError(
            "another process has it open", what=what, next="stop that process first"
        ) from None
    return descriptor


def _open(settings: StoreSettings, path: Path, tables: type[Enum]) -> lmdb.Environment:
    return lmdb.open(
        str(path),
        map_size=settings.map_bytes,
        max_dbs=len(tables),
        max_readers=READERS_MAX,
        readahead=False,
        mode=0o600,
    )


def _tables(
    settings: StoreSettings, environment: lmdb.Environment, tables: type[Enum]
) -> dict[Enum, Table]:
    with environment.begin(write=True) as txn:
        return {
            table: Table(
                settings.name, table.value, environment.open_db(table.value.encode(), txn=txn)
            )
            for table in tables
        }


def _make(settings: StoreSettings, tables: type[Enum], first: Migration) -> None:
    """Write a store under a temporary name and give it its own when it is durable."""
    partial = settings.path / _PARTIAL_FOLDER
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    environment = _open(settings, partial, tables)
    opened = _tables(settings, environment, tables)
    meta = opened[tables("meta")]
    with environment.begin(write=True) as txn:
        meta.put(txn, b"format", FORMAT.to_bytes(4, "big"))
        meta.put(txn, b"network", settings.network)
        meta.put(txn, b"kind", settings.name.encode())
        first(txn, opened.__getitem__)
    environment.close()
    sync_path(partial / DATA_FILE)
    os.replace(partial / DATA_FILE, settings.path / DATA_FILE)
    sync_path(settings.path)
    shutil.rmtree(partial)


def _read_only(what: str, error: OSError) -> ReadOnlyStoreError:
    return ReadOnlyStoreError(
        f"cannot be written: {error.strerror}",
        what=what,
        next="give the user that runs the node write access to the data directory",
    )


def _unreadable(what: str, error: lmdb.Error) -> Exception:
    if isinstance(error, lmdb.ReadonlyError) or "Permission denied" in str(error):
        return _read_only(what, PermissionError(13, "permission denied"))
    return CorruptedError(
        f"cannot be read: {error}",
        what=what,
        next=_START_ANEW,
    )


_START_ANEW = "restore a backup or start with an empty data directory and let the node catch up"
