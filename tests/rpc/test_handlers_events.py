"""The method that lists events; its pages are tested with `event_pages`."""

from harness.rpc_city import RpcCity
from moyai.rpc.cursors import BlockCursor, cursor_text


async def test_a_chain_without_events_has_an_empty_page_and_a_cursor(city: RpcCity) -> None:
    page = await city.call("events_list")
    assert page["events"] == []
    assert page["height"] == 0
    assert page["cursor"]


async def test_what_cannot_be_asked_is_named(city: RpcCity) -> None:
    assert (await city.refusal("events_list", cursor="nonsense"))["code"] == "bad_cursor"
    blocks = cursor_text(BlockCursor(1))
    assert (await city.refusal("events_list", cursor=blocks))["code"] == "bad_cursor"
    assert (await city.refusal("events_list", limit=0))["what"] == "params.limit"
    assert (await city.refusal("events_list", limit=1_001))["what"] == "params.limit"
    assert (await city.refusal("events_list", filter={"kinds": ["A"]}))["code"] == "invalid_params"
    assert (await city.refusal("events_list", filter={"other": 1}))["code"] == "invalid_params"
