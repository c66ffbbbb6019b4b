"""The machine's whole state in one place, and the few acts every rule needs.

Not here: any rule. A rule reads and writes this, emits effects, and sets `dirty` when it changed
something that another rule looks at; `machine` then runs the rules again.
"""

from moyai.consensus.abstention import Abstention
from moyai.consensus.activity import Activity
from moyai.consensus.ballots import Ballots
from moyai.consensus.certificates import CertificateStore
from moyai.consensus.config import MachineConfig
from moyai.consensus.effects import Count, Effect, Halt, Misbehaved, Persist, Send
from moyai.consensus.execution import Execution
from moyai.consensus.fetchlist import FetchList
from moyai.consensus.inputs import Now, WorkChanged
from moyai.consensus.links import Links
from moyai.consensus.messages import ConsensusMessage, Proposal, Status
from moyai.consensus.misconduct import EvidenceBook
from moyai.consensus.pacing import Pacing
from moyai.consensus.records import JournalRecord
from moyai.consensus.round import Round
from moyai.consensus.tally import Tally
from moyai.consensus.timers import Timers
from moyai.consensus.tree import BlockTree
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, NetworkKey, TimeMs, ValidatorIndex, View


class Core:
    """Plain state; see the files of its parts."""

    def __init__(self, config: MachineConfig) -> None:  # noqa: PLR0915 - state, no logic
        self.config = config
        self.validators = config.validators
        self.epoch = config.validators.epoch
        self.parameters = config.parameters
        self.index = config.index
        self.now = Now(0, TimeMs(0))
        self.effects: list[Effect] = []
        self.dirty = False
        self.halted = False
        self.ended = False  # the epoch is over
        self.shown_end: dict[NetworkKey, None] = {}  # of an older epoch, in this status period
        self.later_epoch = False  # somebody says that it is over

        self.tree = BlockTree(config.tip, self.epoch)
        floor = self.tree.final_view
        certificate = config.tip.certificate
        if certificate is not None and certificate.epoch != self.epoch:
            certificate = None
        self.certificates = CertificateStore(floor, certificate)
        self.execution = Execution(config.tip)
        self.round = Round(View(floor + 1), 0, certificate)
        self.tally = Tally(config.validators)
        self.ballots = Ballots()
        self.activity = Activity(config.validators, floor)
        self.pacing = Pacing(config.parameters)
        self.timers = Timers(self.emit)
        self.fetches = FetchList()
        self.links = Links(config.network_keys)
        self.abstention = Abstention(self.epoch, config.validators.quorum)
        self.evidence = EvidenceBook()

        self.proposals: dict[View, Proposal] = {}
        self.accepted: dict[View, Digest] = {}  # proposals whose leader's vote is verified
        self.own_proposals: dict[View, Proposal] = {}
        self.finalizable: set[View] = (
            set()
        )  # notarized, own finalize still possible; iterated sorted
        self.learned: list[Certificate] = []  # of this step, maybe not durable yet
        self.verifying: dict[Certificate, NetworkKey] = {}
        self.catching_up: Certificate | None = None
        self.work = WorkChanged(pending=False, full_block=False)
        self.work_serial = 0
        self.idle_over = False
        self.abstaining: dict[ValidatorIndex, int] = {}  # who says so, and when it was helped last
        self.helped: dict[ValidatorIndex, int] = {}  # the same, also of who no longer says so
        self.delta_streak = 0  # consecutive views nullified by this node's timers
        self.lost_journal = False  # found at start
        self.said: Status | None = None
        self.said_ms = 0
        self.listening = False  # for a second process with the same key
        self.repeat_mark = View(0)  # what was said up to this view is repeated next time

    @property
    def over(self) -> bool:
        """Return whether nothing is done any more."""
        return self.halted or self.ended

    @property
    def view(self) -> View:
        return self.round.view

    @property
    def floor(self) -> View:
        """Return the last final view."""
        return self.tree.final_view

    @property
    def delta_ms(self) -> int:
        """Return Δ, grown by the views this node nullified in a row."""
        growth = 1.5 ** min(self.delta_streak, 16)
        return min(
            int(self.parameters.delta_ms * growth),
            max(self.parameters.delta_ms, self.parameters.delta_max_ms),
        )

    def leader(self, view: View) -> ValidatorIndex:
        return self.validators.leader(view)

    def key_of(self, validator: ValidatorIndex) -> NetworkKey:
        return self.config.network_keys[validator]

    def may_vote(self, view: View) -> bool:
        """Return whether a vote of `view` may leave this node at all (R7, R12)."""
        return (
            self.index is not None
            and view > self.certificates.final_view
            and view > self.floor
            and self.abstention.allows(view)
            and not self.listening
            and not self.over
        )

    def emit(self, effect: Effect) -> None:
        self.effects.append(effect)

    def persist(self, records: list[JournalRecord]) -> None:
        """Make durable before anything that is emitted after it."""
        if records:
            self.emit(Persist(tuple(records)))

    def send(self, to: NetworkKey, message: ConsensusMessage) -> None:
        self.emit(Send(to, message))

    def count(self, counter: str, reason: str) -> None:
        self.emit(Count(counter, reason))

    def misbehaved(self, peer: NetworkKey, reason: str) -> None:
        self.emit(Misbehaved(peer, reason))

    def halt(self, reason: str, *certificates: Certificate | None) -> None:
        """Stop: nothing is done after this."""
        self.halted = True
        self.emit(Halt(reason, tuple(each for each in certificates if each is not None)))
