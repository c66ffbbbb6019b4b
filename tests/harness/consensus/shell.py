"""A simulated node: the shipped machine, and a shell that performs its effects as the node's does.

Not here: time and the network (`world`), the disk (`store`).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from harness.consensus.keys import City
from harness.consensus.store import Chain, Journal, Proof
from moyai.consensus.config import MachineConfig
from moyai.consensus.effects import (
    Broadcast,
    BuildBlock,
    CatchUp,
    CheckBlock,
    ClearTimer,
    Count,
    DropBlock,
    Effect,
    EpochEnded,
    EvidenceFound,
    Finalized,
    Halt,
    Misbehaved,
    Persist,
    ProveEpochEnd,
    Send,
    SetTimer,
    ShareTransactions,
    VerifyCertificate,
    VerifyEvidence,
    VerifyVote,
)
from moyai.consensus.inputs import (
    BlockBuilt,
    BlockChecked,
    BodyVerdict,
    CertificateVerified,
    EvidenceVerified,
    Executed,
    Input,
    LinksChanged,
    MessageReceived,
    Now,
    Started,
    Synced,
    Timer,
    TimerFired,
    VoteVerified,
    WorkChanged,
)
from moyai.consensus.machine import Machine
from moyai.consensus.messages import CertificateMessage, ConsensusMessage
from moyai.consensus.records import BlockRecord, CertificateRecord
from moyai.primitives.block import header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, NetworkKey, TransactionId, ValidatorIndex
from moyai.primitives.merkle import merkle_root

TRANSACTION_BYTES = 200
FULL_BLOCK = 1_000
FETCH_MS = 60
SYNC_MS = 40
CHAIN_WRITE_MS = 20


class TransactionRequest(NamedTuple):
    """Asks for transactions by id."""

    ids: tuple[TransactionId, ...]


class Transactions(NamedTuple):
    """Transactions; in the simulator an id is all there is of them."""

    ids: tuple[TransactionId, ...]


WireMessage = ConsensusMessage | TransactionRequest | Transactions


def lost() -> bool:
    """Keep nothing that was not synced."""
    return False


class Crash(Exception):
    """The process dies here, in the middle of its effects."""


class Ports(NamedTuple):
    """What a node needs of its world."""

    city: City
    send: Callable[[NetworkKey, NetworkKey, WireMessage], None]
    after: Callable[[float, Callable[[], None]], None]
    now: Callable[[], Now]
    observe: Callable[["Node", Effect], None]
    sync_source: Callable[["Node", Certificate], Chain | None]
    peers: Callable[["Node"], list[NetworkKey]]
    validators: Callable[["Node"], list[NetworkKey]]
    jitter_ms: Callable[[float], float]
    make_config: Callable[["Node"], MachineConfig]
    connected: Callable[["Node"], tuple[NetworkKey, ...]]
    changes: Mapping[TransactionId, tuple[int, ...]]


class Node:
    """One process after another on one disk."""

    def __init__(self, key: NetworkKey, index: ValidatorIndex | None, ports: Ports) -> None:
        self.key = key
        self.index = index
        self.ports = ports
        self.journal = Journal()
        self.chain = Chain(ports.city, ports.changes)
        self.known: dict[TransactionId, None] = {}
        self.lives = 0
        self.machine: Machine | None = None
        self.halted = ""
        self.crash_after: int | None = None  # effects until the next crash
        self.keep: Callable[[], bool] = lost  # which write that is not synced outlives the crash
        self.paused_until_ms = 0.0
        self.timer_rate = 1.0
        self.taps: list[Callable[[Node, Input], None]] = []
        self.counters: dict[tuple[str, str], int] = {}
        self._forget()

    def _forget(self) -> None:
        self.machine = None
        self.bodies: dict[Digest, tuple[TransactionId, ...]] = {}
        self.checks: dict[Digest, CheckBlock] = {}
        self.timers: dict[Timer, int] = {}
        self.syncing: CatchUp | None = None
        self.ending: EpochEnded | None = None
        self._writing = False
        self._serial = 0

    @property
    def alive(self) -> bool:
        return self.machine is not None

    def start(self) -> None:
        """Begin a life with what the disk holds."""
        self.lives += 1
        recovered = self.journal.recovered()
        for record in recovered.blocks:
            self.bodies[header_digest(record.header)] = record.transaction_ids
            self.known.update(dict.fromkeys(record.transaction_ids))
        self._make_machine()
        self.known = {each: None for each in self.known if each not in self.chain.final_ids}
        self.give(Started())
        self._work_changed()

    def _make_machine(self) -> None:
        config = self.ports.make_config(self)
        self.index = config.index
        self.machine = Machine(config, self.journal.recovered())

    def _change_epoch(self) -> None:
        """Go on in the next epoch once the last block of this one is on disk."""
        ended = self.ending
        if ended is None or self.chain.durable_height < ended.headers[-1].height:
            return
        self.ending, self.timers, self.checks = None, {}, {}
        self.journal.begin_epoch(self.chain.epoch)
        self._make_machine()
        assert self.ports.city.at(self.chain.epoch).validators.digest == ended.next_set
        self.give(Started())
        self.give(LinksChanged(self.ports.connected(self)))
        self._work_changed()

    def crash(self) -> None:
        """Die; what was not synced is gone or kept, the memory of transactions is gone."""
        self.journal.crash(self.keep)
        self.chain.crash(self.keep)
        self.crash_after, self.keep, self.paused_until_ms = None, lost, 0.0
        self.known = {}
        self._forget()

    def wipe(self) -> None:
        """Lose the disk; the key is still there."""
        self.journal = Journal()
        self.journal.unused = False
        self.chain = Chain(self.ports.city, self.ports.changes)

    def later(self, delay_ms: float, event: Input) -> None:
        """Give `event` after a while, unless this life has ended."""
        life = self.lives

        def give() -> None:
            if self.alive and self.lives == life:
                self.give(event)

        self.ports.after(delay_ms, give)

    def give(self, event: Input) -> None:
        """Let the machine take one input, and perform what it answers."""
        if self.machine is None or self.halted:
            return
        now = self.ports.now()
        if (wait_ms := self.paused_until_ms - now.mono_ms) > 0:
            self.later(wait_ms, event)
            return
        for tap in self.taps:
            tap(self, event)
        effects = self.machine.step(event, now)
        try:
            for effect in effects:
                self._count_down()
                self.ports.observe(self, effect)
                self.perform(effect)
        except Crash:
            self.crash()

    def _count_down(self) -> None:
        if self.crash_after is not None:
            self.crash_after -= 1
            if self.crash_after < 0:
                raise Crash

    def receive(self, sender: NetworkKey, message: WireMessage) -> None:
        """Take a message from the network."""
        match message:
            case TransactionRequest():
                held = tuple(i for i in message.ids if i in self.known or i in self.chain.final_ids)
                if held:
                    self.ports.send(self.key, sender, Transactions(held))
            case Transactions():
                self.add_transactions(message.ids)
            case _:
                self.give(MessageReceived(sender, message))

    def add_transactions(self, ids: tuple[TransactionId, ...]) -> None:
        """Take transactions into the pool."""
        new = [i for i in ids if i not in self.known and i not in self.chain.final_ids]
        if new and self.alive:
            self.known.update(dict.fromkeys(new))
            self._work_changed()
            for digest in list(self.checks):
                self._try_check(digest)

    def _work_changed(self) -> None:
        pending = len(self.known)
        self.give(WorkChanged(pending=pending > 0, full_block=pending >= FULL_BLOCK))

    def perform(self, effect: Effect) -> None:  # noqa: C901, PLR0912, PLR0915 - one arm each
        """Do what the effect says, as its documentation has it."""
        match effect:
            case Persist():
                self._persist(effect)
            case Broadcast():
                for peer in self.ports.peers(self):
                    self.ports.send(self.key, peer, effect.message)
            case Send():
                self.ports.send(self.key, effect.to, effect.message)
            case SetTimer():
                self._set_timer(effect)
            case ClearTimer():
                self.timers.pop(effect.timer, None)
            case BuildBlock():
                self._build(effect)
            case CheckBlock():
                self.checks[effect.digest] = effect
                self.bodies[effect.digest] = effect.transaction_ids
                self._try_check(effect.digest)
            case Finalized():
                self._finalize(effect)
            case CatchUp():
                self.syncing = effect
                self._try_sync()
            case ShareTransactions():
                self._share(effect)
            case Halt():
                self.halted = effect.reason
            case Count():
                key = (effect.counter, effect.reason)
                self.counters[key] = self.counters.get(key, 0) + 1
            case VerifyVote() | VerifyCertificate() | VerifyEvidence():
                self._verify(effect)
            case EpochEnded():
                self.ending = effect
                self.ports.after(0, self._change_epoch)
            case ProveEpochEnd():
                end = self.chain.end_of(effect.epoch)
                if end is not None and end.proof.certificate is not None:
                    self.ports.send(self.key, effect.to, CertificateMessage(end.proof.certificate))
            case DropBlock() | EvidenceFound() | Misbehaved():
                pass

    def _verify(self, effect: VerifyVote | VerifyCertificate | VerifyEvidence) -> None:
        city = self.ports.city
        delay_ms = self.ports.jitter_ms(1.0)
        match effect:
            case VerifyVote(vote=vote, sender=sender):
                self.later(delay_ms, VoteVerified(vote, sender, city.vote_is_valid(vote)))
            case VerifyCertificate(certificate=certificate, sender=sender):
                valid = city.certificate_is_valid(certificate)
                self.later(delay_ms, CertificateVerified(certificate, sender, valid))
            case VerifyEvidence(evidence=evidence, sender=sender):
                valid = city.evidence_is_valid(evidence)
                self.later(delay_ms, EvidenceVerified(evidence, sender, valid))

    def _persist(self, effect: Persist) -> None:
        self.journal.commit(effect.records)
        for record in effect.records:
            if isinstance(record, BlockRecord):
                self.bodies[header_digest(record.header)] = record.transaction_ids
        if not all(isinstance(r, CertificateRecord) and r.lazy for r in effect.records):
            self.journal.prune(self.chain.durable_height)

    def _set_timer(self, effect: SetTimer) -> None:
        self._serial += 1
        serial = self.timers[effect.timer] = self._serial
        life = self.lives

        def fire() -> None:
            if self.lives == life and self.timers.get(effect.timer) == serial:
                del self.timers[effect.timer]
                self.give(TimerFired(effect.timer))

        self.ports.after(effect.delay_ms * self.timer_rate, fire)

    def _build(self, effect: BuildBlock) -> None:
        taken = {i for digest in effect.ancestors for i in self.bodies[digest]}
        ids = tuple(i for i in self.known if i not in taken)[:FULL_BLOCK]
        answer = BlockBuilt(
            effect.view, effect.parent, ids, merkle_root(ids), TRANSACTION_BYTES * len(ids)
        )
        self.later(0, answer)

    def _try_check(self, digest: Digest) -> None:
        check = self.checks[digest]
        missing = tuple(
            i
            for i in check.transaction_ids
            if i not in self.known and i not in self.chain.final_ids
        )
        if missing:
            life = self.lives
            for source in check.sources[:2]:
                self.ports.send(self.key, source, TransactionRequest(missing))
            rotated = (*check.sources[1:], *check.sources[:1])
            self.checks[digest] = CheckBlock(
                check.digest, check.header, check.transaction_ids, check.ancestors, rotated
            )

            def again() -> None:
                if self.lives == life and digest in self.checks:
                    self._try_check(digest)

            self.ports.after(FETCH_MS, again)
            return
        del self.checks[digest]
        taken = {i for each in check.ancestors for i in self.bodies[each]}
        height = check.header.height
        repeated = any(
            i in taken or self.chain.final_ids.get(i, height) < height
            for i in check.transaction_ids
        )
        right = check.header.tx_bytes == TRANSACTION_BYTES * len(check.transaction_ids)
        verdict = BodyVerdict.VALID if right and not repeated else BodyVerdict.INVALID
        self.later(0, BlockChecked(digest, verdict, "" if right else "tx_bytes"))

    def _finalize(self, effect: Finalized) -> None:
        for header in effect.headers:
            if header.height <= self.chain.tip.header.height:
                continue
            digest = header_digest(header)
            last = header == effect.headers[-1]
            proof = Proof(effect.certificate, effect.fillers) if last else Proof()
            stored = self.chain.append(header, self.bodies.get(digest, ()), proof)
            assert len(stored.ids) == header.tx_count
            for each in stored.ids:
                self.known.pop(each, None)
            roots = stored.executed
            self.later(
                self.ports.jitter_ms(4.0),
                Executed(roots.height, roots.state_root, roots.receipts_root, stored.pending),
            )
        self._work_changed_later()
        self._write_chain()

    def _work_changed_later(self) -> None:
        life = self.lives
        self.ports.after(0, lambda: self._work_changed() if self.lives == life else None)

    def _write_chain(self) -> None:
        if self._writing:
            return
        self._writing = True
        life = self.lives

        def written() -> None:
            if self.lives == life:
                self._writing = False
                self.chain.sync()
                self.journal.prune(self.chain.durable_height)
                self._change_epoch()

        self.ports.after(CHAIN_WRITE_MS, written)

    def _try_sync(self) -> None:
        if self.syncing is None:
            return
        source = self.ports.sync_source(self, self.syncing.certificate)
        life = self.lives
        if source is None:
            self.ports.after(SYNC_MS, lambda: self._try_sync() if self.lives == life else None)
            return
        target = self.syncing
        self.syncing = None
        for block in source.blocks[self.chain.tip.header.height + 1 :]:
            certified = target.certificate.digest in block.certified
            fillers = block.fillers_to(target.certificate.digest)
            proof = Proof(target.certificate, fillers) if certified else Proof()
            self.chain.append(block.header, block.ids, proof)
            for each in block.ids:
                self.known.pop(each, None)
            if certified:
                break
        self.chain.sync()
        tip = msgspec.structs.replace(self.chain.final_tip(), certificate=target.certificate)
        self.later(SYNC_MS, Synced(tip, self.chain.tip.proof.fillers))
        self._work_changed_later()

    def _share(self, effect: ShareTransactions) -> None:
        ids = tuple(self.known)[:FULL_BLOCK]
        targets = [effect.to] if effect.to is not None else self.ports.validators(self)
        for target in targets:
            if ids and target != self.key:
                self.ports.send(self.key, target, Transactions(ids))
