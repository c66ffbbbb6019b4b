"""Answers to other nodes: transactions by id, and the ranges that catching up asks for.

Not here: blocks and certificates of recent views, which the machine serves itself.
"""

from collections import deque
from contextlib import suppress
from typing import TypeAlias

from typing_extensions import override

from moyai.ledger.mempool import Mempool
from moyai.node.bodies import Bodies
from moyai.node.ports import KeptSnapshots, Transport
from moyai.node.state_serving import StateReader
from moyai.p2p.fetch import answer_transactions
from moyai.p2p.messages import (
    BodiesRequest,
    HeadersRequest,
    SyncRequest,
    TargetRequest,
    TransactionRequest,
)
from moyai.p2p.serving import ChainReader, answer_state, answer_sync
from moyai.p2p.snapshot_messages import SnapshotPartRequest, StateRequest
from moyai.primitives.block import Header
from moyai.primitives.errors import PrunedError
from moyai.primitives.ids import Digest, Height, NetworkKey, TransactionId
from moyai.storage.chain import ChainStore
from moyai.storage.snapshot import ChainSnapshot

ServedRequest: TypeAlias = TransactionRequest | SyncRequest | StateRequest

REQUESTS_AT_ONCE_MAX = 4
PART_COST = REQUESTS_AT_ONCE_MAX  # reading and checking one takes some milliseconds
REQUESTS_WAITING_PER_PEER_MAX = 32


class SnapshotReader(ChainReader):
    """A committed snapshot as `p2p.serving` reads it."""

    def __init__(self, snapshot: ChainSnapshot) -> None:
        self._snapshot = snapshot

    @property
    @override
    def base(self) -> Height:
        return self._snapshot.base

    @override
    def header(self, height: Height) -> Header | None:
        return self._snapshot.header(height)

    @override
    def certified_headers(self, digest: Digest) -> tuple[Header, ...]:
        return self._snapshot.certified_headers(digest)

    @override
    def log_path(self, height: Height, size: Height) -> tuple[bytes, ...] | None:
        try:
            return tuple(self._snapshot.prove_log(height, size))
        except PrunedError:
            return None

    @override
    def raw_transactions(self, height: Height) -> tuple[bytes, ...] | None:
        return self._snapshot.body(height) if height <= self._snapshot.height else None


class Serving:
    """Answers requests of peers, from memory first, from the chain store else.

    A few at once between two turns; what comes beyond that waits its peer's turn, or is dropped and
    asked again, so that nobody's questions hold up votes.
    """

    def __init__(
        self,
        *,
        chain: ChainStore,
        bodies: Bodies,
        mempool: Mempool,
        transport: Transport,
        kept: KeptSnapshots,
    ) -> None:
        self._chain = chain
        self._bodies = bodies
        self._mempool = mempool
        self._transport = transport
        self._kept = kept
        self._at_once = REQUESTS_AT_ONCE_MAX
        self._waiting: dict[NetworkKey, deque[ServedRequest]] = {}

    def receive(self, peer: NetworkKey, request: ServedRequest) -> bool:
        """Answer a request now or later; return whether it is going to be answered."""
        if self._at_once > 0:
            self._answer(peer, request)
            return True
        waiting = self._waiting.setdefault(peer, deque())
        if len(waiting) >= REQUESTS_WAITING_PER_PEER_MAX:
            return False
        waiting.append(request)
        return True

    def step(self) -> bool:
        """Answer the next few, a turn for each peer; return whether there are more."""
        self._at_once = REQUESTS_AT_ONCE_MAX
        while self._waiting and self._at_once > 0:
            peer = next(iter(self._waiting))
            waiting = self._waiting.pop(peer)
            self._answer(peer, waiting.popleft())
            if waiting:
                self._waiting[peer] = waiting
        return bool(self._waiting)

    def forget(self, peer: NetworkKey) -> None:
        """The link to a peer went down."""
        self._waiting.pop(peer, None)

    def _answer(self, peer: NetworkKey, request: ServedRequest) -> None:
        self._at_once -= PART_COST if isinstance(request, SnapshotPartRequest) else 1
        match request:
            case TransactionRequest():
                self.transactions(peer, request)
            case TargetRequest() | HeadersRequest() | BodiesRequest():
                self.sync(peer, request)
            case _:
                self.state(peer, request)

    def transactions(self, peer: NetworkKey, request: TransactionRequest) -> None:
        """Send what is held of the transactions asked for."""
        with self._chain.snapshot() as snapshot:

            def lookup(transaction_id: TransactionId) -> bytes | None:
                held = self._mempool.get(transaction_id) or self._bodies.find(transaction_id)
                if held is not None:
                    return held.raw
                with suppress(PrunedError):
                    final = snapshot.transaction(transaction_id)
                    return None if final is None else final.raw
                return None

            for answer in answer_transactions(request, lookup):
                self._transport.send(peer, answer)

    def sync(self, peer: NetworkKey, request: SyncRequest) -> None:
        """Send the part of the chain asked for, or say that it is not here."""
        with self._chain.snapshot() as snapshot:
            self._transport.send(peer, answer_sync(request, SnapshotReader(snapshot)))

    def state(self, peer: NetworkKey, request: StateRequest) -> None:
        """Send the part of a state asked for, or say that it is not here."""
        with self._chain.snapshot() as snapshot:
            source = StateReader(snapshot, self._kept)
            self._transport.send(peer, answer_state(request, source))
