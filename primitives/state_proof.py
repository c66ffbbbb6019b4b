"""Proofs about the state: what a key holds, that it holds nothing, and every version it ever had.

The state is a binary trie over SHA-256(key). An empty subtree is 32 zero bytes, a subtree with one
leaf is that leaf's hash, any other is SHA-256(0x01 ‖ left ‖ right). A leaf is

    SHA-256(0x00 ‖ key digest ‖ value digest ‖ height u64 ‖ version u64 ‖ previous leaf hash)

with the value digest SHA-256(0x02 ‖ value), or 32 zero bytes for a deleted value, the height of the
change, versions from 1, and zeros before the first version. Keys never leave the trie.
Not here: how a node keeps the trie (`storage`), and RFC 6962 trees (`merkle`).
"""

from hashlib import sha256

import msgspec

from moyai.primitives.errors import ProofError
from moyai.primitives.ids import DIGEST_BYTES, Digest

EMPTY = bytes(DIGEST_BYTES)
PATH_SIBLINGS_MAX = 8 * DIGEST_BYTES


class Leaf(msgspec.Struct, array_like=True, frozen=True):
    """One version of one key."""

    key_digest: bytes
    value_digest: bytes
    height: int
    version: int
    previous: bytes

    @property
    def is_deleted(self) -> bool:
        """Return whether this version says that the key holds nothing."""
        return self.value_digest == EMPTY

    @property
    def hash(self) -> bytes:
        """Return the hash under which the trie holds this leaf."""
        return leaf_hash(
            self.key_digest, self.value_digest, self.height, self.version, self.previous
        )


class StateProof(msgspec.Struct, array_like=True, frozen=True):
    """The path to the place of one key: the siblings from the root down, and the leaf found there.

    A sibling is 32 bytes, or no bytes where the sibling is an empty subtree.
    """

    siblings: tuple[bytes, ...]
    leaf: Leaf | None


class Version(msgspec.Struct, array_like=True, frozen=True):
    """What one version adds to its predecessor: the digest of its value and its height."""

    value_digest: bytes
    height: int


class HistoryProof(msgspec.Struct, array_like=True, frozen=True):
    """The versions of one key, oldest first, from `first_version` to the newest one.

    `previous` is the hash of the leaf before the first of them: zeros when that is version 1.
    """

    first_version: int
    previous: bytes
    versions: tuple[Version, ...]
    newest: StateProof


def value_digest(value: bytes | None) -> bytes:
    """Return the digest of a value as leaves carry it; none is a deleted value."""
    return EMPTY if value is None else sha256(b"\x02" + value).digest()


def leaf_hash(
    key_digest: bytes, digest: bytes, height: int, version: int, previous: bytes
) -> bytes:
    """Return the hash of one leaf."""
    numbers = height.to_bytes(8, "big") + version.to_bytes(8, "big")
    return sha256(b"\x00" + key_digest + digest + numbers + previous).digest()


def state_inner_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a subtree with two or more leaves."""
    return sha256(b"\x01" + left + right).digest()


def verify_leaf(root: Digest, key: bytes, proof: StateProof) -> Leaf | None:
    """Return the newest leaf of `key` under `root`, or none when the key never was there.

    The leaf may say that the value is deleted. Raises `ProofError`.
    """
    digest = sha256(key).digest()
    depth = len(proof.siblings)
    if depth > PATH_SIBLINGS_MAX:
        raise _bad(key, "has a path longer than a key digest")
    path = int.from_bytes(digest, "big") >> (PATH_SIBLINGS_MAX - depth)
    node = EMPTY if proof.leaf is None else _checked_leaf(key, proof.leaf, path, depth)
    for sibling in reversed(proof.siblings):
        other = _checked_sibling(key, sibling)
        node = state_inner_hash(other, node) if path & 1 else state_inner_hash(node, other)
        path >>= 1
    if node != root:
        raise _bad(key, "does not lead to the state root")
    if proof.leaf is None or proof.leaf.key_digest != digest:
        return None
    return proof.leaf


def verify_value(root: Digest, key: bytes, value: bytes, proof: StateProof) -> Leaf:
    """Check that `key` holds exactly `value` under `root` and return its leaf.

    Raises `ProofError`.
    """
    leaf = verify_leaf(root, key, proof)
    if leaf is None or leaf.is_deleted:
        raise _bad(key, "shows that the key holds nothing")
    if leaf.value_digest != value_digest(value):
        raise _bad(key, "is of another value")
    return leaf


def verify_absence(root: Digest, key: bytes, proof: StateProof) -> None:
    """Check that `key` holds nothing under `root`: never did, or was deleted.

    Raises `ProofError`.
    """
    leaf = verify_leaf(root, key, proof)
    if leaf is not None and not leaf.is_deleted:
        raise _bad(key, "shows that the key holds a value")


def verify_history(root: Digest, key: bytes, proof: HistoryProof) -> tuple[Leaf, ...]:
    """Return the versions of `key`, oldest first; the last is the newest one under `root`.

    There are no others from the first listed one on; from version 1 on it is the whole history and
    its length the exact count. Raises `ProofError`.
    """
    newest = verify_leaf(root, key, proof.newest)
    if newest is None:
        raise _bad(key, "shows that the key never was in the state")
    if proof.first_version < 1 or (proof.first_version == 1) != (proof.previous == EMPTY):
        raise _bad(key, "starts neither at version 1 nor after another version")
    leaves: list[Leaf] = []
    previous = proof.previous
    for number, version in enumerate(proof.versions, proof.first_version):
        if leaves and version.height <= leaves[-1].height:
            raise _bad(key, "has versions whose heights do not rise")
        leaf = Leaf(newest.key_digest, version.value_digest, version.height, number, previous)
        _check_fields(key, leaf)
        previous = leaf.hash
        leaves.append(leaf)
    if not leaves or leaves[-1] != newest:
        raise _bad(key, "does not end in the newest version")
    return tuple(leaves)


def version_at(leaves: tuple[Leaf, ...], height: int) -> Leaf | None:
    """Return the version of verified `leaves` in force after block `height`.

    None when the key was not yet there. Raises `ProofError` when the list starts too late to say.
    """
    in_force = [leaf for leaf in leaves if leaf.height <= height]
    if in_force:
        return in_force[-1]
    if leaves and leaves[0].version > 1:
        raise ProofError(
            "the versions listed start after this height", what=f"height {height}", next=_ADVICE
        )
    return None


def _checked_leaf(key: bytes, leaf: Leaf, path: int, depth: int) -> bytes:
    _check_fields(key, leaf)
    if int.from_bytes(leaf.key_digest, "big") >> (PATH_SIBLINGS_MAX - depth) != path:
        raise _bad(key, "ends in a leaf that has no place there")
    return leaf.hash


def _check_fields(key: bytes, leaf: Leaf) -> None:
    digests = (leaf.key_digest, leaf.value_digest, leaf.previous)
    if any(len(digest) != DIGEST_BYTES for digest in digests):
        raise _bad(key, "has a digest of a wrong length")
    if not (0 <= leaf.height < 2**64 and 1 <= leaf.version < 2**64):
        raise _bad(key, "has a height or a version out of range")


def _checked_sibling(key: bytes, sibling: bytes) -> bytes:
    if not sibling:
        return EMPTY
    if len(sibling) != DIGEST_BYTES or sibling == EMPTY:
        raise _bad(key, "has a sibling of a wrong form")
    return sibling


_ADVICE = "ask another node for it"


def _bad(key: bytes, reason: str) -> ProofError:
    return ProofError(f"the proof {reason}", what=f"state key {key[:32].hex()}", next=_ADVICE)
