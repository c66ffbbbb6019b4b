"""One node without its event loop: inputs in, effects performed, in the order that safety needs.

A turn steps the machine over all inputs at hand and their immediate answers, makes everything it
must not forget durable in one commit, and only then lets messages leave. What only changes what is
held in memory is done at once: the next answer of the same turn, a block built or a body checked,
must know what has just become final. The daemon and the simulator run this same code; they differ
in the ports.
"""

from collections import deque
from collections.abc import Iterable

import msgspec

from moyai.consensus.effects import (
    BuildBlock,
    CheckBlock,
    DropBlock,
    Effect,
    Finalized,
    Halt,
    Persist,
    VerifyCertificate,
    VerifyEvidence,
    VerifyVote,
)
from moyai.consensus.inputs import (
    CertificateVerified,
    EvidenceVerified,
    Input,
    Synced,
    VoteVerified,
)
from moyai.consensus.machine import Machine
from moyai.consensus.records import BlockRecord, JournalRecord
from moyai.node.bodies import Bodies
from moyai.node.builder import Builder
from moyai.node.halt import NodeHalted
from moyai.node.ingest import Ingest
from moyai.node.perform import Performer
from moyai.node.ports import Clock, JournalPort
from moyai.node.verifier import ConsensusVerifier
from moyai.p2p.fetch import Fetcher
from moyai.primitives.block import header_digest
from moyai.primitives.ids import Digest
from moyai.primitives.stages import Stage, StageClock


class Parts(msgspec.Struct, frozen=True):
    """What answers effects at once, and what performs the others."""

    verifier: ConsensusVerifier
    bodies: Bodies
    builder: Builder
    ingest: Ingest
    fetcher: Fetcher
    performer: Performer
    stages: StageClock


class Runner:
    """Turns of one machine; not reentrant, owned by one thread."""

    def __init__(self, machine: Machine, clock: Clock, journal: JournalPort, parts: Parts) -> None:
        self.machine = machine
        self._clock = clock
        self._journal = journal
        self._verifier = parts.verifier
        self._bodies = parts.bodies
        self._builder = parts.builder
        self._ingest = parts.ingest
        self._fetcher = parts.fetcher
        self._performer = parts.performer
        self._stages = parts.stages

    def turn(self, inputs: Iterable[Input]) -> None:
        """Step the machine over `inputs` and what follows at once, persist, then act.

        Raises `NodeHalted` when the machine finds safety broken. What the journal raises when it
        cannot commit is passed on; nothing of this turn has left the node then.
        """
        queue = deque(inputs)
        records: list[JournalRecord] = []
        bodies: dict[Digest, tuple[bytes, ...]] = {}
        later: list[Effect] = []
        while queue:
            event = queue.popleft()
            for effect in self.machine.step(event, self._clock.now()):
                if isinstance(effect, Persist):
                    records.extend(effect.records)
                    self._collect_bodies(effect, bodies)
                else:
                    answer = self._answer(effect)
                    if answer is None:
                        later.append(effect)
                    else:
                        queue.extend(answer)
            if isinstance(event, Synced):
                self._bodies.drop(header_digest(event.tip.header))
        if records:
            with self._stages.at(Stage.JOURNAL):
                self._journal.commit(records, bodies)
        for effect in later:
            if isinstance(effect, Halt):
                raise NodeHalted(effect.reason, certificates=effect.certificates)
            self._performer.perform(effect)

    def fetch_missing(self, order: CheckBlock) -> None:
        """Get what the body of a block lacks: out of the own queue, else from the sources."""
        absent = self._ingest.expedite(self._bodies.missing(order.digest))
        if absent:
            self._fetcher.want(order.digest, absent, order.sources, self._clock.now().mono_ms)

    def _answer(self, effect: Effect) -> tuple[Input, ...] | None:
        """Return the inputs that follow at once, none for an effect that waits for the commit."""
        match effect:
            case VerifyVote(vote, sender):
                return (VoteVerified(vote, sender, self._verifier.vote(vote)),)
            case VerifyCertificate(certificate, sender):
                valid = self._verifier.certificate(certificate)
                return (CertificateVerified(certificate, sender, valid),)
            case VerifyEvidence(evidence, sender):
                return (EvidenceVerified(evidence, sender, self._verifier.evidence(evidence)),)
            case BuildBlock():
                with self._stages.at(Stage.PROPOSAL):
                    return (self._builder.build(effect),)
            case CheckBlock():
                with self._stages.at(Stage.PROPOSAL):
                    return self._check(effect)
            case Finalized() | DropBlock():
                with self._stages.at(Stage.POOL):
                    self._performer.settle(effect)
                return ()
            case _:
                return None

    def _check(self, order: CheckBlock) -> tuple[Input, ...]:
        verdict = self._bodies.check(order)
        if verdict is not None:
            return (verdict,)
        self.fetch_missing(order)
        return ()

    def _collect_bodies(self, effect: Persist, bodies: dict[Digest, tuple[bytes, ...]]) -> None:
        for record in effect.records:
            if isinstance(record, BlockRecord):
                digest = header_digest(record.header)
                body = self._bodies.hold_own(digest, record.transaction_ids)
                bodies[digest] = tuple(transaction.raw for transaction in body)
