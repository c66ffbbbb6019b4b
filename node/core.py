"""All of a node that does not wait: consensus, transactions, execution, catching up, serving.

The daemon and the simulator drive it in the same way: they hand in what happened, then call `turn`
as long as it says that there is more to do. One thread owns it.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import islice, takewhile

import msgspec

from moyai.consensus.config import MachineConfig
from moyai.consensus.inputs import (
    BlockChecked,
    Executed,
    Input,
    LinksChanged,
    MessageReceived,
    Started,
    Timer,
    TimerFired,
    WorkChanged,
)
from moyai.consensus.machine import Machine
from moyai.consensus.messages import ConsensusMessage, Status
from moyai.consensus.records import Recovered
from moyai.ledger.accounts import read_account, signing_controllers
from moyai.ledger.mempool import Mempool
from moyai.ledger.recent import RecentIds
from moyai.ledger.state import Values
from moyai.node.bodies import Bodies
from moyai.node.builder import Builder
from moyai.node.catchup import CatchUpRun
from moyai.node.executor import Executor
from moyai.node.ingest import (
    Admissible,
    Ingest,
    NodeBusyError,
    Submitted,
)
from moyai.node.perform import Holdings, Performer, Surroundings
from moyai.node.ports import JournalPort
from moyai.node.readiness import Readiness
from moyai.node.runner import Parts, Runner
from moyai.node.serving import ServedRequest, Serving
from moyai.node.tip import end_of_epoch
from moyai.node.verifier import ConsensusVerifier
from moyai.p2p.dissemination import Dissemination
from moyai.p2p.fetch import Fetcher
from moyai.p2p.messages import (
    BelowBase,
    BodiesAnswer,
    BodiesRequest,
    HeadersAnswer,
    HeadersRequest,
    TargetAnswer,
    TargetRequest,
    TransactionAnswer,
    TransactionBatch,
    TransactionRequest,
    WireMessage,
)
from moyai.p2p.snapshot_messages import (
    EpochEndAnswer,
    EpochEndRequest,
    RecentAnswer,
    RecentRequest,
    SnapshotAnswer,
    SnapshotPartAnswer,
    SnapshotPartRequest,
    SnapshotRequest,
)
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, Epoch, Height, NetworkKey, TimeMs, TransactionId, View
from moyai.primitives.stages import Stage
from moyai.primitives.transaction import CheckedTransaction
from moyai.storage.chain import ChainStore
from moyai.storage.environment import FillLevel

INBOX_MAX = 8_192
INBOX_PER_PEER_MAX = 512  # one peer's flood leaves room for the votes of the others
TURN_INPUTS_MAX = 256
PATIENCE_MS = 100
UNSETTLED_MAX = 100_000  # transactions whose time is over and whose end the chain has not told
WORK_TOLD_MS = 5


class StartingPoint(msgspec.Struct, frozen=True):
    """What was read from disk: the machine's surroundings, its journal, bodies, recent ids.

    `configure` reads the surroundings again when the epoch has ended. `readiness` is none for a
    node that has no validator key.
    """

    config: MachineConfig
    configure: Callable[[], MachineConfig]
    recovered: Recovered
    bodies: dict[Digest, tuple[CheckedTransaction, ...]]
    final_ids: RecentIds
    readiness: Readiness | None


class Core:
    """One node without its loop, its sockets and its files."""

    def __init__(
        self,
        start: StartingPoint,
        *,
        chain: ChainStore,
        journal: JournalPort,
        ports: Surroundings,
    ) -> None:
        config = start.config
        parameters = config.parameters
        self._ports = ports
        self._clock = ports.clock
        self._stages = ports.stages
        self._chain = chain
        self._inbox: deque[Input] = deque()
        self._inbox_shares: Counter[NetworkKey] = Counter()
        self._linked: tuple[NetworkKey, ...] = ()
        self.peer_heights: dict[NetworkKey, Height] = {}
        self._work_changed = True
        self._work_told_ms = 0
        self._ticked_ms = 0
        self._expired_at_ms: dict[TransactionId, TimeMs] = {}
        self.mempool = Mempool(parameters, self._acts_for)
        self.final_ids = start.final_ids
        self.bodies = Bodies(parameters=parameters, pool=self.mempool, final_ids=self.final_ids)
        for digest, body in start.bodies.items():
            self.bodies.hold(digest, body)
        self._fetcher = Fetcher()
        self._dissemination = Dissemination()
        self.executor = Executor(chain, self.bodies, config.tip, self._stages)
        self.ingest = Ingest(
            admissible=Admissible(config.chain_id, parameters.tx_window_ms),
            mempool=self.mempool,
            is_final=self.final_ids.__contains__,
            is_wanted=self.bodies.wants,
            misbehaved=ports.transport.report,
        )
        self._holdings = Holdings(
            self.mempool,
            self.final_ids,
            self.bodies,
            self._fetcher,
            self.ingest,
            self._dissemination,
            self.executor,
            self._proof_of_end,
        )
        self.catch_up = CatchUpRun(
            chain=chain,
            executor=self.executor,
            transport=ports.transport,
            became_final=self._became_final,
            find_checked=self.mempool.get,
        )
        self.performer = Performer(ports, self._holdings, self.catch_up, self._note_work)
        self.performer.evidence.extend(start.recovered.evidence)
        self._serving = Serving(
            chain=chain,
            bodies=self.bodies,
            mempool=self.mempool,
            transport=ports.transport,
            kept=ports.kept,
        )
        self._journal = journal
        self._configure = start.configure
        self._readiness = start.readiness
        self._begin(config, start.recovered)

    def _begin(self, config: MachineConfig, recovered: Recovered) -> None:
        """Make the machine of an epoch."""
        parts = Parts(
            verifier=ConsensusVerifier(config.chain_id, config.validators),
            bodies=self.bodies,
            builder=Builder(config.parameters, self.mempool, self.bodies),
            ingest=self.ingest,
            fetcher=self._fetcher,
            performer=self.performer,
            stages=self._stages,
        )
        self.config = config
        self._parameters = config.parameters
        self.machine = Machine(config, recovered)
        self._runner = Runner(self.machine, self._ports.clock, self._journal, parts)
        self._inbox.append(Started())

    def receive(self, peer: NetworkKey, message: WireMessage) -> None:
        """Take a decoded message of an authenticated peer."""
        now = self._clock.now()
        match message:
            case TransactionBatch(transactions) | TransactionAnswer(transactions):
                self.ingest.receive(peer, transactions, now.wall_ms)
            case TransactionRequest() | TargetRequest() | HeadersRequest() | BodiesRequest():
                self._serve(peer, message)
            case TargetAnswer() | HeadersAnswer() | BodiesAnswer() | BelowBase():
                self.catch_up.receive(peer, message, now.mono_ms)
            case EpochEndRequest() | SnapshotRequest() | SnapshotPartRequest() | RecentRequest():
                self._serve(peer, message)
            case EpochEndAnswer() | SnapshotAnswer() | SnapshotPartAnswer() | RecentAnswer():
                self._ports.observer.count("dropped", "an answer that nothing asked for")
            case _:
                self._receive_consensus(peer, message)

    def fire(self, timer: Timer) -> None:
        """A timer of the machine is due."""
        self._inbox.append(TimerFired(timer))

    def links_changed(self, linked: tuple[NetworkKey, ...]) -> None:
        """The set of linked peers is another, in key order."""
        gone = [peer for peer in self._linked if peer not in linked]
        self._linked = linked
        self._inbox.append(LinksChanged(linked))
        for peer in gone:
            self._serving.forget(peer)
            self.peer_heights.pop(peer, None)
            self.catch_up.peer_gone(peer, self._clock.now().mono_ms)

    def submit(self, raws: Sequence[bytes], done: Callable[[list[Submitted]], None]) -> None:
        """Take transactions of a client; `done` is called once with the outcomes in order."""
        if self._chain.fill_level >= FillLevel.NO_NEW_TRANSACTIONS:
            refusal = NodeBusyError(
                "has hardly any space left on its disk",
                what="node",
                next="send the same bytes to another node; its operator has to add space",
            )
            done([Submitted(None, refusal)] * len(raws))
            return
        with self._stages.at(Stage.DECODE):
            self.ingest.submit(raws, self._clock.now().wall_ms, done)

    def is_pending(self, transaction_id: TransactionId) -> bool:
        """Return whether a transaction is held here and its block is not on disk yet."""
        return (
            self.mempool.get(transaction_id) is not None
            or self.bodies.find(transaction_id) is not None
            or transaction_id in self._expired_at_ms
            or transaction_id in self.final_ids
        )

    def committed(self, height: Height) -> None:
        """Blocks up to `height` are on disk."""
        synced = self.catch_up.committed(height, self._clock.now().mono_ms)
        if synced is not None:
            self._inbox.append(synced)
        self._change_epoch()

    @property
    def is_changing_epoch(self) -> bool:
        """Return whether an epoch is over whose last block is not on disk yet."""
        return self.performer.epoch_ended is not None

    def _change_epoch(self) -> None:
        """Go on with the machine of the next epoch once the last block of this one is on disk.

        From then on a restart would begin the same way, so what the journal holds of the old epoch
        is not needed any more.
        """
        ended = self.performer.epoch_ended
        if ended is None or self._chain.committed_height < ended.headers[-1].height:
            return
        self.performer.epoch_ended = None
        config = self._configure()
        self._journal.prune(View(0), config.validators.epoch, ())
        for timer in Timer:
            self._ports.timers.clear(timer)
        self.mempool.follow(config.parameters)
        self.bodies.follow(config.parameters)
        self.ingest.follow(Admissible(config.chain_id, config.parameters.tx_window_ms))
        self.final_ids.follow(config.parameters.tx_window_ms)
        self._inbox = deque(one for one in self._inbox if isinstance(one, MessageReceived))
        self._begin(config, self._journal.load())
        self._inbox.append(LinksChanged(self._linked))
        self._note_work()
        self._ports.observer.note("epoch_began", epoch=config.validators.epoch)

    def _proof_of_end(self, epoch: Epoch) -> Certificate | None:
        """Return the certificate that ended an epoch, when the block it ended with is on disk."""
        with self._chain.snapshot() as snapshot:
            return end_of_epoch(snapshot, epoch)

    @property
    def executed_ahead(self) -> bool:
        """Return whether executed blocks wait to be written."""
        return self._chain.height > self._chain.committed_height

    @property
    def mono_ms(self) -> int:
        """Return the time that never goes back."""
        return self._clock.now().mono_ms

    def say_ready(self) -> None:
        """Tell the city that this validator is there for the next set, if somebody waits for it."""
        if self._readiness is None or not self.follows_tip:
            return
        ready = self._readiness.transaction(Values(self._chain.states), self._clock.now().wall_ms)
        if ready is not None:
            self.submit((ready,), lambda _: None)

    @property
    def follows_tip(self) -> bool:
        """Return whether a quorum, this node included if it votes, is not ahead of what is here."""
        if self.catch_up.active or self.is_changing_epoch:
            return False
        heights = [self.peer_heights.get(key) for key in self.config.network_keys]
        ahead_max = self._chain.committed_height + 1
        near = sum(1 for height in heights if height is not None and height <= ahead_max)
        return near + (self.config.index is not None) >= self.config.validators.quorum

    def due_ms(self) -> int | None:
        """Return when `tick` has something to do; none while everything rests."""
        due = [self._dissemination.due_ms(), self._fetcher.due_ms()]
        if self.catch_up.active or len(self._dissemination):
            due.append(self._ticked_ms + PATIENCE_MS)
        return min((each for each in due if each is not None), default=None)

    def tick(self) -> None:
        """Do what time alone asks for: batches, questions, waiting for answers. See `due_ms`."""
        with self._stages.at(Stage.SPREAD):
            self._tick()

    def _tick(self) -> None:
        now_ms = self._ticked_ms = self._clock.now().mono_ms
        view = self.machine.status().view if len(self._dissemination) else View(0)
        for batch in self._dissemination.step(now_ms, view):
            self._ports.transport.broadcast(batch, validators_only=True)
        for question in self._fetcher.step(now_ms):
            self._ports.transport.send(question.peer, question.request)
        self.catch_up.tick(now_ms, self._linked, self.config.network_keys)

    def expire(self) -> list[TransactionId]:
        """Forget transactions whose time is over; return those that no block will hold any more.

        To be called every second or so. What the others have made final may not be known here, so
        only the chain itself can tell: no block follows one of that time that holds them.
        """
        now = self._clock.now()
        forgotten = self.mempool.expire(now.wall_ms)
        if forgotten:
            self._dissemination.settle(forgotten)
            self._note_work()
        for transaction_id in forgotten:
            self._expired_at_ms[transaction_id] = now.wall_ms
        known = self._expired_at_ms
        with self._chain.snapshot() as snapshot:
            passed_ms = snapshot.require_header(snapshot.height).time_ms
            over = [each for each, _ in takewhile(lambda one: one[1] <= passed_ms, known.items())]
            ended = [each for each in over if not snapshot.is_final(each)]
        unsettled = max(0, len(known) - len(over) - UNSETTLED_MAX)
        for transaction_id in list(islice(known, len(over) + unsettled)):
            del known[transaction_id]
        return ended

    def turn(self) -> bool:
        """Take what has happened through one turn; return whether there is more to do at once."""
        inputs: list[Input] = []
        while self._inbox and len(inputs) < TURN_INPUTS_MAX:
            inputs.append(self._next_input())
        self.ingest.give_way(behind=self.catch_up.active)
        inputs.extend(self._check_transactions())
        if self._work_changed and self._tells_work():
            self._work_changed = False
            inputs.append(self._work())
        if inputs:
            with self._stages.at(Stage.CONSENSUS):
                self._runner.turn(inputs)
                self._change_epoch()
        more = False
        if self.catch_up.active:
            with self._stages.at(Stage.VERIFY):
                more = self.catch_up.check_slice(self._clock.now().mono_ms)
        more = self._serving.step() or more
        executed = self.executor.execute_next()
        if executed is not None:
            roots = executed.executed
            self._inbox.append(
                Executed(roots.height, roots.state_root, roots.receipts_root, executed.pending)
            )
        waiting = self._inbox or self.ingest.ready or self.executor.backlog
        return bool(waiting or self._work_changed or more)

    def _tells_work(self) -> bool:
        """Return whether to say now what waits: seldom while signatures are still checked.

        A step of the machine costs about as much as the check of a signature.
        """
        now_ms = self._clock.now().mono_ms
        if self.ingest.ready and now_ms < self._work_told_ms + WORK_TOLD_MS:
            return False
        self._work_told_ms = now_ms
        return True

    def _check_transactions(self) -> list[BlockChecked]:
        if not self.ingest.ready:
            return []
        verified = self.ingest.verify_slice(self._stages)
        now_ms = self._clock.now().mono_ms
        for transaction in verified.own:
            self._dissemination.accept(transaction.id, transaction.raw, now_ms)
        if verified.pooled:
            self._note_work()
        arrived = verified.pooled + verified.wanted
        self._fetcher.received(transaction.id for transaction in arrived)
        for order in self.bodies.waiting_for(verified.forged):
            self._runner.fetch_missing(order)
        return self.bodies.arrived(arrived)

    def _serve(self, peer: NetworkKey, request: ServedRequest) -> None:
        if not self._serving.receive(peer, request):
            self._ports.observer.count("dropped", "too many requests of one peer")

    def _receive_consensus(self, peer: NetworkKey, message: ConsensusMessage) -> None:
        if self._inbox_shares[peer] >= INBOX_PER_PEER_MAX or len(self._inbox) >= INBOX_MAX:
            self._ports.observer.count("dropped", "inbox full")
            return
        if isinstance(message, Status):
            self.peer_heights[peer] = message.final_height
        self._inbox_shares[peer] += 1
        self._inbox.append(MessageReceived(peer, message))

    def _next_input(self) -> Input:
        taken = self._inbox.popleft()
        if isinstance(taken, MessageReceived):
            self._inbox_shares[taken.sender] -= 1
        return taken

    def _acts_for(self, transaction: CheckedTransaction) -> bool:
        """Return whether a key of the account signed, as the newest executed block has it."""
        account = read_account(Values(self._chain.states), transaction.body.account)
        time_ms = self._chain.tip_header.time_ms
        return account is not None and bool(
            signing_controllers(account, transaction.body.signers, time_ms)
        )

    def _became_final(self, header: Header, body: tuple[CheckedTransaction, ...]) -> None:
        self._holdings.became_final(header, body)
        self._note_work()

    def _note_work(self) -> None:
        self._work_changed = True

    def _work(self) -> WorkChanged:
        """Say what waits; a block is full of what no block under way holds already."""
        waiting, size = len(self.mempool), self.mempool.bytes
        limits = self._parameters
        full = waiting >= limits.block_transactions_max or size >= limits.block_bytes_max
        if full:
            ordered, ordered_bytes = self.bodies.unfinal
            full = (
                waiting - ordered >= limits.block_transactions_max
                or size - ordered_bytes >= limits.block_bytes_max
            )
        return WorkChanged(pending=waiting > 0, full_block=full)
