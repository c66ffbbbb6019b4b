"""The machine: one input in, a list of effects out. Dispatch only; every rule has a file of its
own.

A step takes the input in, then runs the rules in the order of `_RULES` until none has anything more
to do. The caller performs the effects in order (`effects`).
"""

from typing import assert_never

from moyai.consensus import (
    blocks,
    catchup,
    fetching,
    finality,
    leading,
    proposals,
    recovery,
    repeating,
    signatures,
    timeouts,
    views,
    voting,
)
from moyai.consensus.config import MachineConfig
from moyai.consensus.core import Core
from moyai.consensus.effects import Effect
from moyai.consensus.inputs import (
    BlockBuilt,
    BlockChecked,
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
from moyai.consensus.messages import (
    BlockMessage,
    BlockRequest,
    CertificateMessage,
    CertificateRequest,
    ConsensusMessage,
    Evidence,
    Proposal,
    Status,
    VoteMessage,
)
from moyai.consensus.records import CertificateRecord, JournalRecord, Recovered
from moyai.consensus.status import MachineStatus, machine_status
from moyai.primitives.ids import NetworkKey
from moyai.primitives.vote import VoteKind

_ROUNDS_MAX = 1_000

_RULES = (
    finality.settle,  # R7
    views.settle,  # R1 R4 R6 R8
    fetching.settle,  # R2 R4
    proposals.settle,  # R3
    voting.settle,  # R3 R4
    leading.settle,  # R2
    timeouts.settle,  # R1 R5
)


class Machine:
    """The protocol of one epoch for one node; deterministic."""

    def __init__(self, config: MachineConfig, recovered: Recovered) -> None:
        self._core = Core(config)
        recovery.restore(self._core, recovered)

    def step(self, event: Input, now: Now) -> list[Effect]:
        """Take one input in at `now`; return the effects, in the order they must be performed."""
        core = self._core
        if core.over:
            return []
        core.now = now
        self._take(event)
        rounds = 0
        while core.dirty and not core.over:
            core.dirty = False
            for rule in _RULES:
                rule(core)
                if core.over:
                    break
            rounds += 1
            assert rounds < _ROUNDS_MAX, "the rules must come to rest"
        self._store_learned()
        effects, core.effects = core.effects, []
        return effects

    def status(self) -> MachineStatus:
        """Return what the machine shows to operators."""
        return machine_status(self._core)

    def _take(self, event: Input) -> None:  # noqa: C901, PLR0912 - one arm each
        core = self._core
        match event:
            case MessageReceived():
                self._receive(event.message, event.sender)
            case VoteVerified():
                self._vote_verified(event)
            case CertificateVerified():
                signatures.certificate_verified(core, event)
            case EvidenceVerified():
                signatures.evidence_verified(core, event)
            case TimerFired():
                if core.timers.fired(event.timer, core.now.mono_ms):
                    self._fire(event.timer)
            case BlockBuilt():
                leading.built(core, event)
            case BlockChecked():
                blocks.checked(core, event)
            case Executed():
                finality.executed(core, event)
            case WorkChanged():
                core.work = event
                core.work_serial += 1
                core.dirty = True
            case LinksChanged():
                catchup.links_changed(core, event)
            case Synced():
                finality.synced(core, event)
            case Started():
                recovery.started(core)
            case _ as unreachable:
                assert_never(unreachable)

    def _receive(self, message: ConsensusMessage, sender: NetworkKey) -> None:
        core = self._core
        match message:
            case VoteMessage():
                signatures.receive_vote(core, message.vote, sender)
            case CertificateMessage():
                signatures.receive_certificate(core, message.certificate, sender)
            case Proposal():
                proposals.receive(core, message, sender)
            case Status():
                catchup.receive(core, message, sender)
            case CertificateRequest():
                fetching.serve_certificates(core, message, sender)
            case BlockRequest():
                fetching.serve_block(core, message, sender)
            case BlockMessage():
                fetching.receive_block(core, message, sender)
            case Evidence():
                signatures.receive_evidence(core, message, sender)
            case _ as unreachable:
                assert_never(unreachable)

    def _vote_verified(self, event: VoteVerified) -> None:
        core, vote = self._core, event.vote
        signatures.vote_verified(core, event)
        if vote.kind is VoteKind.NOTARIZE and vote.epoch == core.epoch:
            if event.valid:
                proposals.accept(core, vote)
            else:
                proposals.reject(core, vote)

    def _fire(self, timer: Timer) -> None:
        core = self._core
        match timer:
            case Timer.LEADER | Timer.VIEW:
                timeouts.fired(core)
            case Timer.SILENT_LEADER:
                repeating.wake_leader(core)
            case Timer.PROPOSE:
                core.dirty = True
            case Timer.REBROADCAST:
                repeating.tick(core)
            case Timer.STATUS:
                catchup.tick(core)
            case Timer.IDLE:
                core.idle_over = True
                core.dirty = True
            case Timer.FETCH:
                fetching.tick(core)
            case Timer.DOUBLE_SIGN_CHECK:
                recovery.listened(core)
            case _ as unreachable:
                assert_never(unreachable)

    def _store_learned(self) -> None:
        """Keep for a restart, lazily, what no vote of this step stood on."""
        core = self._core
        if not core.learned:
            return
        records: list[JournalRecord] = [
            CertificateRecord(certificate, lazy=True)
            for certificate in core.learned
            if certificate.view > core.floor and not core.certificates.is_durable(certificate)
        ]
        core.learned.clear()
        core.persist(records)
