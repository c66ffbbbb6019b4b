"""Reads from disk what a node goes on from: the final tip, the journal, bodies, recent ids."""

from moyai.consensus.config import ExecutedBlock, FinalTip, MachineConfig
from moyai.consensus.records import Recovered
from moyai.ledger.recent import RecentIds
from moyai.node.core import StartingPoint
from moyai.primitives.block import header_digest
from moyai.primitives.ids import Digest, Height
from moyai.primitives.transaction import CheckedTransaction, checked_before, parse_transaction
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal
from moyai.storage.snapshot import ChainSnapshot


def read_tip(chain: ChainStore) -> FinalTip:
    """Return the last written block with what consensus needs to go on from it."""
    with chain.snapshot() as snapshot:
        tip = snapshot.require_header(snapshot.height)
        first = min(tip.executed.height + 1, tip.height)
        recent = tuple(_executed_block(snapshot, height) for height in range(first, tip.height + 1))
        certificate = snapshot.certificate(tip.height)
        frontier = snapshot.log_frontier(tip.height)
    return FinalTip(certificate, frontier, recent)


def read_recent_ids(chain: ChainStore, window_ms: int) -> RecentIds:
    """Return the ids of the final transactions that could still be repeated."""
    recent = RecentIds(window_ms)
    with chain.snapshot() as snapshot:
        newest_ms = snapshot.require_header(snapshot.height).time_ms
        first = snapshot.height
        while first > 0 and snapshot.require_header(first).time_ms + window_ms >= newest_ms:
            first = Height(first - 1)
        for height in range(first + 1, snapshot.height + 1):
            header = snapshot.require_header(height)
            recent.add_block(header.time_ms, snapshot.transaction_ids(height))
    return recent


def read_start(config: MachineConfig, chain: ChainStore, journal: Journal) -> StartingPoint:
    """Return everything the core starts with; `config.tip` is that of `read_tip`."""
    recovered = journal.load()
    return StartingPoint(
        config,
        recovered,
        _read_bodies(recovered, chain.height, journal),
        read_recent_ids(chain, config.parameters.tx_window_ms),
    )


def _read_bodies(
    recovered: Recovered, height: Height, journal: Journal
) -> dict[Digest, tuple[CheckedTransaction, ...]]:
    bodies = {}
    for record in recovered.blocks:
        if record.header.height > height:
            digest = header_digest(record.header)
            raws = journal.block_body(digest) or ()
            bodies[digest] = tuple(checked_before(parse_transaction(raw)) for raw in raws)
    return bodies


def _executed_block(snapshot: ChainSnapshot, height: int) -> ExecutedBlock:
    executed = snapshot.executed(height)
    assert executed is not None, "every written block has its roots"
    return ExecutedBlock(snapshot.require_header(height), executed)
