"""Performs the effects that wait for the commit: messages, timers, news; and settles in memory what
has become of blocks.

Dispatch only. Not here: what is answered at once (`runner`).
"""

from collections.abc import Callable, Iterable

import msgspec

from moyai.consensus.effects import (
    Broadcast,
    CatchUp,
    ClearTimer,
    Count,
    DropBlock,
    Effect,
    EpochEnded,
    EvidenceFound,
    Finalized,
    Misbehaved,
    ProveEpochEnd,
    Send,
    SetTimer,
    ShareTransactions,
)
from moyai.consensus.messages import CertificateMessage, Evidence
from moyai.ledger.mempool import Mempool
from moyai.ledger.recent import RecentIds
from moyai.node.bodies import Bodies
from moyai.node.catchup import CatchUpRun
from moyai.node.executor import Executor
from moyai.node.ingest import Ingest
from moyai.node.ports import Clock, KeptSnapshots, Observer, Timers, Transport
from moyai.node.state_serving import NoSnapshots
from moyai.p2p.dissemination import Dissemination, pack
from moyai.p2p.fetch import Fetcher
from moyai.p2p.messages import TransactionBatch
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, Epoch, NetworkKey
from moyai.primitives.stages import StageClock
from moyai.primitives.transaction import CheckedTransaction

SHARED_BYTES_MAX = 60 * 1024


class Surroundings(msgspec.Struct, frozen=True):
    """The ports of one node, the snapshots that it serves, and where its time is noted."""

    clock: Clock
    timers: Timers
    transport: Transport
    observer: Observer
    kept: KeptSnapshots = NoSnapshots()
    stages: StageClock = msgspec.field(default_factory=StageClock)


class Holdings(msgspec.Struct, frozen=True):
    """What one node keeps in memory of transactions and blocks that are not on disk yet."""

    mempool: Mempool
    final_ids: RecentIds
    bodies: Bodies
    fetcher: Fetcher
    ingest: Ingest
    dissemination: Dissemination
    executor: Executor
    proof_of_end: Callable[[Epoch], Certificate | None]

    def became_final(self, header: Header, body: Iterable[CheckedTransaction]) -> None:
        """What is final is neither chosen nor accepted nor sent again, from this moment on."""
        ids = [transaction.id for transaction in body]
        self.final_ids.add_block(header.time_ms, ids)
        self.mempool.remove(ids)
        self.ingest.became_final(ids)
        self.dissemination.settle(ids)


class Performer:
    """Performs one effect at a time, in the order given."""

    evidence: list[Evidence]
    epoch_ended: EpochEnded | None

    def __init__(
        self,
        ports: Surroundings,
        holdings: Holdings,
        catch_up: CatchUpRun,
        work_changed: Callable[[], None],
    ) -> None:
        self._ports = ports
        self._holdings = holdings
        self._catch_up = catch_up
        self._work_changed = work_changed
        self.evidence = []
        self.epoch_ended = None

    def settle(self, effect: Finalized | DropBlock) -> None:
        """Take note of what has become of blocks; nothing of it leaves the node."""
        match effect:
            case Finalized(headers, certificate, fillers):
                new = self._holdings.executor.finalized(headers, certificate, fillers)
                for header, body in new:
                    self._holdings.became_final(header, body)
                if any(body for _, body in new):
                    self._work_changed()
            case DropBlock(digest):
                self._holdings.fetcher.forget(digest)
                self._restore(digest)

    def perform(self, effect: Effect) -> None:
        """Do what `effect` says."""
        match effect:
            case Broadcast(message):
                self._ports.transport.broadcast(message)
            case Send(to, message):
                self._ports.transport.send(to, message)
            case SetTimer(timer, delay_ms):
                self._ports.timers.set(timer, delay_ms)
            case ClearTimer(timer):
                self._ports.timers.clear(timer)
            case Count(counter, reason):
                self._ports.observer.count(counter, reason)
            case Misbehaved(peer, reason):
                self._ports.transport.report(peer, reason)
            case _:
                self._perform_rare(effect)

    def _perform_rare(self, effect: Effect) -> None:
        match effect:
            case EpochEnded():
                self.epoch_ended = effect
                self._ports.observer.note("epoch_ended", epoch=effect.certificate.epoch)
            case ProveEpochEnd(to, epoch):
                self._prove_end(to, epoch)
            case CatchUp():
                self._ports.observer.note("catching_up", view=effect.certificate.view)
                self._catch_up.start(effect, self._ports.clock.now().mono_ms)
            case ShareTransactions():
                self._share(effect)
            case EvidenceFound(evidence):
                self.evidence.append(evidence)
                first = evidence.first
                self._ports.observer.note("evidence", validator=first.signer, view=first.view)
            case _:
                raise AssertionError(f"an effect that the runner answers: {type(effect).__name__}")

    def _restore(self, digest: Digest) -> None:
        left_behind = self._holdings.bodies.drop(digest)
        final_ids = self._holdings.final_ids
        self._holdings.mempool.restore(one for one in left_behind if one.id not in final_ids)
        self._work_changed()

    def _prove_end(self, to: NetworkKey, epoch: Epoch) -> None:
        """Send what finalized the end of an epoch; the blocks are asked for by catching up."""
        certificate = self._holdings.proof_of_end(epoch)
        if certificate is not None:
            self._ports.transport.send(to, CertificateMessage(certificate))

    def _share(self, effect: ShareTransactions) -> None:
        raws = self._holdings.mempool.oldest(SHARED_BYTES_MAX)
        for part in pack(raws):
            message = TransactionBatch(part)
            if effect.to is None:
                self._ports.transport.broadcast(message, validators_only=True)
            else:
                self._ports.transport.send(effect.to, message)
