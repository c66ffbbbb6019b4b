"""Scenarios of the gap: to a certified block without consensus, also over a restart, or it is told
that the blocks are gone.
"""

from functools import partial
from pathlib import Path

import pytest

from harness.core_city import CoreCity, CoreNode, document, forged
from harness.store_links import StoreLinks
from moyai.node.bootstrap import ClosingGap, Ending
from moyai.node.gap import Gap, Goal, forget_goal, note_goal, read_goal
from moyai.node.horizon import BelowHorizonError
from moyai.p2p import limits
from moyai.p2p.messages import (
    BodiesAnswer,
    WireMessage,
)

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


def forge(answer: WireMessage) -> WireMessage:
    """The right ids under signatures that are none."""
    if not isinstance(answer, BodiesAnswer):
        return answer
    bodies = tuple(tuple(forged(raw) for raw in body) for body in answer.bodies)
    return BodiesAnswer(answer.first, answer.position, bodies)


def opened(links: StoreLinks, late: CoreNode, goal: Goal) -> ClosingGap:
    gap = Gap(late.chain, goal, links, tuple(node.key for node in late.city.nodes))
    phase = ClosingGap(gap, 0)
    phase.links_changed(links.connected(), 0)
    return phase


def test_it_is_closed_by_executing_every_block(city: CoreCity) -> None:
    late, goal = behind(city)
    links = StoreLinks(city.nodes[:3])
    gap = opened(links, late, goal)
    assert gap.ending is None
    links.drive(gap)
    assert gap.ending is Ending.DONE
    height = goal.target.header.height
    assert late.history() == city.nodes[0].history()[: height + 1]
    assert links.reports == []


def test_it_goes_on_after_a_restart(city: CoreCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SYNC_BODIES_BYTES", 2_000)
    monkeypatch.setattr(limits, "SYNC_BODY_BYTES_AHEAD_MAX", 3_000)
    late, goal = behind(city)
    links = StoreLinks(city.nodes[:3])
    gap = opened(links, late, goal)
    while not late.chain.committed_height:
        links.drive(gap, turns=1)
    assert gap.ending is None
    late.chain.close()
    late.journal.close()
    late.start()
    links.mail.clear()
    links.drive(opened(links, late, goal))
    assert late.chain.committed_height == goal.target.header.height


def test_the_blocks_may_be_gone_meanwhile(city: CoreCity) -> None:
    late, goal = behind(city)
    links = StoreLinks(city.nodes[:3])
    links.base = 10
    with pytest.raises(BelowHorizonError):
        links.drive(opened(links, late, goal))


def test_a_body_with_a_forged_signature_is_asked_elsewhere(city: CoreCity) -> None:
    late, goal = behind(city)
    liar = city.nodes[0].key
    links = StoreLinks(city.nodes[:3], {liar: forge})
    gap = opened(links, late, goal)
    links.drive(gap)
    assert gap.ending is Ending.DONE
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
