"""The state trie as its definition says it: recursive, slow, kept whole for every height.

It restates the rule and shares no code with what it checks.
"""

import hashlib
import struct

ZERO = bytes(32)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class ReferenceTree:
    """Every version of every key: digest -> [(value, height, hash)]."""

    def __init__(self) -> None:
        self.versions: dict[bytes, list[tuple[bytes | None, int, bytes]]] = {}

    def apply(self, changes: dict[bytes, bytes | None], height: int) -> None:
        for key, value in changes.items():
            versions = self.versions.setdefault(sha(key), [])
            if value is None and not versions:
                del self.versions[sha(key)]
                continue
            previous = versions[-1][2] if versions else ZERO
            value_digest = ZERO if value is None else sha(b"\x02" + value)
            numbers = struct.pack(">QQ", height, len(versions) + 1)
            leaf = sha(b"\x00" + sha(key) + value_digest + numbers + previous)
            versions.append((value, height, leaf))

    def get(self, key: bytes, height: int) -> bytes | None:
        known = [value for value, at, _ in self.versions.get(sha(key), []) if at <= height]
        return known[-1] if known else None

    def root(self, height: int) -> bytes:
        leaves = {}
        for digest, versions in self.versions.items():
            known = [leaf for _, at, leaf in versions if at <= height]
            if known:
                leaves[int.from_bytes(digest, "big")] = known[-1]
        return self._subtree(leaves, 255)

    def _subtree(self, leaves: dict[int, bytes], bit: int) -> bytes:
        if len(leaves) <= 1:
            return next(iter(leaves.values()), ZERO)
        left = {key: leaf for key, leaf in leaves.items() if not key >> bit & 1}
        right = {key: leaf for key, leaf in leaves.items() if key >> bit & 1}
        return sha(b"\x01" + self._subtree(left, bit - 1) + self._subtree(right, bit - 1))
