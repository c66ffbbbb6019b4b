"""Catching up: runs `p2p.sync` towards a certified block, checks signatures, feeds the executor.

Blocks count as fetched once they are on disk; consensus goes on from the target then. Signatures
are checked in slices, like those of transactions that arrive one by one.
"""

from collections import deque
from collections.abc import Callable, Collection

from moyai.consensus.config import FinalTip
from moyai.consensus.effects import CatchUp
from moyai.consensus.inputs import Synced
from moyai.node.executor import Executor
from moyai.node.halt import NodeHalted
from moyai.node.horizon import check_reach
from moyai.node.ports import Transport
from moyai.p2p.messages import SyncAnswer
from moyai.p2p.sync import Ask, Blame, Deliver, Diverged, Finished, Sync, SyncEffect
from moyai.p2p.sync_checks import SyncedBlock, Target
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.errors import SignatureError
from moyai.primitives.ids import Height, NetworkKey, TransactionId
from moyai.primitives.transaction import CheckedTransaction, Transaction, verify_signatures
from moyai.storage.chain import ChainStore

SLICE_SIGNATURES = 64


class CatchUpRun:
    """One run towards one certificate at a time."""

    _certificate: Certificate | None

    def __init__(
        self,
        *,
        chain: ChainStore,
        executor: Executor,
        transport: Transport,
        became_final: Callable[[Header, tuple[CheckedTransaction, ...]], None],
        find_checked: Callable[[TransactionId], CheckedTransaction | None],
    ) -> None:
        """`find_checked` knows transactions whose signatures were checked when they came alone."""
        self._chain = chain
        self._executor = executor
        self._transport = transport
        self._became_final = became_final
        self._find_checked = find_checked
        self._sync: Sync | None = None
        self._certificate = None
        self._delivered: deque[SyncedBlock] = deque()
        self._checked: list[CheckedTransaction] = []
        self._target: Target | None = None
        self._acknowledged = 0

    @property
    def active(self) -> bool:
        """Return whether a run is under way."""
        return self._sync is not None

    def start(self, order: CatchUp, now_ms: int, target: Target | None = None) -> None:
        """Begin to fetch up to the block that a verified finalization names.

        `target` is that block, behind its fillers, where it is known already.
        """
        self._certificate, self._target = order.certificate, target
        self._acknowledged = self._executor.next_height - 1
        tip = self._executor.recent[-1].header
        self._sync = Sync(
            certified=order.certificate.digest,
            tip_height=tip.height,
            tip_digest=header_digest(tip),
            sources=order.sources,
            target=target,
        )
        self._perform(self._sync.step(now_ms), now_ms)

    def tick(
        self, now_ms: int, linked: Collection[NetworkKey], validators: Collection[NetworkKey]
    ) -> None:
        """Ask again what is overdue, and all that are linked when those asked cannot help.

        Raises `BelowHorizonError` when nobody can.
        """
        if self._sync is None:
            return
        if self._sync.stalled or self._sync.bases():
            self._perform(self._sync.add_sources(linked, now_ms), now_ms)
        self._perform(self._sync.step(now_ms), now_ms)
        check_reach(self._sync, linked, validators)

    def add_sources(self, linked: Collection[NetworkKey], now_ms: int) -> None:
        """Ask these peers as well."""
        if self._sync is not None:
            self._perform(self._sync.add_sources(linked, now_ms), now_ms)

    def peer_gone(self, peer: NetworkKey, now_ms: int) -> None:
        """The link to a peer went down."""
        if self._sync is not None:
            self._perform(self._sync.peer_gone(peer, now_ms), now_ms)

    def receive(self, peer: NetworkKey, answer: SyncAnswer, now_ms: int) -> None:
        """Take an answer of a peer."""
        if self._sync is not None:
            self._perform(self._sync.on_answer(peer, answer, now_ms), now_ms)

    def check_slice(self, now_ms: int) -> bool:
        """Check some signatures of delivered blocks; return whether there are more."""
        budget = SLICE_SIGNATURES
        while self._delivered and budget > 0:
            block = self._delivered[0]
            rest = block.transactions[len(self._checked) :]
            try:
                for transaction in rest:
                    if budget <= 0:
                        return True
                    budget -= len(transaction.signatures)
                    self._checked.append(self._check(transaction))
            except SignatureError as fault:
                self._reject(block, fault.reason, now_ms)
                return bool(self._delivered)
            self._accept(block)
        return bool(self._delivered)

    def _check(self, transaction: Transaction) -> CheckedTransaction:
        held = self._find_checked(transaction.id)
        if held is not None and held.raw == transaction.raw:
            return held
        return verify_signatures(transaction)

    def committed(self, height: Height, now_ms: int) -> Synced | None:
        """Blocks up to `height` are on disk; return the end of the run when that reaches it."""
        if self._sync is None:
            return None
        if height > self._acknowledged and not self._reached(height):
            self._acknowledged = height
            self._perform(self._sync.acknowledge(height, now_ms), now_ms)
        if self._target is None or not self._reached(height):
            return None
        return self._finish(self._target)

    def _reached(self, height: Height) -> bool:
        return self._target is not None and height >= self._target.header.height

    def _finish(self, target: Target) -> Synced:
        self._sync = None
        self._target = None
        recent = tuple(
            block for block in self._executor.recent if block.header.height <= target.header.height
        )
        frontier = self._chain.frontier(target.header.height)
        return Synced(FinalTip(self._certificate, frontier, recent), target.fillers[::-1])

    def _accept(self, block: SyncedBlock) -> None:
        self._delivered.popleft()
        body, self._checked = tuple(self._checked), []
        target = self._target
        certified = target is not None and target.digest == block.digest
        certificate = self._certificate if certified else None
        fillers = target.fillers[::-1] if target is not None and certified else ()
        if self._executor.synced(block.header, body, certificate, fillers):
            self._became_final(block.header, body)

    def _reject(self, block: SyncedBlock, reason: str, now_ms: int) -> None:
        self._delivered.clear()
        self._checked = []
        assert self._sync is not None
        self._perform(self._sync.reject(block.header.height, reason, now_ms), now_ms)

    def _perform(self, effects: list[SyncEffect], now_ms: int) -> None:
        for effect in effects:
            match effect:
                case Ask(peer, request):
                    sent = self._transport.send(peer, request)
                    if not sent and peer not in self._transport.connected():
                        assert self._sync is not None
                        self._perform(self._sync.peer_gone(peer, now_ms), now_ms)
                case Blame(peer, reason):
                    self._transport.report(peer, reason)
                case Deliver(blocks):
                    self._delivered.extend(blocks)
                case Diverged(header, own):
                    raise NodeHalted(
                        f"the certified chain has another block at height {header.height - 1} "
                        f"than {own.hex()}, which was final here",
                        certificates=() if self._certificate is None else (self._certificate,),
                    )
                case Finished(target):
                    self._target = target
