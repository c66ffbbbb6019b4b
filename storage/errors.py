"""What can go wrong with what lies on disk, each with what to do about it.

Not here: proofs that do not verify (`primitives.errors`).
"""

from moyai.primitives.errors import MoyaiError


class StorageError(MoyaiError):
    """A store cannot be used as it is."""

    code = "storage"


class MissingStoreError(StorageError):
    """There is no store where one is expected."""

    code = "store_missing"


class StoreExistsError(StorageError):
    """There already is a store where a new one should go."""

    code = "store_exists"


class AlreadyInUseError(StorageError):
    """Another process holds the lock of the store."""

    code = "store_in_use"


class ReadOnlyStoreError(StorageError):
    """The directory or a file of the store cannot be written."""

    code = "store_read_only"


class NewerFormatError(StorageError):
    """The store was written by a newer version of the program."""

    code = "store_newer"


class OtherNetworkError(StorageError):
    """The store belongs to a network with another genesis."""

    code = "store_other_network"


class OtherKeyError(StorageError):
    """The journal belongs to another validator key."""

    code = "journal_other_key"


class NotAbstainingError(StorageError):
    """The journal may vote already."""

    code = "journal_not_abstaining"


class CorruptedError(StorageError):
    """A stored value is not what was written: a digest, a root or a link does not hold."""

    code = "store_corrupted"


class CommitFailed(StorageError):
    """A commit failed, so nothing that was written since the last good one can be relied on.

    LMDB forgets a failed sync: a later commit would seem to succeed over lost data.
    """

    code = "commit_failed"


class StorageFull(CommitFailed):
    """The map or the disk under it has no room for the transaction."""

    code = "storage_full"


class ReadExpired(StorageError):
    """A read transaction was kept open for longer than the store allows."""

    code = "read_expired"
