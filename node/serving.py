"""Answers to other nodes: transactions by id, and the ranges that catching up asks for.

Not here: blocks and certificates of recent views, which the machine serves itself.
"""

from typing_extensions import override

from moyai.ledger.mempool import Mempool
from moyai.node.bodies import Bodies
from moyai.node.ports import Transport
from moyai.p2p.fetch import answer_transactions
from moyai.p2p.messages import SyncRequest, TransactionRequest
from moyai.p2p.serving import ChainReader, answer_sync
from moyai.primitives.block import Header
from moyai.primitives.ids import Digest, Height, NetworkKey, TransactionId
from moyai.storage.chain import ChainStore
from moyai.storage.snapshot import ChainSnapshot


class SnapshotReader(ChainReader):
    """A committed snapshot as `p2p.serving` reads it."""

    def __init__(self, snapshot: ChainSnapshot) -> None:
        self._snapshot = snapshot

    @override
    def header(self, height: Height) -> Header | None:
        return self._snapshot.header(height)

    @override
    def certified_headers(self, digest: Digest) -> tuple[Header, ...]:
        header = self._snapshot.header_by_digest(digest)
        return () if header is None else (header,)

    @override
    def log_path(self, height: Height, size: Height) -> tuple[bytes, ...]:
        return tuple(self._snapshot.prove_log(height, size))

    @override
    def raw_transactions(self, height: Height) -> tuple[bytes, ...] | None:
        return self._snapshot.body(height) if height <= self._snapshot.height else None


class Serving:
    """Answers requests of peers at once, from memory first, from the chain store else."""

    def __init__(
        self, *, chain: ChainStore, bodies: Bodies, mempool: Mempool, transport: Transport
    ) -> None:
        self._chain = chain
        self._bodies = bodies
        self._mempool = mempool
        self._transport = transport

    def transactions(self, peer: NetworkKey, request: TransactionRequest) -> None:
        """Send what is held of the transactions asked for."""
        with self._chain.snapshot() as snapshot:

            def lookup(transaction_id: TransactionId) -> bytes | None:
                held = self._mempool.get(transaction_id) or self._bodies.find(transaction_id)
                if held is not None:
                    return held.raw
                final = snapshot.transaction(transaction_id)
                return None if final is None else final.raw

            for answer in answer_transactions(request, lookup):
                self._transport.send(peer, answer)

    def sync(self, peer: NetworkKey, request: SyncRequest) -> None:
        """Send the part of the chain asked for, or say that it is not here."""
        with self._chain.snapshot() as snapshot:
            self._transport.send(peer, answer_sync(request, SnapshotReader(snapshot)))
