"""A made-up chain with records, indexes and accounts touched, long enough to prune and to import.

The state is written by hand, as `stored_chain` does, but its records lie in a true collection.
"""

from pathlib import Path

from harness.stored_chain import ALICE, ChainBuilder
from moyai.ledger.context import IndexChange
from moyai.ledger.indexes import KEY_FIELD, index_name, index_value
from moyai.primitives.block import header_digest
from moyai.primitives.codec import encode
from moyai.primitives.ids import TransactionId
from moyai.primitives.operations_records import Writers
from moyai.primitives.state_keys import collection_key, record_key
from moyai.primitives.state_snapshot import SnapshotDescription
from moyai.primitives.state_values import Collection
from moyai.storage.snapshot_import import SnapshotImport
from moyai.storage.snapshot_maker import make_snapshot, newest_attested
from moyai.storage.state_snapshots import SnapshotFolder, StoredSnapshot

RECORDS = 5
SIZE = index_name("lots", "size")
NAMES = index_name("lots", KEY_FIELD)
COLLECTION = Collection(
    title_ja="区画",
    title_en="lots",
    creator=ALICE,
    schema=b"{}",
    indexes=("size",),
    writers=Writers((), (), None),
)


def lot(number: int) -> bytes:
    return record_key("lots", f"lot{number}")


def grow(chain: ChainBuilder, blocks: int) -> None:
    """Add blocks; each gives one of the lots another size and counts one key up."""
    for _ in range(blocks):
        height = chain.store.height + 1
        changes: dict[bytes, bytes | None] = {b"pcount": b"%d" % height}
        if height == 1:
            changes[collection_key("lots")] = encode(COLLECTION)
        number = height % RECORDS
        indexes = []
        if height > RECORDS:
            old = index_value(height - RECORDS)
            indexes.append(IndexChange(SIZE, old, lot(number), added=False))
        else:
            name = index_value(f"lot{number}")
            indexes.append(IndexChange(NAMES, name, lot(number), added=True))
        indexes.append(IndexChange(SIZE, index_value(height), lot(number), added=True))
        changes[lot(number)] = b'{"size":%d}' % height
        chain.add(changes, count=height % 3, indexes=indexes)


def snapshot_of(chain: ChainBuilder, folder: Path) -> StoredSnapshot:
    """Make the snapshot of the newest attested height."""
    with chain.store.snapshot() as view:
        wanted = newest_attested(view)
    assert wanted is not None
    return make_snapshot(chain.store, SnapshotFolder(folder), wanted)


def begin_import(
    chain: ChainBuilder, path: Path, description: SnapshotDescription
) -> SnapshotImport:
    return SnapshotImport.open(path, chain.genesis, description, 64 * 1024**2)


def recent_of(chain: ChainBuilder, height: int, count: int) -> tuple:  # type: ignore[type-arg]
    """Return header and ids of the last blocks up to a height."""
    with chain.store.snapshot() as view:
        heights = range(max(1, height - count + 1), height + 1)
        return tuple((view.require_header(one), view.transaction_ids(one)) for one in heights)


def import_whole(chain: ChainBuilder, kept: StoredSnapshot, path: Path) -> ChainBuilder:
    """Import a snapshot and return a builder that goes on from it beside the first."""
    description = kept.description
    state = begin_import(chain, path, description)
    for index in state.missing():
        state.add_part(index, kept.part(index))
    height = description.header.height
    state.finish((), recent_of(chain, height, 4))
    twin = ChainBuilder.__new__(ChainBuilder)
    twin.__dict__.update(chain.__dict__)
    twin.path = path
    twin.store = chain.store.open(path, chain.genesis, map_bytes=64 * 1024**2)
    twin.headers = chain.headers[: height + 1]
    twin.executed = chain.executed[: height + 1]
    frontier = twin.store.frontier(description.header.height)
    twin.frontier = frontier.append(header_digest(description.header))
    with chain.store.snapshot() as view:
        twin.transactions = sum(len(view.transaction_ids(one)) for one in range(height + 1))
    return twin


def ids_of(chain: ChainBuilder, height: int) -> tuple[TransactionId, ...]:
    with chain.store.snapshot() as view:
        return view.transaction_ids(height)
