"""Twins (Bano et al., 2020): two honest processes with one key are a Byzantine member.

A case names the twinned member and, for each of the first views, how the processes are cut into
groups. What is said about a view reaches the own group alone while that view is young; then it
reaches everybody, and the city must go on. The twins run the shipped machine, except that they do
not fall silent when they hear each other, and that a case may mask them: then they keep kinds of
messages of a view to themselves. Not here: members that run other code (`harness.byzantine`).
"""

from collections.abc import Iterator
from functools import partial
from itertools import product
from random import Random

import msgspec

from harness.consensus.invariants import Violation
from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.abstention import Abstention
from moyai.consensus.messages import CertificateMessage, Evidence, Proposal, VoteMessage
from moyai.consensus.records import AbstainRecord
from moyai.primitives.ids import NetworkKey, View
from moyai.primitives.vote import VoteKind

Groups = tuple[int, ...]
"""The group of each process: the members in index order, then the second life of each twin."""

Mask = tuple[int, ...]
"""For each process a set of bits, one for each kind of message that it does not send."""

MASK_BITS = 5  # votes by their kind, then proposals, then certificates
MASKED_PROPOSAL, MASKED_CERTIFICATE = 1 << 3, 1 << 4

CUT_MS = 2_000  # longer than the timers of a view
CHAOS_MS = 7_000
RECOVERY_MS = 30_000
LOOK_EACH_MS = 50
WORK_EACH_MS = 500


class Case(msgspec.Struct, frozen=True):
    """One scenario: who is twinned, and the groups of the views from 1 on."""

    count: int
    twins: tuple[int, ...]
    groups: tuple[Groups, ...]
    seed: int = 0
    masks: tuple[Mask, ...] = ()  # of the views from 1 on; of twins only


def cuts(processes: int, groups_max: int) -> list[Groups]:
    """Return every way to cut processes into at most so many groups, in lexical order."""
    found: list[Groups] = [(0,)]
    for _ in range(processes - 1):
        found = [(*cut, group) for cut in found for group in range(min(max(cut) + 2, groups_max))]
    return found


def swapped(cut: Groups, twin: int) -> Groups:
    """Return the cut in which the twin and its second life, the last process, change places."""
    order = list(cut)
    order[twin], order[-1] = order[-1], order[twin]
    names: dict[int, int] = {}
    return tuple(names.setdefault(group, len(names)) for group in order)


def every_case(views: int) -> Iterator[Case]:
    """Yield all cases of four members and one twin with two groups, once up to a swap of the twins.

    The order is fixed: by twinned member, then by the cuts of the views.
    """
    for twin in range(4):
        for groups in product(cuts(5, 2), repeat=views):
            if groups <= tuple(swapped(cut, twin) for cut in groups):
                yield Case(4, (twin,), groups)


def count_of(views: int) -> int:
    """Return how many cases `every_case` yields.

    Burnside: of the 16 cuts of five into at most two groups, a swap of the twins leaves 8 alone.
    """
    return 2 * ((1 << 4 * views) + (1 << 3 * views))


def drawn_case(seed: int) -> Case:
    """Return a random case: more views, groups and members, and one twin for each that may fail."""
    random = Random(seed)
    count = random.choice((4, 4, 4, 7))
    twins = tuple(sorted(random.sample(range(count), (count - 1) // 3)))
    processes = count + len(twins)
    views = random.randrange(2, 9)
    groups = tuple(
        tuple(random.randrange(random.choice((1, 2, 2, 3))) for _ in range(processes))
        for _ in range(views)
    )
    masks = tuple(drawn_mask(random, count, twins) for _ in range(random.choice((0, views))))
    return Case(count, twins, groups, seed, masks)


def drawn_mask(random: Random, count: int, twins: tuple[int, ...]) -> Mask:
    """Return what the lives of the twins keep to themselves in one view; others hide nothing."""
    lives = {*twins, *range(count, count + len(twins))}
    drawn = [random.choice((0, random.randrange(1 << MASK_BITS))) for _ in range(2 * count)]
    return tuple(drawn[place] if place in lives else 0 for place in range(count + len(twins)))


def mask_bit(message: WireMessage) -> int:
    """Return the bit of a message's kind; 0 for what is never masked."""
    match message:
        case VoteMessage(vote=vote):
            return 1 << (vote.kind - VoteKind.NOTARIZE)
        case Proposal():
            return MASKED_PROPOSAL
        case CertificateMessage():
            return MASKED_CERTIFICATE
        case _:
            return 0


class Shameless(Abstention):
    """Does not fall silent: a traitor with a second life knows why its key signs elsewhere."""

    def begin(self) -> AbstainRecord:
        return AbstainRecord(self._epoch, abstaining=False, vote_above_view=View(0))


class TwinWorld(World):
    """A city in which some members live twice, and links are cut by view."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.count, case.seed)
        self.case = case
        self._begun_ms: dict[int, float] = {}
        for twin in case.twins:
            first = self.nodes[twin]
            self.nodes.append(Node(first.key, first.index, self._ports(first.key)))
            self.byzantine[first.key] = self
        for place, node in enumerate(self.nodes):
            node.ports = node.ports._replace(send=partial(self._pass, place))

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        return [message]  # twins are traitors by living twice

    def begin(self) -> None:
        """Start everybody, and take the shame from the twins."""
        self.start()
        for node in self.nodes:
            if node.key in self.byzantine and node.machine is not None:
                core = node.machine._core
                core.abstention = Shameless(core.epoch, core.validators.quorum)

    def _pass(self, place: int, _key: NetworkKey, to: NetworkKey, message: WireMessage) -> None:
        sender = self.nodes[place]
        for other, receiver in enumerate(self.nodes):
            if receiver.key == to and self._together(place, other, message):
                delay_ms = self.network.delay_ms + self.random.random() * self.network.spread_ms
                self.after(delay_ms, partial(receiver.receive, sender.key, message))

    def _together(self, place: int, other: int, message: WireMessage) -> bool:
        view = self._view_of(self.nodes[place], message)
        if not 1 <= view <= len(self.case.groups):
            return True
        if view <= len(self.case.masks) and self.case.masks[view - 1][place] & mask_bit(message):
            return False
        begun_ms = self._begun_ms.setdefault(view, self.now_ms)
        groups = self.case.groups[view - 1]
        return self.now_ms - begun_ms > CUT_MS or groups[place] == groups[other]

    def _view_of(self, sender: Node, message: WireMessage) -> int:
        """Return the view a message is about; what is about none belongs to the sender's view."""
        match message:
            case Proposal(header=header):
                return header.view
            case VoteMessage(vote=vote):
                return vote.view
            case CertificateMessage(certificate=certificate):
                return certificate.view
            case Evidence(first=first):
                return first.view
            case _:
                return _view(sender)


def _view(node: Node) -> int:
    return node.machine._core.view if node.machine is not None else 0


def live(case: Case) -> TwinWorld:
    """Live one case: safe at every step, live once everybody hears everybody; else `Violation`."""
    world = TwinWorld(case)
    world.begin()
    shaped = len(case.groups)
    while world.now_ms < CHAOS_MS and any(_view(node) <= shaped for node in world.honest):
        if world.now_ms % WORK_EACH_MS == 0:
            world.submit(1)
        world.run(LOOK_EACH_MS)
    newest = world.submit(1)
    world.case = msgspec.structs.replace(case, groups=(), masks=())
    if not world.run(RECOVERY_MS, lambda: world.all_final(newest)):
        raise Violation(f"no new final block once all are connected: {world.heights()} {case}")
    return world
