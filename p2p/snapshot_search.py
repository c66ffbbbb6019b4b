"""Finding a state to take over: who offers which, and whether a quorum certified it. Pure.

    offers -> ends of epochs, from genesis on -> the certificate of the best offer

A claim costs its maker's time alone: ends of epochs are asked from those whose offers lie beyond
them, and who cannot show one is passed over. Not here: the state itself (`snapshot_load`).
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from moyai.p2p import limits
from moyai.p2p.errors import SyncFault
from moyai.p2p.snapshot_checks import CheckedOffer, check_certificate, check_end, check_offer
from moyai.p2p.snapshot_messages import (
    EpochEndAnswer,
    EpochEndRequest,
    SnapshotAnswer,
    SnapshotRequest,
)
from moyai.p2p.snapshot_offers import SnapshotOffers
from moyai.p2p.sync import Ask, Blame
from moyai.primitives.epoch_end import EpochEnd
from moyai.primitives.genesis import Genesis
from moyai.primitives.ids import Epoch, Height, NetworkKey
from moyai.primitives.quorum import one_honest

SearchAnswer = SnapshotAnswer | EpochEndAnswer


class SearchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: a state after more than `above` blocks.

    `validators` are the network keys of all others of the genesis document; `wanted` is the height
    of a state of which parts are here already.
    """

    validators: tuple[NetworkKey, ...]
    above: Height
    wanted: Height | None


class Found(msgspec.Struct, frozen=True):
    """A certified state, who holds it, and the end of every epoch before it."""

    offer: CheckedOffer
    holders: tuple[NetworkKey, ...]
    epoch_ends: tuple[EpochEnd, ...]


class _Question(msgspec.Struct, frozen=True):
    request: SnapshotRequest | EpochEndRequest
    due_ms: int


class SnapshotSearch:
    """One search; peers that come later are asked whether they hold what was found."""

    def __init__(self, genesis: Genesis, plan: SearchPlan, now_ms: int) -> None:
        self._chain_id = genesis.chain_id
        self._plan = plan
        self._sets = [genesis.validators()]
        self._one_honest = one_honest(len(self._sets[0]))
        self._offers = SnapshotOffers(wanted=plan.wanted, one_honest=self._one_honest)
        self._linked: dict[NetworkKey, None] = {}
        self._liars: dict[NetworkKey, None] = {}
        self._silent: dict[NetworkKey, None] = {}
        self._rests_until_ms: dict[NetworkKey, int] = {}
        self._asked: dict[NetworkKey, _Question] = {}
        self._ends: list[EpochEnd] = []
        self._ends_asked: Counter[NetworkKey] = Counter()
        self._patient_until_ms = now_ms + limits.SNAPSHOT_SEEK_MS
        self.found: Found | None = None
        self.nothing_offered = False

    @property
    def epochs_proven(self) -> int:
        """Return how many ends of epochs are proven."""
        return len(self._ends)

    def add(self, keys: Iterable[NetworkKey]) -> None:
        """Take more peers to ask."""
        self._linked.update((key, None) for key in keys if key not in self._liars)

    def gone(self, peer: NetworkKey) -> None:
        """The link to a peer went down; it may be added again."""
        self._linked.pop(peer, None)
        self._let_off(peer)

    def lied(self, peer: NetworkKey) -> None:
        """The peer contradicted a certificate: it is not asked again."""
        self._liars[peer] = None
        self.gone(peer)

    def give_up(self, now_ms: int) -> None:
        """Nobody gives what was found: look for another state before that one."""
        assert self.found is not None
        self._offers.give_up(self.found.offer.offer.description)
        self._offers.wanted = None
        self._offers.clear()
        self.found = None
        self._patient_until_ms = now_ms + limits.SNAPSHOT_SEEK_MS

    def expects(self, peer: NetworkKey, answer: SearchAnswer) -> bool:
        """Return whether an answer is to the question that this peer was asked."""
        question = self._asked.get(peer)
        match question.request if question is not None else None, answer:
            case SnapshotRequest(height), SnapshotAnswer(answered):
                return height == answered
            case EpochEndRequest(epoch), EpochEndAnswer(answered_epoch):
                return epoch == answered_epoch
            case _:
                return False

    def take(self, peer: NetworkKey, answer: SearchAnswer, now_ms: int) -> NetworkKey | None:
        """Take an expected answer; return the peer if it holds what was found before.

        Raises `SyncFault`.
        """
        del self._asked[peer]
        if isinstance(answer, EpochEndAnswer):
            self._take_end(peer, answer, now_ms)
            return None
        if answer.offer is None:
            self._offers.add(peer, None)
            return None
        checked = check_offer(answer.offer, self._chain_id, answer.height)
        self._offers.add(peer, checked if checked.height > self._plan.above else None)
        if self.found is None or not _is_same(self.found.offer, checked):
            return None
        self._check_certificate(checked)
        return peer

    def go_on(self, now_ms: int) -> list[Ask | Blame]:
        """Pass over who is late, ask who has not spoken, choose when all have."""
        for peer in [peer for peer, one in self._asked.items() if one.due_ms <= now_ms]:
            self._pass_over(peer, now_ms)
        effects: list[Ask | Blame] = []
        again = True
        while again:
            effects += self._ask_for_offers(now_ms)
            again = self.found is None and self._choose(effects, now_ms)
        return effects

    def _take_end(self, peer: NetworkKey, answer: EpochEndAnswer, now_ms: int) -> None:
        if answer.end is None:
            self._pass_over(peer, now_ms)
        elif answer.epoch == len(self._ends):
            self._sets.append(check_end(answer.end, self._chain_id, self._sets[-1]))
            self._ends.append(answer.end)

    def _check_certificate(self, checked: CheckedOffer) -> None:
        epoch = checked.offer.certificate.epoch
        check_certificate(checked, self._chain_id, self._sets[epoch])

    def _pass_over(self, peer: NetworkKey, now_ms: int, rest_ms: int = limits.SYNC_REST_MS) -> None:
        self._let_off(peer)
        self._rests_until_ms[peer] = now_ms + rest_ms

    def _let_off(self, peer: NetworkKey) -> None:
        if self._asked.pop(peer, None) is not None:
            self._silent[peer] = None
        self._offers.drop(peer)

    def _ask_for_offers(self, now_ms: int) -> list[Ask | Blame]:
        height = self._offers.wanted if self.found is None else self.found.offer.height
        silent = [
            peer
            for peer in self._linked
            if peer not in self._offers
            and peer not in self._asked
            and self._rests_until_ms.get(peer, 0) <= now_ms
        ]
        return [self._ask(peer, SnapshotRequest(height), now_ms) for peer in silent]

    def _ask(
        self, peer: NetworkKey, request: SnapshotRequest | EpochEndRequest, now_ms: int
    ) -> Ask:
        self._asked[peer] = _Question(request, now_ms + limits.SYNC_REQUEST_MS)
        return Ask(peer, request)

    def _choose(self, effects: list[Ask | Blame], now_ms: int) -> bool:
        """Go one step towards a choice, if all have spoken; return whether there is another."""
        if self._waits() or not (now_ms >= self._patient_until_ms or self._all_have_spoken(now_ms)):
            return False
        offers = self._offers.best()
        if not offers:
            return self._without_offers(now_ms)
        first = next(iter(offers.values()))
        if first.offer.certificate.epoch > len(self._ends):
            effects.append(self._ask_for_end(now_ms))
            return False
        for peer, checked in offers.items():
            try:
                self._check_certificate(checked)
            except SyncFault as fault:
                self.lied(peer)
                effects.append(Blame(peer, str(fault)))
                return True
        ends = tuple(self._ends[: first.offer.certificate.epoch])
        self.found = Found(first, tuple(offers), ends)
        return False

    def _waits(self) -> bool:
        """Return whether an answer is waited for: for offers, once in vain from each peer."""
        return any(
            isinstance(one.request, EpochEndRequest) or peer not in self._silent
            for peer, one in self._asked.items()
        )

    def _all_have_spoken(self, now_ms: int) -> bool:
        return all(
            peer in self._offers
            or peer in self._liars
            or self._rests_until_ms.get(peer, 0) > now_ms
            for peer in self._plan.validators
        )

    def _ask_for_end(self, now_ms: int) -> Ask:
        epoch = Epoch(len(self._ends))
        peer = min(self._offers.claimants(epoch), key=lambda one: self._ends_asked[one])
        self._ends_asked[peer] += 1
        return self._ask(peer, EpochEndRequest(epoch), now_ms)

    def _without_offers(self, now_ms: int) -> bool:
        """Nobody offers anything: ask for any state, or wait, or find that there is none."""
        empty = self._offers.empty_handed()
        if self._offers.wanted is not None:
            self._offers.wanted = None
            self._offers.clear()
            return True
        say_so = sum(peer in self._plan.validators for peer in empty)
        self.nothing_offered = say_so >= min(self._one_honest, len(self._plan.validators))
        for peer in empty:
            self._pass_over(peer, now_ms, limits.SNAPSHOT_SEEK_MS)
        return False


def _is_same(one: CheckedOffer, other: CheckedOffer) -> bool:
    return one.offer.description == other.offer.description
