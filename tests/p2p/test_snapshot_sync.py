"""Scenarios of taking over a state: it ends with the true one whoever lies, is slow or goes."""

import heapq
from collections.abc import Callable
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.certified_chain import CertifiedChain
from harness.core_city import GENESIS, KEYS
from harness.kept_state import KeptState, kept_state, leaves_of, subtree
from harness.peer_nodes import network_key
from moyai.p2p import limits
from moyai.p2p.serving import answer_state
from moyai.p2p.snapshot_load import PartsStored, StorePart
from moyai.p2p.snapshot_messages import (
    EpochEndAnswer,
    EpochEndRequest,
    RecentAnswer,
    SnapshotAnswer,
    SnapshotPartAnswer,
    SnapshotPartRequest,
    SnapshotRequest,
    StateAnswer,
    StateRequest,
)
from moyai.p2p.snapshot_search import SearchPlan
from moyai.p2p.snapshot_sync import (
    Begin,
    NothingOffered,
    SnapshotEffect,
    SnapshotSync,
    TakenOver,
)
from moyai.p2p.sync import Ask, Blame
from moyai.primitives.ids import Digest, Epoch, Height, NetworkKey
from moyai.primitives.state_snapshot import SnapshotLeaf
from moyai.primitives.validators import ValidatorSet

KEYS_ON_WIRE = [network_key(number) for number in range(1, 5)]
WINDOW_MS = 450
STEP_MS = 100

Behaviour = Callable[[StateRequest], StateAnswer | None]


@cache
def true_state() -> KeptState:
    return kept_state()


@cache
def older_state() -> KeptState:
    """A true but older state of the same chain: nobody serves the blocks above it any more."""
    newer = true_state()
    leaves = [leaf for part in newer.parts for leaf in part]
    return KeptState(newer.chain, leaves, depth=2, height=7)


@cache
def other_city() -> KeptState:
    """A state that validators nobody chose have certified."""
    leaves = leaves_of(20)
    chain = CertifiedChain(Digest(subtree(leaves)[1]))
    chain.sets = [ValidatorSet(Epoch(0), tuple(sorted(key.public for key in KEYS[2:6])))]
    chain.end_epoch(KEYS[:3])
    for _ in range(30):
        chain.append(1)
    return KeptState(chain, leaves, depth=1, height=29)


def honest(request: StateRequest) -> StateAnswer | None:
    return answer_state(request, true_state())


def silent(_: StateRequest) -> StateAnswer | None:
    return None


def stale(request: StateRequest) -> StateAnswer | None:
    return answer_state(request, older_state())


def forger(request: StateRequest) -> StateAnswer | None:
    """Offers the state of a chain that its own validators certified from the first block on."""
    return answer_state(request, other_city())


def empty(request: StateRequest) -> StateAnswer | None:
    answer = honest(request)
    return SnapshotAnswer(answer.height, None) if isinstance(answer, SnapshotAnswer) else answer


def description_liar(request: StateRequest) -> StateAnswer | None:
    answer = honest(request)
    if isinstance(answer, SnapshotAnswer) and answer.offer is not None:
        parts = bytearray(answer.offer.description.parts)
        parts[-1] ^= 1
        lie = msgspec.structs.replace(answer.offer.description, parts=bytes(parts))
        return SnapshotAnswer(answer.height, msgspec.structs.replace(answer.offer, description=lie))
    return answer


def certificate_liar(request: StateRequest) -> StateAnswer | None:
    answer = honest(request)
    if isinstance(answer, SnapshotAnswer) and answer.offer is not None:
        signatures = (bytes(64), *answer.offer.certificate.signatures[1:])
        lie = msgspec.structs.replace(answer.offer.certificate, signatures=signatures)
        return SnapshotAnswer(answer.height, msgspec.structs.replace(answer.offer, certificate=lie))
    return answer


def claimant(request: StateRequest) -> StateAnswer | None:
    """Claims to be epochs ahead, and cannot show it."""
    answer = honest(request)
    if isinstance(answer, SnapshotAnswer) and answer.offer is not None:
        offer = answer.offer
        ahead = {"epoch": 1_000}
        description = msgspec.structs.replace(
            offer.description, attesting=msgspec.structs.replace(offer.headers[-1], **ahead)
        )
        certificate = msgspec.structs.replace(offer.certificate, **ahead)
        lie = msgspec.structs.replace(offer, description=description, certificate=certificate)
        return SnapshotAnswer(answer.height, lie)
    return answer


def end_liar(request: StateRequest) -> StateAnswer | None:
    answer = honest(request)
    if isinstance(answer, EpochEndAnswer) and answer.end is not None:
        return EpochEndAnswer(
            answer.epoch, msgspec.structs.replace(answer.end, keys=answer.end.keys[1:])
        )
    return answer


def end_hider(request: StateRequest) -> StateAnswer | None:
    answer = honest(request)
    return EpochEndAnswer(answer.epoch, None) if isinstance(answer, EpochEndAnswer) else answer


def part_liar(request: StateRequest) -> StateAnswer | None:
    answer = honest(request)
    if isinstance(answer, SnapshotPartAnswer) and answer.leaves:
        first = answer.leaves[0]
        lie = SnapshotLeaf(first.key, b"more money", first.height, first.version, first.previous)
        return msgspec.structs.replace(answer, leaves=(lie, *answer.leaves[1:]))
    return answer


def part_hider(request: StateRequest) -> StateAnswer | None:
    answer = honest(request)
    if isinstance(answer, SnapshotPartAnswer):
        return msgspec.structs.replace(answer, leaves=(), more=False)
    return answer


def dripper(request: StateRequest) -> StateAnswer | None:
    """Gives one leaf at a time."""
    answer = honest(request)
    if isinstance(answer, SnapshotPartAnswer):
        return msgspec.structs.replace(answer, leaves=answer.leaves[:1], more=True)
    return answer


def sleeper(request: StateRequest) -> StateAnswer | None:
    """Offers, and then says nothing."""
    return None if isinstance(request, SnapshotPartRequest) else honest(request)


def ids_liar(request: StateRequest) -> StateAnswer | None:
    answer = honest(request)
    if isinstance(answer, RecentAnswer) and answer.blocks:
        first = answer.blocks[0]
        lie = msgspec.structs.replace(first, ids=bytes(len(first.ids) or 32))
        return RecentAnswer(answer.last, (lie, *answer.blocks[1:]))
    return answer


def babbler(request: StateRequest) -> StateAnswer | None:
    """Answers what nobody asked."""
    return EpochEndAnswer(7, None) if not isinstance(request, EpochEndRequest) else None  # type: ignore[arg-type] # a plain number


LIARS: list[Behaviour] = [
    forger,
    description_liar,
    certificate_liar,
    end_liar,
    part_liar,
    dripper,
    ids_liar,
]
BEHAVIOURS: list[Behaviour] = [
    *LIARS,
    silent,
    stale,
    empty,
    claimant,
    end_hider,
    part_hider,
    sleeper,
    babbler,
]


class Run:
    """One run against peers that behave as told; time passes only where nothing is in flight."""

    def __init__(
        self,
        behaviours: list[Behaviour],
        *,
        stored: dict[int, tuple[SnapshotLeaf, ...]] | None = None,
        wanted: Height | None = None,
        above: int = 0,
        delays: list[int] | None = None,
    ) -> None:
        self.behaviours = dict(zip(KEYS_ON_WIRE, behaviours, strict=False))
        self.stored = {} if stored is None else stored
        self.blamed: list[NetworkKey] = []
        self.asked: list[tuple[NetworkKey, StateRequest]] = []
        self.done: TakenOver | None = None
        self.nothing = False
        self.now_ms = 0
        self._delays = delays or [10]
        self._mail: list[tuple[int, int, NetworkKey, StateAnswer]] = []
        plan = SearchPlan(validators=tuple(self.behaviours), above=Height(above), wanted=wanted)
        self.sync = SnapshotSync(GENESIS, plan, 0)
        self.take(self.sync.add_sources(self.behaviours, 0))

    def take(self, effects: list[SnapshotEffect]) -> None:
        for effect in effects:
            match effect:
                case Ask(peer, request):
                    self._ask(peer, request)  # type: ignore[arg-type] # only such are asked here
                case Blame(peer):
                    self.blamed.append(peer)
                case Begin(description):
                    count = 1 << description.depth
                    if description != true_state().description:
                        self.stored = {}
                    missing = [part for part in range(count) if part not in self.stored]
                    self.take(self.sync.begin(missing, self.now_ms))
                case StorePart(index, leaves):
                    self.stored[index] = leaves
                case PartsStored():
                    self.take(self.sync.load_recent(WINDOW_MS, self.now_ms))
                case TakenOver():
                    self.done = effect
                case NothingOffered():
                    self.nothing = True

    def _ask(self, peer: NetworkKey, request: StateRequest) -> None:
        self.asked.append((peer, request))
        answer = self.behaviours[peer](request)
        if answer is not None:
            due_ms = self.now_ms + self._delays[len(self.asked) % len(self._delays)]
            heapq.heappush(self._mail, (due_ms, len(self.asked), peer, answer))

    def step(self) -> None:
        if self._mail and self._mail[0][0] <= self.now_ms + STEP_MS:
            due_ms, _, peer, answer = heapq.heappop(self._mail)
            self.now_ms = max(due_ms, self.now_ms)
            self.take(self.sync.on_answer(peer, answer, self.now_ms))
        else:
            self.now_ms += STEP_MS
            self.take(self.sync.step(self.now_ms))

    def to_the_end(self, *, until_ms: int = 300_000) -> "Run":
        while self.done is None and not self.nothing and self.now_ms < until_ms:
            self.step()
        return self

    def parts_asked(self) -> list[int]:
        return [one.part for _, one in self.asked if isinstance(one, SnapshotPartRequest)]

    def assert_true_state(self) -> None:
        true = true_state()
        assert self.done is not None
        assert self.done.offer.offer.description == true.description
        assert [self.stored[index] for index in sorted(self.stored)] == true.parts
        assert self.done.epoch_ends == tuple(true.chain.ends)
        height = true.description.header.height
        blocks = range(height - 4, height + 1)
        expected = tuple((true.chain.headers[one], true.chain.ids[one]) for one in blocks)
        assert self.done.recent == expected


def test_a_node_that_has_nothing_takes_over_the_state() -> None:
    run = Run([honest] * 3).to_the_end()
    run.assert_true_state()
    assert run.now_ms < 1_000
    assert not run.blamed
    holders = {peer for peer, one in run.asked if isinstance(one, SnapshotPartRequest)}
    assert len(holders) == 3, "parts come from all of them"
    assert len(run.parts_asked()) == len(true_state().parts)


def test_from_one_peer_alone_in_a_city_of_one_more() -> None:
    Run([honest]).to_the_end().assert_true_state()


@given(
    st.lists(st.sampled_from(BEHAVIOURS), min_size=1, max_size=1),
    st.permutations(range(4)),
    st.lists(st.integers(1, 400), min_size=1, max_size=7),
)
@settings(max_examples=120)
def test_one_of_four_does_what_it_likes(
    bad: list[Behaviour], order: list[int], delays: list[int]
) -> None:
    behaviours = [*bad, honest, honest, honest]
    run = Run([behaviours[place] for place in order], delays=delays).to_the_end()
    run.assert_true_state()
    liars = {peer for peer, one in run.behaviours.items() if one is not honest}
    assert set(run.blamed) <= liars, "nobody honest is blamed"


@given(st.lists(st.sampled_from(BEHAVIOURS), min_size=2, max_size=3), st.integers(0, 3))
@settings(max_examples=80)
def test_even_all_but_one_may_lie_and_the_state_is_never_a_wrong_one(
    bad: list[Behaviour], place: int
) -> None:
    behaviours = list(bad)
    behaviours.insert(place, honest)
    run = Run(behaviours).to_the_end()
    if run.done is not None and run.done.offer.height == true_state().description.header.height:
        run.assert_true_state()
    elif run.done is not None:
        assert run.done.offer.offer.description == older_state().description
    else:
        assert run.nothing
        assert sum(one in (empty, stale) for one in bad) >= 2


@pytest.mark.parametrize("liar", LIARS, ids=lambda one: one.__name__)
def test_a_liar_is_named_and_asked_no_more(liar: Behaviour) -> None:
    run = Run([honest, honest, liar]).to_the_end()
    run.assert_true_state()
    assert set(run.blamed) <= {KEYS_ON_WIRE[2]}
    assert run.blamed or liar in {forger, end_liar, ids_liar}, "asked for what it lies about"


def test_what_is_there_already_is_not_asked_again() -> None:
    true = true_state()
    stored = {index: true.parts[index] for index in range(5)}
    run = Run([honest] * 3, stored=stored, wanted=true.description.header.height).to_the_end()
    run.assert_true_state()
    assert sorted(run.parts_asked()) == [5, 6, 7]


def test_with_all_parts_there_only_the_recent_ids_are_asked() -> None:
    true = true_state()
    stored = dict(enumerate(true.parts))
    run = Run([honest] * 3, stored=stored).to_the_end()
    run.assert_true_state()
    assert run.parts_asked() == []


def test_a_state_that_nobody_offers_any_more_is_left_for_the_newest() -> None:
    run = Run([honest] * 3, wanted=Height(3)).to_the_end()
    run.assert_true_state()
    asked = [one.height for _, one in run.asked if isinstance(one, SnapshotRequest)]
    assert asked == [3, 3, 3, None, None, None]


def test_with_no_snapshot_anywhere_one_honest_word_is_waited_for() -> None:
    run = Run([silent, empty, silent, silent])
    for _ in range(40):
        run.step()
    assert not run.nothing, "one alone may lie"
    run = Run([silent, empty, empty, silent]).to_the_end()
    assert run.nothing
    assert run.now_ms < 10_000


def test_a_state_not_above_the_own_one_is_no_offer() -> None:
    height = true_state().description.header.height
    assert Run([honest] * 3, above=height).to_the_end().nothing


def test_peers_that_come_later_help_with_parts() -> None:
    run = Run([honest, silent, silent, silent])
    while not run.parts_asked():
        run.step()
    run.behaviours[KEYS_ON_WIRE[3]] = honest
    run.to_the_end().assert_true_state()


def test_when_every_link_breaks_the_parts_that_came_stay() -> None:
    run = Run([honest] * 2)
    while len(run.stored) < 3:
        run.step()
    there = set(run.stored)
    run._mail.clear()
    for peer in KEYS_ON_WIRE[:2]:
        run.take(run.sync.peer_gone(peer, run.now_ms))
    run.asked.clear()
    run.take(run.sync.add_sources(KEYS_ON_WIRE[:2], run.now_ms))
    run.to_the_end().assert_true_state()
    assert not there & set(run.parts_asked())


def test_a_long_part_comes_in_several_answers_from_one_peer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_ANSWER_BYTES", 200)
    run = Run([honest, honest]).to_the_end()
    run.assert_true_state()
    assert len(run.parts_asked()) > 2 * len(true_state().parts)
    for index in range(8):
        sources = {
            peer
            for peer, one in run.asked
            if isinstance(one, SnapshotPartRequest) and one.part == index
        }
        assert len(sources) == 1


def test_many_recent_blocks_come_in_several_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECENT_BLOCKS_PER_REQUEST", 2)
    run = Run([honest, honest]).to_the_end()
    run.assert_true_state()
