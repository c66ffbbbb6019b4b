"""Scenarios of the gap: to a certified block without consensus, also over a restart, or it is told
that the blocks are gone.
"""

from functools import partial
from pathlib import Path

import msgspec
import pytest

from harness.core_city import CoreCity, CoreNode, document
from moyai.node.gap import Gap, Goal, forget_goal, note_goal, read_goal
from moyai.node.horizon import BelowHorizonError
from moyai.node.serving import SnapshotReader
from moyai.p2p import limits
from moyai.p2p.messages import (
    BelowBase,
    BodiesAnswer,
    BodiesRequest,
    HeadersAnswer,
    HeadersRequest,
    SyncAnswer,
    TargetRequest,
    WireMessage,
)
from moyai.p2p.serving import answer_sync
from moyai.primitives.ids import Height, NetworkKey

BLOCKS = 20


def behind(city: CoreCity) -> tuple[CoreNode, Goal]:
    """Give a stopped node that lacks blocks, and what it has to reach."""
    late = city.nodes[3]
    late.is_cut = True
    city.links_changed()
    for number in range(BLOCKS):
        (outcome,) = city.nodes[0].submit(document(number))
        city.run(partial(city.nodes[0].is_final, outcome))
    with city.nodes[0].chain.snapshot() as snapshot:
        found = snapshot.certificate_above(snapshot.height - 2)
        assert found is not None
        goal = Goal(found[1], (snapshot.require_header(found[0]),))
    late.core = None
    return late, goal


class Links:
    """Answers at once from the store of another node."""

    def __init__(self, city: CoreCity, peers: list[CoreNode]) -> None:
        self.city = city
        self.peers = {node.key: node for node in peers}
        self.mail: list[tuple[NetworkKey, SyncAnswer]] = []
        self.reports: list[NetworkKey] = []
        self.base = 0

    def send(self, to: NetworkKey, message: WireMessage) -> bool:
        assert isinstance(message, TargetRequest | HeadersRequest | BodiesRequest)
        with self.peers[to].chain.snapshot() as snapshot:
            answer = answer_sync(message, SnapshotReader(snapshot))
        if isinstance(answer, HeadersAnswer | BodiesAnswer) and answer.first < self.base:
            answer = BelowBase(answer.first, Height(self.base))
        self.mail.append((to, answer))
        return True

    def broadcast(self, message: WireMessage, *, validators_only: bool = False) -> int:
        raise AssertionError("nothing is said to all")

    def report(self, peer: NetworkKey, reason: str) -> None:
        self.reports.append(peer)

    def connected(self) -> tuple[NetworkKey, ...]:
        return tuple(self.peers)

    def drive(self, gap: Gap, turns: int = 10_000) -> None:
        """Let the run go on until it ends or has had so many turns."""
        now_ms = 0
        while not gap.is_closed and turns:
            turns -= 1
            now_ms += 10
            if self.mail:
                gap.receive(*self.mail.pop(0), now_ms)
            gap.tick(now_ms)
            while gap.work(now_ms):
                continue


def opened(links: Links, late: CoreNode, goal: Goal) -> Gap:
    keys = tuple(node.key for node in links.city.nodes)
    gap = Gap(late.chain, goal, links, keys)
    gap.begin((), 0)
    gap.links_changed(links.connected(), 0)
    return gap


def test_it_is_closed_by_executing_every_block(city: CoreCity) -> None:
    late, goal = behind(city)
    links = Links(city, city.nodes[:3])
    gap = opened(links, late, goal)
    assert not gap.is_closed
    links.drive(gap)
    assert gap.is_closed
    height = goal.target.header.height
    assert late.history() == city.nodes[0].history()[: height + 1]
    assert links.reports == []


def test_it_goes_on_after_a_restart(city: CoreCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SYNC_BODIES_BYTES", 2_000)
    monkeypatch.setattr(limits, "SYNC_BODY_BYTES_AHEAD_MAX", 3_000)
    late, goal = behind(city)
    links = Links(city, city.nodes[:3])
    gap = opened(links, late, goal)
    while not late.chain.committed_height:
        links.drive(gap, turns=1)
    assert not gap.is_closed
    late.chain.close()
    late.journal.close()
    late.start()
    links.mail.clear()
    links.drive(opened(links, late, goal))
    assert late.chain.committed_height == goal.target.header.height


def test_the_blocks_may_be_gone_meanwhile(city: CoreCity) -> None:
    late, goal = behind(city)
    links = Links(city, city.nodes[:3])
    links.base = 10
    with pytest.raises(BelowHorizonError):
        links.drive(opened(links, late, goal))


def test_a_body_with_a_forged_signature_is_asked_elsewhere(city: CoreCity) -> None:
    late, goal = behind(city)
    links = Links(city, city.nodes[:3])
    gap = opened(links, late, goal)
    liar = city.nodes[0].key

    def forge(answer: SyncAnswer) -> SyncAnswer:
        if not isinstance(answer, BodiesAnswer):
            return answer
        bodies = tuple(
            tuple(raw[:-1] + bytes([raw[-1] ^ 1]) for raw in body) for body in answer.bodies
        )
        return msgspec.structs.replace(answer, bodies=bodies)

    for _ in range(500):
        links.mail = [(peer, forge(one) if peer == liar else one) for peer, one in links.mail]
        links.drive(gap, turns=1)
    assert gap.is_closed
    assert set(links.reports) <= {liar}


def test_the_note_outlives_the_process_and_is_believed_whole_or_not_at_all(
    city: CoreCity, tmp_path: Path
) -> None:
    _, goal = behind(city)
    assert read_goal(tmp_path) is None
    note_goal(tmp_path, goal)
    assert read_goal(tmp_path) == goal
    (note,) = tmp_path.iterdir()
    data = note.read_bytes()
    note.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert read_goal(tmp_path) is None
    forget_goal(tmp_path)
    forget_goal(tmp_path)
    assert list(tmp_path.iterdir()) == []
