"""What a history of the core has reached: a run that never got somewhere has not tested it.

Not here: whether it was right (`harness.consensus.invariants`).
"""

from harness.consensus.shell import Node
from harness.consensus.world import World
from moyai.consensus.effects import (
    Broadcast,
    CatchUp,
    Count,
    Effect,
    EpochEnded,
    EvidenceFound,
    Finalized,
    Persist,
    ProveEpochEnd,
)
from moyai.consensus.inputs import Input, Started, Timer, TimerFired
from moyai.consensus.messages import VoteMessage
from moyai.consensus.records import AbstainRecord, VoteRecord
from moyai.primitives.vote import Vote, VoteKind

MARKS = (
    "a view with both certificates",
    "resumed in mid view",
    "a block came back from the journal",
    "nullified by the timer",
    "nullified what it had notarized",
    "late body finalized",
    "final through a descendant",
    "caught up",
    "evidence",
    "an epoch ended",
    "an epoch ended by a filler",
    "led through the end of an epoch",
    "abstained",
    "abstained and came back",
    "a process got no time",
    "the leader was cut off",
    "a disk was lost",
    "a backup was restored",
    "all were dead at once",
    "a quorum went on alone",
    "nothing went wrong",
)


class CoreMarks:
    """Listens to every node of a world."""

    def __init__(self, world: World) -> None:
        self.seen: dict[str, None] = {}
        self.views: dict[int, int] = {}
        self._world = world
        self._last: dict[bytes, Input] = {}
        world.taps.append(self._effect)
        for node in world.nodes:
            node.taps.append(self._input)

    def _input(self, node: Node, event: Input) -> None:
        self._last[node.key] = event
        if isinstance(event, Started) and node.lives > 1:
            height = node.chain.tip.header.height
            if any(each.header.height > height for each in node.journal.blocks.values()):
                self.seen["a block came back from the journal"] = None

    def _effect(self, node: Node, effect: Effect) -> None:
        match effect:
            case Persist(records=records):
                for record in records:
                    if isinstance(record, VoteRecord):
                        self._voted(node, record.vote)
                    elif isinstance(record, AbstainRecord):
                        name = "abstained" if record.abstaining else "abstained and came back"
                        self.seen[name] = None
            case Finalized(headers=headers):
                if len(headers) > 1:
                    self.seen["final through a descendant"] = None
            case Broadcast(message=VoteMessage(vote=vote)):
                self._said(node, vote)
            case _:
                self._rare(effect)

    def _rare(self, effect: Effect) -> None:
        match effect:
            case CatchUp():
                self.seen["caught up"] = None
            case EvidenceFound():
                self.seen["evidence"] = None
            case EpochEnded(headers=headers):
                self.seen["an epoch ended"] = None
                if len(headers) > 1:
                    self.seen["an epoch ended by a filler"] = None
            case ProveEpochEnd():
                self.seen["led through the end of an epoch"] = None
            case Count(counter="abstaining"):
                self.seen["abstained"] = None
            case _:
                pass

    def _voted(self, node: Node, vote: Vote) -> None:
        self.views[vote.epoch] = max(vote.view, self.views.get(vote.epoch, 0))
        if vote.kind is VoteKind.NULLIFY:
            last = self._last.get(node.key)
            if isinstance(last, TimerFired) and last.timer in (Timer.LEADER, Timer.VIEW):
                self.seen["nullified by the timer"] = None
            if (vote.epoch, vote.view, VoteKind.NOTARIZE) in node.journal.votes:
                self.seen["nullified what it had notarized"] = None
        if vote.kind is VoteKind.FINALIZE and node.machine is not None:
            if node.machine.status().view > vote.view + 1:
                self.seen["late body finalized"] = None
            certified = self._world.invariants
            if certified.notarized.keys() & certified.nullified:
                self.seen["a view with both certificates"] = None

    def _said(self, node: Node, vote: Vote) -> None:
        resumed = isinstance(self._last.get(node.key), Started) and node.lives > 1
        if resumed and node.machine is not None and vote.view >= node.machine.status().view:
            self.seen["resumed in mid view"] = None
