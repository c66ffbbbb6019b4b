"""The OpenRPC document says what the door does."""

from typing import Any

import msgspec

from harness.rpc_city import RpcCity
from moyai.rpc.discovery import openrpc, package_version
from moyai.rpc.errors import CATALOGUE
from moyai.rpc.routes import ADMIN_METHODS, METHODS


def references(value: Any) -> list[str]:
    match value:
        case dict():
            own = [value["$ref"]] if "$ref" in value else []
            return own + [one for inner in value.values() for one in references(inner)]
        case list():
            return [one for inner in value for one in references(inner)]
        case _:
            return []


def test_every_method_is_in_it_with_its_shapes() -> None:
    document = openrpc()
    assert [method["name"] for method in document["methods"]] == list(METHODS)
    for method in document["methods"]:
        assert method["summary"]
        assert method["result"]["schema"]
    submit = document["methods"][0]
    assert submit["params"][0]["name"] == "transaction"
    assert submit["params"][0]["required"] is True


def test_every_reference_leads_somewhere() -> None:
    document = openrpc()
    components = document["components"]["schemas"]
    found = references(document)
    assert found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in components


def test_every_error_is_in_it_and_no_order_of_the_operator() -> None:
    document = openrpc()
    assert set(document["components"]["errors"]) == {error.code for error in CATALOGUE}
    assert not set(ADMIN_METHODS) & {method["name"] for method in document["methods"]}


async def test_the_door_gives_it_out(city: RpcCity) -> None:
    answer = await city.call("rpc.discover")
    assert answer == msgspec.json.decode(msgspec.json.encode(openrpc()))
    assert answer["info"]["version"] == package_version()
