"""One machine on a stage: a test says what the others do, and reads what the machine answers.

The machine is validator `me` of `count`; checks of signatures are answered truthfully at once,
everything else is up to the scenario. Not here: whole cities (`world`).
"""

from collections.abc import Iterable

from harness.consensus.keys import CHAIN_ID, City
from harness.consensus.store import GENESIS, Journal
from moyai.consensus.config import ExecutedBlock, FinalTip, MachineConfig
from moyai.consensus.effects import (
    Broadcast,
    Effect,
    Persist,
    Send,
    VerifyCertificate,
    VerifyEvidence,
    VerifyVote,
)
from moyai.consensus.inputs import (
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
    Timer,
    TimerFired,
    VoteVerified,
    WorkChanged,
)
from moyai.consensus.machine import Machine
from moyai.consensus.messages import (
    CertificateMessage,
    ConsensusMessage,
    Proposal,
    VoteMessage,
)
from moyai.consensus.records import JournalRecord, Recovered, VoteRecord
from moyai.consensus.trace import Tracer
from moyai.primitives import block as values
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate, make_certificate
from moyai.primitives.ids import (
    ZERO_DIGEST,
    Digest,
    Height,
    TimeMs,
    TransactionId,
    ValidatorIndex,
    View,
)
from moyai.primitives.merkle import Frontier, merkle_root
from moyai.primitives.parameters import Parameters
from moyai.primitives.vote import Vote, VoteKind

NOTARIZE, NULLIFY, FINALIZE = VoteKind.NOTARIZE, VoteKind.NULLIFY, VoteKind.FINALIZE
START_MS = 1_000


def empty_journal(*, unused: bool = True) -> Recovered:
    journal = Journal()
    journal.unused = unused
    return journal.recovered()


class Made:
    """A block of the scenario, with what its children need."""

    def __init__(self, header: Header, ids: tuple[TransactionId, ...], frontier: Frontier) -> None:
        self.header = header
        self.ids = ids
        self.digest = header_digest(header)
        self.frontier = frontier  # of its ancestors

    @property
    def view(self) -> View:
        return self.header.view


class Stage:
    """The scenario's hands and eyes."""

    def __init__(
        self,
        me: int | None = 0,
        count: int = 4,
        *,
        recovered: Recovered | None = None,
        tip: FinalTip | None = None,
        double_sign_check_ms: int = 0,
        parameters: Parameters | None = None,
        epoch: int = 0,
    ) -> None:
        self.city = City(count, epoch)
        self.me = me
        self.now_ms = START_MS
        self.wall_ms = GENESIS.time_ms + START_MS
        self.genesis = Made(GENESIS, (), Frontier())
        self.parameters = parameters or Parameters()
        executed = ExecutedBlock(GENESIS, GENESIS.executed)
        self.config = MachineConfig(
            chain_id=CHAIN_ID,
            validators=self.city.validators,
            network_keys=self.city.network_keys,
            index=ValidatorIndex(me) if me is not None else None,
            parameters=self.parameters,
            sign=self.city.signer(me or 0),
            tip=tip or FinalTip(None, Frontier(), (executed,)),
            double_sign_check_ms=double_sign_check_ms,
        )
        self.machine = Machine(self.config, recovered or empty_journal())
        self.tracer = Tracer(self.city.network_keys)
        self.effects: list[Effect] = []  # of the last act
        self.all_effects: list[Effect] = []
        self.lines: list[str] = []

    @classmethod
    def following(cls, *views: int, tip: FinalTip | None = None, epoch: int = 0) -> "Stage":
        """Return a started stage whose machine leads none of these views."""
        leaders = {cls(epoch=epoch).leader(view) for view in views}
        me = next(index for index in range(4) if index not in leaders)
        stage = cls(me=me, tip=tip, epoch=epoch)
        stage.start()
        return stage

    # -- acts

    def act(self, *events: Input) -> list[Effect]:
        """Give inputs; return the effects, checks of signatures answered and left out."""
        self.effects = []
        waiting = list(events)
        while waiting:
            event = waiting.pop(0)
            self.lines.append(self.tracer.input(event))
            for effect in self.machine.step(event, Now(self.now_ms, TimeMs(self.wall_ms))):
                self.lines.append(self.tracer.effect(effect))
                answer = self._verified(effect)
                if answer is not None:
                    waiting.append(answer)
                else:
                    self.effects.append(effect)
        self.all_effects += self.effects
        return self.effects

    def _verified(self, effect: Effect) -> Input | None:
        match effect:
            case VerifyVote(vote=vote, sender=sender):
                return VoteVerified(vote, sender, self.city.vote_is_valid(vote))
            case VerifyCertificate(certificate=certificate, sender=sender):
                valid = self.city.certificate_is_valid(certificate)
                return CertificateVerified(certificate, sender, valid)
            case VerifyEvidence(evidence=evidence, sender=sender):
                return EvidenceVerified(evidence, sender, self.city.evidence_is_valid(evidence))
            case _:
                return None

    def start(self) -> list[Effect]:
        others = tuple(k for i, k in enumerate(self.city.network_keys) if i != self.me)
        first = self.act(Started())
        return first + self.act(LinksChanged(tuple(sorted(others))))

    def hear(self, sender: int, *messages: ConsensusMessage) -> list[Effect]:
        key = self.city.network_keys[sender]
        return self.act(*(MessageReceived(key, message) for message in messages))

    def work(self, *, pending: bool = True, full: bool = False) -> list[Effect]:
        return self.act(WorkChanged(pending=pending, full_block=full))

    def wait(self, milliseconds: int) -> None:
        self.now_ms += milliseconds
        self.wall_ms += milliseconds

    def fire(self, timer: Timer) -> list[Effect]:
        """Let time pass until a running timer is due, and fire it."""
        left = self.machine.status().timers_ms[timer.name.lower()]
        self.wait(left)
        return self.act(TimerFired(timer))

    def body(self, made: Made, verdict: BodyVerdict = BodyVerdict.VALID) -> list[Effect]:
        return self.act(BlockChecked(made.digest, verdict, ""))

    def executed(self, made: Made, root: bytes = b"\x05") -> list[Effect]:
        digest = Digest(root * 32)
        return self.act(Executed(made.header.height, digest, digest))

    # -- things

    def leader(self, view: int) -> int:
        return self.city.validators.leader(View(view))

    def view_led_by(self, validator: int, after: int = 0) -> View:
        return View(next(v for v in range(after + 1, after + 99) if self.leader(v) == validator))

    def make(self, view: int, parent: Made | None = None, ids: int = 0, **fields: object) -> Made:
        """Make the block that the leader of `view` would build on `parent`."""
        above = parent or self.genesis
        names = tuple(TransactionId(b"%032d" % (view * 100 + n)) for n in range(ids))
        frontier = above.frontier.append(above.digest)
        values_of: dict[str, object] = {
            "chain_id": CHAIN_ID,
            "epoch": self.city.validators.epoch,
            "view": View(view),
            "height": Height(above.header.height + 1),
            "parent": above.digest,
            "parent_view": above.view,
            "time_ms": TimeMs(max(self.wall_ms, above.header.time_ms + 1)),
            "proposer": ValidatorIndex(self.leader(view)),
            "tx_root": merkle_root(names),
            "tx_count": ids,
            "tx_bytes": 200 * ids,
            "executed": above.header.executed,
            "epoch_end": None,
            "filler_of": None,
            "log_root": frontier.root,
        }
        header = Header(**(values_of | fields))  # type: ignore[arg-type]
        return Made(header, names, frontier)

    def vote(self, kind: VoteKind, view: int, signer: int, made: Made | None = None) -> VoteMessage:
        digest = made.digest if made is not None else ZERO_DIGEST
        epoch = self.city.validators.epoch
        unsigned = Vote(epoch, View(view), kind, digest, ValidatorIndex(signer), b"")
        return VoteMessage(self.city.vote(unsigned))

    def proposal(self, made: Made) -> Proposal:
        vote = self.vote(NOTARIZE, made.view, self.leader(made.view), made).vote
        return Proposal(made.header, vote, made.ids)

    def certificate(
        self, kind: VoteKind, view: int, made: Made | None = None, signers: Iterable[int] = ()
    ) -> CertificateMessage:
        chosen = list(signers) or self.others[: self.city.validators.quorum]
        votes = [self.vote(kind, view, signer, made).vote for signer in chosen]
        return CertificateMessage(make_certificate(votes, self.city.validators))

    def notarization(self, made: Made) -> CertificateMessage:
        return self.certificate(NOTARIZE, made.view, made)

    def finalization(self, made: Made) -> CertificateMessage:
        return self.certificate(FINALIZE, made.view, made)

    def nullification(self, view: int) -> CertificateMessage:
        return self.certificate(NULLIFY, view)

    @property
    def others(self) -> list[int]:
        return [index for index in range(len(self.city.validators)) if index != self.me]

    def roots(self, height: int, root: bytes = b"\x05") -> values.Executed:
        return values.Executed(Height(height), Digest(root * 32), Digest(root * 32))

    def tip_after(self, made: Made, root: bytes = b"\x05") -> FinalTip:
        """Return the chain store's tip when `made`, a child of genesis, is stored and executed."""
        executed = ExecutedBlock(made.header, self.roots(made.header.height, root))
        return FinalTip(self.finalization(made).certificate, made.frontier, (executed,))

    def propose(self, made: Made) -> list[Effect]:
        """Let the leader of the block propose it, and its body arrive."""
        effects = self.hear(self.leader(made.view), self.proposal(made))
        return effects + self.body(made) if made.ids else effects

    # -- what was said

    def said(self, effects: list[Effect] | None = None) -> list[ConsensusMessage]:
        chosen = self.effects if effects is None else effects
        return [each.message for each in chosen if isinstance(each, Broadcast | Send)]

    def votes(self, effects: list[Effect] | None = None) -> list[tuple[VoteKind, int]]:
        """Return kind and view of the own votes that left."""
        own = [
            m.vote
            for m in self.said(effects)
            if isinstance(m, VoteMessage | Proposal) and m.vote.signer == self.me
        ]
        return [(vote.kind, vote.view) for vote in own]

    def certificates(self, effects: list[Effect] | None = None) -> list[Certificate]:
        messages = self.said(effects)
        return [m.certificate for m in messages if isinstance(m, CertificateMessage)]

    def of(self, kind: type[Effect]) -> list[Effect]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def records(self, effects: list[Effect] | None = None) -> list[JournalRecord]:
        chosen = self.effects if effects is None else effects
        return [r for each in chosen if isinstance(each, Persist) for r in each.records]

    def journal(self) -> Journal:
        """Return the journal as it is after every commit of this scenario."""
        journal = Journal()
        for effect in self.all_effects:
            if isinstance(effect, Persist):
                journal.commit(effect.records)
        return journal

    def voted_durably(self) -> list[tuple[VoteKind, int]]:
        records = self.records(self.all_effects)
        return [(r.vote.kind, r.vote.view) for r in records if isinstance(r, VoteRecord)]
