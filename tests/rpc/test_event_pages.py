"""Pages of events: whatever their size and filter, all of them together are the chain's events."""

from typing import Any

import pytest

from harness.proven_city import ACCOUNTS
from harness.rpc_city import RpcCity
from moyai.primitives.ids import Digest, format_account
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.operations_identity import Level
from moyai.primitives.operations_tokens import BurnToken, CreateTokenClass, MintToken, TokenPolicy
from moyai.rpc import event_pages
from moyai.storage import snapshot

FREE = TokenPolicy(Level.GUEST, Level.GUEST, Level.GUEST, 2**60, transferable=True)
UTILITY = ACCOUNTS["utility"]


def papers(first: int, count: int) -> tuple[RegisterDocument, ...]:
    return tuple(
        RegisterDocument(f"p/{n}", Digest(bytes(32)), 1) for n in range(first, first + count)
    )


def happenings(city: RpcCity) -> None:
    """Four blocks with events, an empty one among them, and a refused transaction."""
    city.commit(city.sign(*papers(0, 3)), city.sign(*papers(3, 2)))
    city.commit()
    city.commit(city.sign(BurnToken("none", 1)), city.sign(*papers(5, 1), by="utility"))
    city.commit(
        city.sign(CreateTokenClass("coin", "コイン", "coin", FREE, ())),
        city.sign(MintToken("coin", UTILITY, 5)),
    )


def place(item: dict[str, Any]) -> tuple[int, str, str]:
    return item["height"], item["transaction"], str(item["fields"])


async def all_events(city: RpcCity, limit: int, **chosen: Any) -> list[dict[str, Any]]:
    """Return the events of all pages, and check that the last cursor begins an empty page."""
    events: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await city.call("events_list", limit=limit, filter=chosen, **cursor)
        assert len(page["events"]) <= limit
        events += page["events"]
        if not page["events"] and cursor == {"cursor": page["cursor"]}:
            return events
        cursor = {"cursor": page["cursor"]}


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_of_any_size_lose_and_repeat_nothing(city: RpcCity, limit: int) -> None:
    happenings(city)
    events = await all_events(city, limit)
    assert [event["height"] for event in events] == [1, 1, 1, 1, 1, 3, 4, 4]
    assert len({place(event) for event in events}) == 8
    kinds = [event["kind"] for event in events]
    assert kinds[:6] == ["document.registered"] * 6
    assert events[0]["fields"]["series"] == "p/0"
    assert events[-1]["fields"]["amount"] == "5"


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_a_filter_chooses_kinds_topics_and_accounts(city: RpcCity, limit: int) -> None:
    happenings(city)
    kinds = {event["kind"] for event in await all_events(city, limit, kinds=["token"])}
    assert kinds
    assert all(kind.startswith("token.") for kind in kinds)
    one = await all_events(city, limit, kinds=["document.registered"])
    assert len(one) == 6
    utility = await all_events(city, limit, accounts=[format_account(UTILITY)])
    assert [event["height"] for event in utility] == [3, 4]
    assert await all_events(city, limit, kinds=["tok"]) == []


@pytest.mark.parametrize("limit", [1, 100])
async def test_each_event_has_a_cursor_that_goes_on_after_it(city: RpcCity, limit: int) -> None:
    happenings(city)
    events = await all_events(city, 100)
    for number, event in enumerate(events):
        page = await city.call("events_list", cursor=event["cursor"], limit=limit)
        rest = [place(one) for one in events[number + 1 :]]
        assert [place(one) for one in page["events"]] == rest[:limit]


async def test_a_cursor_at_the_end_finds_what_happens_later(city: RpcCity) -> None:
    happenings(city)
    cursor = (await city.call("events_list", limit=1000))["cursor"]
    assert (await city.call("events_list", cursor=cursor))["events"] == []
    city.commit()
    city.commit(city.sign(*papers(50, 2)))
    page = await city.call("events_list", cursor=cursor)
    assert [event["fields"]["series"] for event in page["events"]] == ["p/50", "p/51"]


async def test_a_page_that_looks_at_too_much_is_short_and_goes_on(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    happenings(city)
    monkeypatch.setattr(event_pages, "ROWS_SCANNED_MAX", 2)
    page = await city.call("events_list", limit=2, filter={"kinds": ["token"]})
    assert page["events"] == []
    found = []
    for _ in range(10):
        page = await city.call(
            "events_list", limit=2, filter={"kinds": ["token"]}, cursor=page["cursor"]
        )
        found += page["events"]
    assert found == await all_events_unbounded(city, monkeypatch)


async def test_receipts_without_events_do_not_make_a_page_longer(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    happenings(city)
    everything = await all_events(city, 100)
    monkeypatch.setattr(snapshot, "RECEIPTS_SCANNED_MAX", 1)
    page = await city.call("events_list", limit=100)
    assert len(page["events"]) < len(everything)
    found = page["events"]
    while len(found) < len(everything):
        page = await city.call("events_list", limit=100, cursor=page["cursor"])
        found += page["events"]
    assert found == everything


async def all_events_unbounded(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    monkeypatch.undo()
    return await all_events(city, 100, kinds=["token"])
