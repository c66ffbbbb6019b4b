"""Reads from disk what a node goes on from: the epoch, the journal, bodies, recent ids."""

from functools import partial

from moyai.consensus.records import Recovered
from moyai.ledger.recent import RecentIds
from moyai.node.core import StartingPoint
from moyai.node.identity import OwnIdentity, machine_config
from moyai.node.readiness import Readiness
from moyai.primitives.block import Header, header_digest
from moyai.primitives.ids import Digest, Height
from moyai.primitives.transaction import CheckedTransaction, checked_before, parse_transaction
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal


def read_recent_ids(chain: ChainStore, window_ms: int) -> RecentIds:
    """Return the ids of the final transactions that could still be repeated."""
    recent = RecentIds(window_ms)
    with chain.snapshot() as snapshot:
        oldest_ms = snapshot.require_header(snapshot.height).time_ms - window_ms
        blocks: list[Header] = []
        header = snapshot.header(snapshot.height)
        while header is not None and header.height > 0 and header.time_ms >= oldest_ms:
            blocks.append(header)
            header = snapshot.header(header.height - 1)
        for header in reversed(blocks):
            recent.add_block(header.time_ms, snapshot.transaction_ids(header.height))
    return recent


def read_start(identity: OwnIdentity, chain: ChainStore, journal: Journal) -> StartingPoint:
    """Return everything the core starts with, in the epoch that chain store and journal are in."""
    recovered = journal.load()
    configure = partial(machine_config, identity, chain)
    config = configure()
    return StartingPoint(
        config,
        configure,
        recovered,
        _read_bodies(recovered, chain.height, journal),
        read_recent_ids(chain, config.parameters.tx_window_ms),
        Readiness(config.chain_id, identity.signing) if identity.signing is not None else None,
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
