"""Records as a database: by key, filtered, ordered, in pages, as of any height."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rpc_city import RpcCity
from moyai.primitives.operations_records import CreateCollection, PutRecord, Writers
from moyai.rpc import handlers_records
from moyai.rpc.handlers_records import meets
from moyai.rpc.schema_records import Filter

NAME = "wells"
SCHEMA = {
    "type": "object",
    "properties": {
        "depth": {"type": "integer"},
        "open": {"type": "boolean"},
        "village": {"type": "string"},
    },
    "required": ["village"],
    "additionalProperties": False,
}


def text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def create(city: RpcCity) -> None:
    writers = Writers((), (), None)
    creation = CreateCollection(NAME, "井戸", "wells", text(SCHEMA), ("depth", "village"), writers)
    city.commit(city.sign(creation))


def put(city: RpcCity, key: str, **value: Any) -> bytes:
    return city.sign(PutRecord(NAME, key, text(value)))


async def filled(city: RpcCity) -> None:
    """Write ten wells in three villages."""
    create(city)
    villages = ("akinomiya", "minase", "小野")
    city.commit(
        *(
            put(city, f"w{n}", depth=n * 10, open=bool(n % 2), village=villages[n % 3])
            for n in range(10)
        )
    )


async def keys_of(city: RpcCity, **question: Any) -> list[str]:
    answer = await city.call("records_query", collection=NAME, **question)
    return [record["key"] for record in answer["records"]]


async def test_a_collection_shows_its_schema(city: RpcCity) -> None:
    create(city)
    shown = await city.call("collection_get", collection=NAME)
    assert shown["details"]["schema"] == SCHEMA
    assert shown["details"]["indexes"] == ["depth", "village"]
    assert shown["details"]["title_ja"] == "井戸"


async def test_without_a_filter_records_come_in_the_order_of_their_keys(city: RpcCity) -> None:
    await filled(city)
    assert await keys_of(city) == [f"w{n}" for n in range(10)]
    assert await keys_of(city, descending=True, limit=2) == ["w9", "w8"]


async def test_equality_range_and_order(city: RpcCity) -> None:
    await filled(city)
    assert await keys_of(city, filters=[{"field": "village", "eq": "小野"}]) == ["w2", "w5", "w8"]
    deep = [{"field": "depth", "ge": 30, "le": 60}]
    assert await keys_of(city, filters=deep) == ["w3", "w4", "w5", "w6"]
    assert await keys_of(city, filters=deep, descending=True) == ["w6", "w5", "w4", "w3"]
    both = [*deep, {"field": "open", "eq": True}]
    assert await keys_of(city, filters=both) == ["w3", "w5"]
    ordered = await keys_of(city, order_by="depth", filters=[{"field": "open", "eq": False}])
    assert ordered == ["w0", "w2", "w4", "w6", "w8"]


async def test_a_filter_on_a_field_without_index_looks_at_every_record(city: RpcCity) -> None:
    await filled(city)
    assert await keys_of(city, filters=[{"field": "open", "eq": True}], limit=3) == [
        "w1",
        "w3",
        "w5",
    ]


async def test_true_is_not_1_and_a_text_is_not_a_number(city: RpcCity) -> None:
    await filled(city)
    assert await keys_of(city, filters=[{"field": "open", "eq": 1}]) == []
    assert await keys_of(city, filters=[{"field": "depth", "eq": "10"}]) == []
    assert await keys_of(city, filters=[{"field": "depth", "ge": ""}]) == []


async def test_pages_are_of_one_height_whatever_is_written_between_them(city: RpcCity) -> None:
    await filled(city)
    first = await city.call("records_query", collection=NAME, order_by="depth", limit=4)
    city.commit(put(city, "w5", depth=1_000, village="minase"), put(city, "new", village="minase"))
    seen = [one["key"] for one in first["records"]]
    cursor = first["cursor"]
    while cursor:
        page = await city.call(
            "records_query", collection=NAME, order_by="depth", limit=4, cursor=cursor
        )
        assert page["height"] == first["height"]
        seen += [one["key"] for one in page["records"]]
        cursor = page.get("cursor")
    assert seen == [f"w{n}" for n in range(10)]
    newest = await city.call("records_query", collection=NAME, order_by="depth", descending=True)
    assert newest["records"][0]["key"] == "w5"


async def test_any_earlier_height_can_be_asked_about(city: RpcCity) -> None:
    await filled(city)
    height = city.city.tip.height
    city.commit(put(city, "w0", depth=500, village="minase"))
    now = await city.call("records_query", collection=NAME, filters=[{"field": "depth", "ge": 400}])
    assert [one["key"] for one in now["records"]] == ["w0"]
    then = await city.call(
        "records_query",
        collection=NAME,
        filters=[{"field": "depth", "ge": 400}],
        as_of=height,
    )
    assert then["records"] == []
    old = await city.call("records_get", collection=NAME, key="w0", as_of=height)
    assert old["record"]["value"]["depth"] == 0
    assert old["record"]["version"] == 1
    new = await city.call("records_get", collection=NAME, key="w0")
    assert (new["record"]["version"], new["record"]["changed_height"]) == (2, height + 1)
    before = await city.call("records_get", collection=NAME, key="w0", as_of=1)
    assert before["record"] is None
    beyond = await city.refusal("records_get", collection=NAME, key="w0", as_of=99)
    assert beyond["what"] == "as_of 99"


async def test_the_history_of_a_record_has_every_version(city: RpcCity) -> None:
    create(city)
    for depth in range(5):
        city.commit(put(city, "well", depth=depth, village="minase"))
    page = await city.call("records_history", collection=NAME, key="well", limit=3)
    assert [one["version"] for one in page["versions"]] == [5, 4, 3]
    rest = await city.call("records_history", collection=NAME, key="well", before=page["before"])
    assert [one["value"]["depth"] for one in rest["versions"]] == [1, 0]
    assert "before" not in rest
    empty = await city.call("records_history", collection=NAME, key="none")
    assert empty["versions"] == []


async def test_a_query_that_looks_at_too_much_goes_on_in_another_page(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(city)
    monkeypatch.setattr(handlers_records, "ROWS_SCANNED_MAX", 4)
    question = {"collection": NAME, "filters": [{"field": "village", "eq": "none"}]}
    question = {**question, "order_by": "depth"}
    cursor: dict[str, str] = {}
    for _ in range(2):
        page = await city.call("records_query", **question, **cursor)
        assert page["records"] == []
        cursor = {"cursor": page["cursor"]}
    assert "cursor" not in await city.call("records_query", **question, **cursor)


async def test_what_cannot_be_asked_is_named(city: RpcCity) -> None:
    await filled(city)
    refusal = await city.refusal("records_query", collection=NAME, order_by="open")
    assert refusal["what"] == "order_by"
    assert "depth, village" in refusal["next"]
    assert (await city.refusal("records_query", collection="none"))["code"] == "not_found"
    page = await city.call("records_query", collection=NAME, limit=1)
    other = await city.refusal(
        "records_query", collection=NAME, descending=True, cursor=page["cursor"]
    )
    assert other["code"] == "bad_cursor"
    floats = b'{"jsonrpc":"2.0","id":1,"method":"records_query","params":{"filters":[{"eq":1.5}]}}'
    assert (await city.post(floats))[0] == 400


scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
bounds = st.booleans() | st.integers(-5, 5) | st.text(max_size=3)


@given(scalars, st.none() | bounds, st.none() | bounds, st.none() | bounds)
def test_a_condition_means_what_it_says(value: Any, eq: Any, ge: Any, le: Any) -> None:
    def fits(bound: Any, holds: Any) -> bool:
        return bound is None or (type(bound) is type(value) and holds(bound))

    expected = (
        fits(eq, lambda bound: value == bound)
        and fits(ge, lambda bound: value >= bound)
        and fits(le, lambda bound: value <= bound)
    )
    assert meets(value, Filter(field="x", eq=eq, ge=ge, le=le)) == expected
