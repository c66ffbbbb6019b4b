"""The key space of the state, one line a kind; the first byte is the topic.

Names are followed by a zero byte, which no name contains, so that no two things share a key.
"""

from moyai.primitives.ids import AccountId, Epoch, PublicKey

PARAMETERS = b"p"
"""The key of the chain's `Parameters`."""

GOVERNANCE = b"g"
"""The key of the chain's `Governance`: its epoch and the change under way."""

FORMER_KEYS = b"h"
"""The key of the network keys that left the registry a while ago: `FormerKey`s, oldest first."""


def account_key(account: AccountId) -> bytes:
    """`a` ‖ account -> Account."""
    return b"a" + account


def identity_key(account: AccountId) -> bytes:
    """`i` ‖ account -> Identity."""
    return b"i" + account


def nullifier_key(programme: str, nullifier: bytes) -> bytes:
    """`n` ‖ programme ‖ 0 ‖ nullifier -> account."""
    return b"n" + programme.encode() + b"\x00" + nullifier


def token_key(name: str) -> bytes:
    """`t` ‖ class -> TokenClass."""
    return b"t" + name.encode()


def balance_key(name: str, account: AccountId) -> bytes:
    """`b` ‖ class ‖ 0 ‖ account -> amount as u64 big-endian."""
    return b"b" + name.encode() + b"\x00" + account


def supply_key(name: str) -> bytes:
    """`u` ‖ class -> units in existence as u64 big-endian."""
    return b"u" + name.encode()


def collection_key(name: str) -> bytes:
    """`c` ‖ collection -> Collection."""
    return b"c" + name.encode()


def record_key(collection: str, key: str) -> bytes:
    """`d` ‖ collection ‖ 0 ‖ key -> canonical JSON."""
    return b"d" + collection.encode() + b"\x00" + key.encode()


def series_key(series: str) -> bytes:
    """`s` ‖ series -> Series."""
    return b"s" + series.encode()


def version_key(series: str, version: int) -> bytes:
    """`v` ‖ series ‖ 0 ‖ version u32 -> DocumentVersion."""
    return b"v" + series.encode() + b"\x00" + version.to_bytes(4, "big")


def member_key(index: int) -> bytes:
    """`m` ‖ index u16 -> MemberEntry, in the order of joining."""
    return b"m" + index.to_bytes(2, "big")


def validators_key(epoch: Epoch) -> bytes:
    """`w` ‖ epoch u32 -> the sorted validator keys of that epoch, kept for ever."""
    return b"w" + epoch.to_bytes(4, "big")


def proposal_key(number: int) -> bytes:
    """`q` ‖ number u32 -> Proposal."""
    return b"q" + number.to_bytes(4, "big")


def full_node_key(index: int) -> bytes:
    """`f` ‖ index u16 -> FullNode, in the order of joining."""
    return b"f" + index.to_bytes(2, "big")


def misconduct_key(key: PublicKey) -> bytes:
    """`e` ‖ validator key -> Misconduct, kept for ever."""
    return b"e" + key
