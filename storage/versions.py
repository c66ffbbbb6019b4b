"""Every version of every state key on disk, in the order of the changes.

A change is appended once and never rewritten, so a block costs the bytes of its changes and no
more. A version points to its predecessor, and every second one further back (version v to v minus
its lowest set bit), so that any past version is found in O(log n) reads. Not here: which version
is the newest one (the trie, `tree`).
"""

from collections.abc import Callable, Iterator
from hashlib import sha256

import msgspec

from moyai.primitives.codec import Codec, encode
from moyai.primitives.state_proof import EMPTY, Leaf, value_digest
from moyai.storage.section import Change


class StoredVersion(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One version of one key; a value of none says that it was deleted."""

    key: bytes
    value: bytes | None
    height: int
    version: int
    previous_hash: bytes
    previous_sequence: int
    far_sequence: int

    def leaf(self) -> Leaf:
        """Return the leaf that the trie holds for it."""
        key_digest = sha256(self.key).digest()
        digest = value_digest(self.value)
        return Leaf(key_digest, digest, self.height, self.version, self.previous_hash)


VersionReader = Callable[[int], StoredVersion | None]
"""Returns the version stored under a sequence; none when it was pruned."""

_codec = Codec(StoredVersion, name="stored version")


def encode_version(version: StoredVersion) -> bytes:
    """Return the bytes of a stored version."""
    return encode(version)


def decode_version(data: bytes) -> StoredVersion:
    """Return the version that `data` encodes. Raises `CodecError`."""
    return _codec.decode(data)


def pending_version(change: Change, height: int) -> StoredVersion:
    """Return the version that a change makes, before the far link is known."""
    old = change.old
    if old is None:
        return StoredVersion(change.key, change.value, height, 1, EMPTY, 0, 0)
    _, node, sequence, version = old
    return StoredVersion(change.key, change.value, height, version + 1, node, sequence, 0)


def link_far(version: StoredVersion, read: VersionReader) -> StoredVersion:
    """Return the version with its far link: to version v minus the lowest set bit of v."""
    target = version.version & (version.version - 1)
    if target == 0:
        return version
    sequence = version.previous_sequence
    number = version.version - 1
    while number > target:
        stored = read(sequence)
        if stored is None or not stored.far_sequence:
            return version  # what it would point to is gone, or was never here
        sequence, number = stored.far_sequence, number & (number - 1)
    return msgspec.structs.replace(version, far_sequence=sequence)


def version_at(newest: StoredVersion, height: int, read: VersionReader) -> StoredVersion | None:
    """Return the version in force after block `height`; none when the key was not yet there.

    Links may lead to pruned versions: those were no longer in force at any height that is kept.
    """
    version: StoredVersion | None = newest
    while version is not None and version.height > height:
        far = read(version.far_sequence) if version.far_sequence else None
        if far is not None and far.height > height:
            version = far
        else:
            version = read(version.previous_sequence) if version.previous_sequence else None
    return version


def versions_back(newest: StoredVersion, read: VersionReader) -> Iterator[StoredVersion]:
    """Yield all versions from the newest one back to the first that is kept."""
    version: StoredVersion | None = newest
    while version is not None:
        yield version
        version = read(version.previous_sequence) if version.previous_sequence else None
