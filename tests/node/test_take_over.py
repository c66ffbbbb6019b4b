"""Scenarios of taking over: proven parts go to the import, its own parameters say how far back."""

from collections.abc import Sequence

import msgspec

from harness.certified_chain import CertifiedChain
from harness.core_city import GENESIS
from harness.kept_state import KeptState, leaves_of, subtree
from harness.peer_nodes import network_key
from moyai.node.ports import StateImport
from moyai.node.take_over import TakeOver
from moyai.p2p.messages import WireMessage
from moyai.p2p.serving import answer_state
from moyai.p2p.snapshot_messages import (
    EpochEndRequest,
    RecentRequest,
    SnapshotPartAnswer,
    SnapshotPartRequest,
    SnapshotRequest,
    StateAnswer,
)
from moyai.p2p.snapshot_search import SearchPlan
from moyai.primitives.codec import encode
from moyai.primitives.ids import Digest, Height, NetworkKey
from moyai.primitives.parameters import Parameters
from moyai.primitives.state_keys import PARAMETERS
from moyai.primitives.state_proof import EMPTY
from moyai.primitives.state_snapshot import SnapshotDescription, SnapshotLeaf

PEERS = tuple(network_key(number) for number in range(1, 4))
WINDOW_MS = 10_000
BLOCKS = 130


def city_state() -> KeptState:
    """A state with parameters, after more blocks than the window is long."""
    parameters = msgspec.structs.replace(Parameters(), tx_window_ms=WINDOW_MS)
    own = SnapshotLeaf(PARAMETERS, encode(parameters), 3, 2, Digest(EMPTY))
    leaves = (*leaves_of(50), own)
    ordered = sorted(leaves, key=lambda leaf: leaf.leaf().key_digest)
    chain = CertifiedChain(Digest(subtree(ordered)[1]))
    for _ in range(BLOCKS):
        chain.append(1)
    return KeptState(chain, ordered, depth=2, height=BLOCKS - 2)


STATE = city_state()


def own_part() -> int:
    """Return the part that has the parameters."""
    parts = enumerate(STATE.parts)
    return next(index for index, part in parts if any(one.key == PARAMETERS for one in part))


class Shelf(StateImport):
    """An import in memory; what was added outlives it."""

    def __init__(self, held: dict[int, Sequence[SnapshotLeaf]], parts: int) -> None:
        self.held = held
        self._parts = parts
        self.is_open = True

    def missing(self) -> list[int]:
        return [index for index in range(self._parts) if index not in self.held]

    def add_part(self, index: int, leaves: Sequence[SnapshotLeaf]) -> None:
        assert self.is_open
        self.held[index] = leaves

    def close(self) -> None:
        self.is_open = False


class Street:
    """Peers at the other end of links that carry everything at once."""

    def __init__(self, held: dict[int, Sequence[SnapshotLeaf]]) -> None:
        self.held = held
        self.reports: list[NetworkKey] = []
        self.asked: list[object] = []
        self.mail: list[tuple[NetworkKey, StateAnswer]] = []
        self.answers = 10_000
        plan = SearchPlan(validators=PEERS, above=Height(0), wanted=None)
        self.run = TakeOver(GENESIS, plan, open_import=self.open_import, transport=self, now_ms=0)

    def open_import(self, description: SnapshotDescription) -> Shelf:
        assert description == STATE.description
        return Shelf(self.held, 1 << description.depth)

    def send(self, to: NetworkKey, message: WireMessage) -> bool:
        assert isinstance(
            message, SnapshotRequest | EpochEndRequest | SnapshotPartRequest | RecentRequest
        )
        self.asked.append(message)
        self.mail.append((to, answer_state(message, STATE)))
        return True

    def broadcast(self, message: WireMessage, *, validators_only: bool = False) -> int:
        raise AssertionError("nothing is said to all")

    def report(self, peer: NetworkKey, reason: str) -> None:
        self.reports.append(peer)

    def connected(self) -> tuple[NetworkKey, ...]:
        return PEERS

    def deliver(self) -> None:
        while self.mail and self.answers and self.run.taken is None:
            self.answers -= 1
            peer, answer = self.mail.pop(0)
            self.run.receive(peer, answer, 10)


def test_all_parts_and_the_ids_of_the_window_are_taken_over() -> None:
    street = Street({})
    street.run.links_changed(PEERS, 0)
    street.deliver()
    taken = street.run.taken
    assert taken is not None
    assert [tuple(street.held[index]) for index in range(4)] == STATE.parts
    heights = [header.height for header, _ in taken.recent]
    assert heights == list(range(BLOCKS - 2 - WINDOW_MS // 100, BLOCKS - 1))


def test_what_came_before_the_end_of_the_process_stays() -> None:
    first = Street({})
    first.answers = 5
    first.run.links_changed(PEERS, 0)
    first.deliver()
    first.run.close()
    assert len(first.held) == 2
    there = set(first.held)
    second = Street(first.held)
    second.run.links_changed(PEERS, 0)
    second.deliver()
    assert second.run.taken is not None
    asked = {one.part for one in second.asked if isinstance(one, SnapshotPartRequest)}
    assert asked == set(range(4)) - there | {own_part()}, "and the part that says how far back"


def test_a_liar_is_reported_and_nothing_of_it_is_stored() -> None:
    street = Street({})
    street.run.links_changed(PEERS, 0)
    lies = 0
    while street.run.taken is None:
        peer, answer = street.mail.pop(0)
        if peer == PEERS[0] and isinstance(answer, SnapshotPartAnswer):
            lies += 1
            answer = msgspec.structs.replace(answer, leaves=answer.leaves[1:])
        street.run.receive(peer, answer, 10)
    assert lies
    assert street.reports == [PEERS[0]]
    assert [tuple(street.held[index]) for index in range(4)] == STATE.parts


def test_it_says_how_far_it_is() -> None:
    street = Street({})
    told = [street.run.progress]
    street.run.links_changed(PEERS, 0)
    while street.run.taken is None:
        street.answers = 1
        street.deliver()
        street.run.tick(6_000)
        told.append(street.run.progress)
    assert list(dict.fromkeys(told)) == [
        "looking for a state, 0 epochs proven",
        "0 of 4 parts",
        "1 of 4 parts",
        "2 of 4 parts",
        "3 of 4 parts",
        "recent transactions",
    ]
