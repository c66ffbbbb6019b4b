"""Scenarios of the horizon: nobody has the next block, and more than may lie have said so."""

from collections.abc import Sequence
from functools import partial

import pytest

from harness.core_city import CoreCity, CoreNode, document
from moyai.node.horizon import BelowHorizonError
from moyai.node.ingest import Submitted
from moyai.p2p.messages import BelowBase, BodiesAnswer, HeadersAnswer, TargetAnswer, WireMessage
from moyai.primitives.ids import Height

BLOCKS = 24
BASE = Height(20)


def pruned(message: WireMessage) -> WireMessage:
    """What a node says that holds blocks from `BASE` on."""
    if isinstance(message, HeadersAnswer | BodiesAnswer) and message.first < BASE:
        return BelowBase(message.first, BASE)
    return message


def silent(message: WireMessage) -> WireMessage | None:
    return None if isinstance(message, TargetAnswer | HeadersAnswer | BodiesAnswer) else message


def left_behind(city: CoreCity) -> tuple[CoreNode, list[Submitted]]:
    """Cut one node off for long."""
    late = city.nodes[3]
    late.is_cut = True
    city.links_changed()
    outcomes: list[Submitted] = []
    for number in range(BLOCKS):
        outcomes += city.nodes[0].submit(document(number))
        city.run(partial(city.nodes[0].is_final, outcomes[-1]))
    return late, outcomes


def back(city: CoreCity, late: CoreNode) -> None:
    late.is_cut = False
    city.links_changed()


def catches_up(city: CoreCity, late: CoreNode, outcomes: Sequence[Submitted]) -> None:
    back(city, late)
    city.run(lambda: all(late.is_final(outcome) for outcome in outcomes), limit_ms=60_000)


def test_it_says_so_when_everybody_has_pruned(city: CoreCity) -> None:
    late, _ = left_behind(city)
    for node in city.nodes[:3]:
        node.falsify = pruned
    back(city, late)
    with pytest.raises(BelowHorizonError, match="from height 20 on") as error:
        city.run(lambda: False, limit_ms=60_000)
    assert error.value.what == "block 1"
    assert 'sync_from = "snapshot"' in error.value.next


def test_it_says_so_although_the_last_one_never_answers(city: CoreCity) -> None:
    late, _ = left_behind(city)
    for node in city.nodes[:2]:
        node.falsify = pruned
    city.nodes[2].falsify = silent
    back(city, late)
    with pytest.raises(BelowHorizonError):
        city.run(lambda: False, limit_ms=120_000)


def test_one_that_has_the_blocks_is_enough(city: CoreCity) -> None:
    late, outcomes = left_behind(city)
    for node in city.nodes[:2]:
        node.falsify = pruned
    catches_up(city, late, outcomes)


def test_one_liar_alone_cannot_say_that_they_are_gone(city: CoreCity) -> None:
    late, outcomes = left_behind(city)
    city.nodes[0].falsify = pruned
    city.nodes[1].falsify = silent
    city.nodes[2].falsify = silent
    back(city, late)
    city.run_for(30_000)
    city.nodes[1].falsify = city.nodes[2].falsify = lambda message: message
    city.run(lambda: all(late.is_final(outcome) for outcome in outcomes), limit_ms=60_000)
