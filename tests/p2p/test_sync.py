"""Scenarios of catching up: it ends at the certified block whoever lies, is slow or goes away."""

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.peer_nodes import network_key
from harness.synced_chain import SyncedChain, SyncedChainReader, raw_transaction
from moyai.p2p import limits
from moyai.p2p.messages import (
    BodiesAnswer,
    HeadersAnswer,
    SyncAnswer,
    SyncRequest,
    TargetAnswer,
    TargetRequest,
)
from moyai.p2p.serving import answer_sync
from moyai.p2p.sync import Ask, Blame, Deliver, Diverged, Finished, Sync, SyncEffect
from moyai.p2p.sync_checks import Target
from moyai.primitives.ids import Digest, Height, NetworkKey

if TYPE_CHECKING:
    from moyai.p2p.sync_checks import SyncedBlock

SIZES = [3, 0, 2, 1, 4] * 8
CHAIN = SyncedChain(SIZES)
FORK = SyncedChain(SIZES, salt=1)
KEYS = [network_key(number) for number in range(1, 5)]

Behaviour = Callable[[SyncRequest], SyncAnswer | None]


def honest(request: SyncRequest) -> SyncAnswer | None:
    return answer_sync(request, SyncedChainReader(CHAIN))


def silent(_: SyncRequest) -> SyncAnswer | None:
    return None


def behind(request: SyncRequest) -> SyncAnswer | None:
    return answer_sync(request, SyncedChainReader(CHAIN, 20))


def forker(request: SyncRequest) -> SyncAnswer | None:
    return answer_sync(request, SyncedChainReader(FORK))


def header_liar(request: SyncRequest) -> SyncAnswer | None:
    """Swaps in headers of another chain, with the path of the true one."""
    answer = honest(request)
    if isinstance(answer, HeadersAnswer):
        return msgspec.structs.replace(
            answer, headers=(*answer.headers[:-1], FORK.headers[answer.headers[-1].height])
        )
    return answer


def body_liar(request: SyncRequest) -> SyncAnswer | None:
    """Swaps in a transaction of another block."""
    answer = honest(request)
    if isinstance(answer, BodiesAnswer):
        bodies = tuple(
            (*body[:-1], raw_transaction(77)) if body else body for body in answer.bodies
        )
        return msgspec.structs.replace(answer, bodies=bodies)
    return answer


def target_liar(request: SyncRequest) -> SyncAnswer | None:
    answer = honest(request)
    if isinstance(answer, TargetAnswer):
        return msgspec.structs.replace(answer, headers=(FORK.tip,))
    return answer


def dripper(request: SyncRequest) -> SyncAnswer | None:
    """Gives one transaction at a time, to keep the other waiting for ever."""
    answer = honest(request)
    if isinstance(answer, BodiesAnswer):
        return msgspec.structs.replace(answer, bodies=(answer.bodies[0][:1],))
    return answer


def stuffer(request: SyncRequest) -> SyncAnswer | None:
    """Gives more than was asked for."""
    answer = honest(request)
    if isinstance(answer, BodiesAnswer):
        return msgspec.structs.replace(answer, bodies=(*answer.bodies, (b"more",)))
    return answer


def pruned(request: SyncRequest) -> SyncAnswer | None:
    return answer_sync(request, SyncedChainReader(CHAIN, base=30))


def imported(request: SyncRequest) -> SyncAnswer | None:
    return answer_sync(request, SyncedChainReader(CHAIN, imported_at=25))


BEHAVIOURS: list[Behaviour] = [
    pruned,
    imported,
    honest,
    silent,
    behind,
    forker,
    header_liar,
    body_liar,
    target_liar,
    dripper,
    stuffer,
]
BLAMELESS = {honest, silent, behind, pruned, imported}
LIARS = [header_liar, body_liar, target_liar, stuffer]


class Run:
    """One catch-up against peers that behave as told; time passes only where something is due."""

    def __init__(
        self,
        behaviours: list[Behaviour],
        *,
        tip: int = 0,
        chain: SyncedChain = CHAIN,
        target: Target | None = None,
    ) -> None:
        self.behaviours = dict(zip(KEYS, behaviours, strict=False))
        self.blocks: list[SyncedBlock] = []
        self.blamed: list[NetworkKey] = []
        self.finished: Finished | None = None
        self.diverged: Diverged | None = None
        self.asked = 0
        self.requests: list[object] = []
        self.now_ms = 0
        self._mail: list[tuple[int, int, NetworkKey, SyncAnswer]] = []
        self.sync = Sync(
            certified=chain.certified,
            tip_height=Height(tip),
            tip_digest=chain.digests[tip],
            sources=self.behaviours,
            target=target,
        )
        self._take(self.sync.step(0))

    def _take(self, effects: list[SyncEffect]) -> None:
        for effect in effects:
            match effect:
                case Ask(peer, request):
                    self.asked += 1
                    self.requests.append(request)
                    answer = self.behaviours[peer](request)  # type: ignore[arg-type] # no states
                    if answer is not None:
                        heapq.heappush(self._mail, (self.now_ms + 10, self.asked, peer, answer))
                case Deliver(blocks):
                    self.blocks += blocks
                    self._take(self.sync.acknowledge(blocks[-1].header.height, self.now_ms))
                case Blame(peer):
                    self.blamed.append(peer)
                case Finished():
                    self.finished = effect
                case Diverged():
                    self.diverged = effect

    def to_the_end(self, *, until_ms: int = 600_000) -> "Run":
        while self.finished is None and self.diverged is None and self.now_ms < until_ms:
            due_ms = self.sync.due_ms()
            if self._mail and (due_ms is None or self._mail[0][0] < due_ms):
                self.now_ms, _, peer, answer = heapq.heappop(self._mail)
                self._take(self.sync.on_answer(peer, answer, self.now_ms))
            else:
                if due_ms is None:
                    break
                self.now_ms = max(due_ms, self.now_ms + 1)
                self._take(self.sync.step(self.now_ms))
        return self

    def assert_caught_up(self, *, tip: int = 0) -> None:
        assert self.finished is not None
        assert [block.digest for block in self.blocks] == CHAIN.digests[tip + 1 :]
        bodies = [tuple(one.raw for one in block.transactions) for block in self.blocks]
        assert bodies == CHAIN.bodies[tip + 1 :]


@pytest.mark.parametrize("tip", [0, 1, 20, 39])
def test_a_node_that_was_away_catches_up(tip: int) -> None:
    run = Run([honest] * 3, tip=tip).to_the_end()
    run.assert_caught_up(tip=tip)
    assert run.now_ms < 1_000
    assert not run.blamed


def test_a_node_that_is_not_behind_is_done_at_once() -> None:
    run = Run([honest], tip=40).to_the_end()
    assert run.finished is not None
    assert run.blocks == []


@given(st.permutations([honest, *BEHAVIOURS]), st.integers(1, 4))
@settings(max_examples=60)
def test_x13_it_ends_although_all_but_one_lie_or_sleep(peers: list[Behaviour], place: int) -> None:
    chosen = [*peers[:3], honest]
    chosen[place - 1], chosen[3] = chosen[3], chosen[place - 1]
    run = Run(chosen).to_the_end()
    run.assert_caught_up()
    guilty = {key for key, one in run.behaviours.items() if one not in BLAMELESS}
    assert set(run.blamed) <= guilty, "nobody honest, slow or behind is blamed"


@pytest.mark.parametrize("liar", LIARS, ids=lambda one: one.__name__)
def test_a_liar_is_named_once_and_asked_no_more(
    liar: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SYNC_HEADERS_PER_REQUEST", 4)
    run = Run([liar, honest]).to_the_end()
    run.assert_caught_up()
    assert run.blamed == [KEYS[0]]


def test_a_silent_peer_costs_deadlines_and_not_the_run() -> None:
    run = Run([silent, honest]).to_the_end()
    run.assert_caught_up()
    assert run.now_ms <= 10 * limits.SYNC_REQUEST_MS


def test_with_nobody_to_ask_it_stalls_and_goes_on_when_somebody_comes() -> None:
    run = Run([target_liar]).to_the_end(until_ms=1_000)
    assert run.finished is None
    assert run.sync.stalled
    run.behaviours[KEYS[1]] = honest
    run._take(run.sync.add_sources([KEYS[0], KEYS[1]], run.now_ms))
    assert not run.sync.stalled
    run.to_the_end().assert_caught_up()


def test_a_peer_that_goes_away_is_replaced_at_once() -> None:
    run = Run([silent, honest])
    run._take(run.sync.peer_gone(KEYS[0], 0))
    run.to_the_end().assert_caught_up()
    assert run.now_ms < 1_000


def test_a_certified_chain_that_leaves_out_our_own_final_block_stops_it() -> None:
    run = Run([honest])
    run.sync = Sync(
        certified=CHAIN.certified,
        tip_height=Height(7),
        tip_digest=FORK.digests[7],
        sources=KEYS[:1],
    )
    run._take(run.sync.step(0))
    run.to_the_end()
    assert run.diverged == Diverged(CHAIN.headers[8], FORK.digests[7])
    assert run.blocks == []


def test_a_body_with_a_bad_signature_is_asked_elsewhere() -> None:
    run = Run([honest, honest])
    run.sync.acknowledge = lambda height, now_ms: []  # type: ignore[method-assign]
    run.to_the_end()
    first = len(run.blocks)
    effects = run.sync.reject(Height(5), "a bad signature", run.now_ms)
    assert isinstance(effects[0], Blame)
    run.finished = None
    run._take(effects)
    run.to_the_end()
    again = [block.header.height for block in run.blocks[first:]]
    assert again == list(range(5, 41))


def test_a_target_behind_a_filler_ends_at_the_block_of_the_chain() -> None:
    chain = SyncedChain([1, 2], fillers=2)

    def serve(request: SyncRequest) -> SyncAnswer | None:
        return answer_sync(request, SyncedChainReader(chain))

    run = Run([serve], chain=chain).to_the_end()
    assert run.finished is not None
    assert run.finished.target.fillers == tuple(chain.fillers)
    assert [block.digest for block in run.blocks] == chain.digests[1:]


def test_a_large_body_comes_in_parts_from_one_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SYNC_BODIES_BYTES", 300)
    run = Run([honest, honest, honest]).to_the_end()
    run.assert_caught_up()
    assert not run.blamed


def test_what_is_held_ahead_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SYNC_BODY_BYTES_AHEAD_MAX", 5_000)
    monkeypatch.setattr(limits, "SYNC_BODIES_BYTES", 1_500)
    monkeypatch.setattr(limits, "SYNC_HEADERS_PER_REQUEST", 4)
    monkeypatch.setattr(limits, "SYNC_HEADERS_AHEAD_MAX", 12)
    run = Run([honest, honest])
    real = run.sync.acknowledge
    run.sync.acknowledge = lambda height, now_ms: []  # type: ignore[method-assign]
    run.to_the_end(until_ms=60_000)
    assert run.finished is None
    assert len(run.sync._headers) <= 12 + 4 + 1
    assert run.sync._ahead_bytes <= 5_000 + 1_500 + 1_000
    run.sync.acknowledge = real  # type: ignore[method-assign]
    run._take(real(run.blocks[-1].header.height, run.now_ms))
    run.to_the_end().assert_caught_up()


def test_answers_nobody_asked_for_are_ignored() -> None:
    run = Run([silent, silent])
    answer = TargetAnswer(CHAIN.certified, (CHAIN.tip,))
    assert run.sync.on_answer(KEYS[3], answer, 0) == []
    assert run.sync.on_answer(KEYS[0], TargetAnswer(Digest(bytes(32)), (CHAIN.tip,)), 0) == []
    assert run.sync.on_answer(KEYS[0], BodiesAnswer(Height(1), 0, ((b"x",),)), 0) == []


def test_no_peer_is_asked_more_than_two_things_at_once() -> None:
    waiting: dict[NetworkKey, int] = dict.fromkeys(KEYS, 0)
    run = Run([silent, silent, silent])
    for question in run.sync._asked:
        waiting[question.peer] += 1
    assert max(waiting.values()) <= limits.SYNC_REQUESTS_PER_PEER


def test_who_no_longer_has_the_blocks_is_known_and_is_no_help() -> None:
    run = Run([pruned, imported, silent]).to_the_end(until_ms=30_000)
    assert run.finished is None
    assert run.sync.bases() == {KEYS[0]: 30, KEYS[1]: 26}
    assert not any(run.sync.may_help(key) for key in KEYS[:3])
    assert run.sync.may_help(KEYS[3]), "nobody knows yet"
    run.behaviours[KEYS[3]] = honest
    run._take(run.sync.add_sources(KEYS, run.now_ms))
    run.to_the_end().assert_caught_up()


def test_a_target_that_is_known_is_not_asked_for() -> None:
    target = Target(CHAIN.tip, CHAIN.certified, ())
    run = Run([honest], target=target).to_the_end()
    run.assert_caught_up()
    assert not any(isinstance(request, TargetRequest) for request in run.requests)
