"""Scenarios for following events: each once and in order, whatever happens to connections."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from harness.loopback_node import Answer, LoopbackNode
from harness.proven_city import ACCOUNTS
from moyai.client import opening_of_bytes
from moyai.client.errors import NodeRefusalError
from moyai.client.events import CityEvent
from moyai.primitives.operations import RegisterDocument

OPENING = opening_of_bytes(b"minutes", salt=bytes(32))
COUNT = 4


@pytest.fixture
def busy(node: LoopbackNode) -> LoopbackNode:
    for number in range(COUNT):
        operation = RegisterDocument(f"series {number}", OPENING.digest, 1)
        node.city.commit_and_attest(node.city.sign(operation))
    return node


async def taken(source: AsyncIterator[CityEvent], count: int) -> list[CityEvent]:
    events: list[CityEvent] = []
    async with aclosing(source):  # type: ignore[type-var]  # an async generator, told as an iterator
        async for event in source:
            events.append(event)
            if len(events) == count:
                break
    return events


def series(events: list[CityEvent]) -> list[Any]:
    return [event.fields["series"] for event in events]


ALL = [f"series {number}" for number in range(COUNT)]


async def test_events_are_proven_and_in_order(connect: Any, busy: LoopbackNode) -> None:
    async with connect(busy) as city:
        events = await taken(city.events("0"), COUNT)
    assert series(events) == ALL
    assert all(event.is_proven for event in events)
    assert events[0].accounts == (ACCOUNTS["city-hall"],)
    assert [event.height for event in events] == [1, 3, 5, 7]


async def test_a_cursor_goes_on_where_it_was(connect: Any, busy: LoopbackNode) -> None:
    async with connect(busy) as city:
        first = await taken(city.events("0"), 2)
        rest = await taken(city.events(first[-1].cursor), 2)
    assert series(first + rest) == ALL


async def test_nothing_is_lost_or_repeated_when_connections_end(
    connect: Any, busy: LoopbackNode
) -> None:
    busy.cut_after = 2
    async with connect(busy) as city:
        assert series(await taken(city.events("0"), COUNT)) == ALL
    assert [call for call in busy.asked if call.startswith("subscribe")] == [
        "subscribe 0",
        "subscribe 2",
    ]


async def test_another_node_goes_on_when_one_invents_events(
    connect: Any, busy: LoopbackNode, other: LoopbackNode
) -> None:
    def invented(item: Answer) -> Answer:
        return {**item, "kind": "token.minted"} if item["cursor"] == "3" else item

    busy.falsify["event"] = invented
    async with connect(busy, other) as city:
        assert series(await taken(city.events("0"), COUNT)) == ALL
    assert "subscribe 2" in other.asked


async def test_an_event_told_twice_is_a_lie(
    connect: Any, busy: LoopbackNode, other: LoopbackNode
) -> None:
    repeated = busy._events()[0]

    def again(item: Answer) -> Answer:
        return {**repeated, "cursor": item["cursor"]} if item["cursor"] == "2" else item

    busy.falsify["event"] = again
    async with connect(busy, other) as city:
        assert series(await taken(city.events("0"), COUNT)) == ALL


async def test_unchecked_events_are_the_word_of_a_node(connect: Any, busy: LoopbackNode) -> None:
    async with connect(busy) as city:
        events = await taken(city.events("0", check=False), COUNT)
    assert not any(event.is_proven for event in events)
    assert events[0].kind == "document.registered"


async def test_a_bad_cursor_is_told(connect: Any, busy: LoopbackNode) -> None:
    async with connect(busy) as city:
        with pytest.raises(NodeRefusalError) as caught:
            await taken(city.events("bad"), 1)
    assert caught.value.name == "bad_cursor"
