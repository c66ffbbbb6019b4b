"""Loading the live state at start: sections, the versions they lack, and the last few roots.

The root that comes out must be the one written with the last block. Not here: how sections are
chosen for writing (`checkpoint`).
"""

from collections.abc import Iterator
from hashlib import sha256

import lmdb

from moyai.primitives.block import Header
from moyai.primitives.codec import Codec
from moyai.primitives.ids import DIGEST_BYTES
from moyai.primitives.state_proof import EMPTY
from moyai.storage.base import read_base
from moyai.storage.checkpoint import Checkpoint, decode_section
from moyai.storage.environment import Environment
from moyai.storage.errors import CorruptedError
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.section import ENTRY_BYTES, Entry, pack
from moyai.storage.states import PROOF_ROOTS_KEPT, LiveState
from moyai.storage.tip import Tip, read_tip
from moyai.storage.tree import SECTIONS, Past, StateTree
from moyai.storage.versions import StoredVersion, decode_version

_header = Codec(Header, name="stored header")


def load_state(environment: Environment) -> tuple[LiveState, Checkpoint]:
    """Return the state as of the last written block, and which sections are behind.

    Raises `CorruptedError` when the root is not the one written.
    """
    with environment.read() as read:
        txn = read.raw
        tip = read_tip(environment, txn)
        tree = StateTree(
            roots_kept=PROOF_ROOTS_KEPT, height=tip.height, next_sequence=tip.next_sequence
        )
        checkpoint = Checkpoint()
        tree.load_sections(enumerate(_sections(environment, txn, tip, checkpoint)))
        if tree.root != tip.state_root:
            raise CorruptedError(
                f"has the root {tree.root.hex()} where {tip.state_root.hex()} was written",
                what=f"state of height {tip.height}",
                next="restore a backup or start with an empty data directory",
            )
        tree.load_past(_past(environment, txn, tip))
    return LiveState(environment, tree), checkpoint


def _sections(
    environment: Environment, txn: lmdb.Transaction, tip: Tip, checkpoint: Checkpoint
) -> Iterator[bytes]:
    table = environment.table(ChainTable.SECTIONS)
    covered = [0] * SECTIONS
    for key, value in table.scan(txn):
        covered[key[0]] = decode_section(value)[0]
    newer = [bytearray() for _ in range(SECTIONS)]
    versions = environment.table(ChainTable.VERSIONS)
    for row, value in versions.scan(txn, number_key(tip.replay_from)):
        sequence, version = int.from_bytes(row, "big"), decode_version(value)
        leaf = version.leaf()
        index = leaf.key_digest[0]
        if sequence >= covered[index]:
            newer[index] += pack(Entry(leaf.key_digest, leaf.hash, sequence, version.version))
            checkpoint.behind(index, sequence)
    for index in range(SECTIONS):
        stored = table.get(txn, bytes((index,)))
        packed = b"" if stored is None else decode_section(stored)[1]
        yield _merged(packed, bytes(newer[index]))
        newer[index].clear()


def _merged(packed: bytes, newer: bytes) -> bytes:
    """Return packed leaves with the last of each key in `newer` instead of or beside them."""
    if not newer:
        return packed
    entries = {}
    for source in (packed, newer):
        for place in range(0, len(source), ENTRY_BYTES):
            entries[source[place : place + DIGEST_BYTES]] = source[place : place + ENTRY_BYTES]
    return b"".join(entries[key_digest] for key_digest in sorted(entries))


def _past(environment: Environment, txn: lmdb.Transaction, tip: Tip) -> Iterator[Past]:
    """Yield what each of the last blocks replaced, newest first, back to the last attested root."""
    data = environment.table(ChainTable.HEADERS).require(txn, number_key(tip.height))
    known = read_base(environment, txn).height - 1
    attested = _header.decode(data).executed.height
    oldest = max(attested, known, tip.height - PROOF_ROOTS_KEPT + 1)
    replaced: dict[int, list[bytes]] = {height: [] for height in range(tip.height, oldest, -1)}
    table = environment.table(ChainTable.VERSIONS)
    for _, value in table.scan_back(txn, number_key(tip.next_sequence)):
        version = decode_version(value)
        if version.height <= oldest:
            break
        replaced[version.height].append(_replaced(version))
    for height, entries in replaced.items():
        yield Past(height - 1, b"".join(sorted(entries)))


def _replaced(version: StoredVersion) -> bytes:
    key_digest = sha256(version.key).digest()
    if version.version == 1:
        return pack(Entry(key_digest, EMPTY, 0, 0))
    previous = (version.previous_hash, version.previous_sequence, version.version - 1)
    return pack(Entry(key_digest, *previous))
