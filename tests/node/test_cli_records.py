"""`moyai get` and `moyai query`: looking around in a city."""

import json

import pytest

from harness.command_line import Run
from harness.real_city import RealCity
from moyai.node.cli_records import GETTERS
from moyai.primitives.operations_records import CreateCollection, PutRecord, Writers
from moyai.rpc.routes import METHODS

SCHEMA = (
    b'{"additionalProperties":false,'
    b'"properties":{"km":{"type":"integer"},"name":{"type":"string"}},"type":"object"}'
)


@pytest.fixture(scope="module")
def roads(live_city: RealCity) -> RealCity:
    """Give the city a collection of roads with an index on their length."""
    hall = live_city.city.nodes[0]
    writers = Writers((hall.account,), (), None)
    operations = (
        CreateCollection("roads", "道路", "Roads", SCHEMA, ("km",), writers),
        PutRecord("roads", "r1", b'{"km":4,"name":"east"}'),
        PutRecord("roads", "r2", b'{"km":9,"name":"west"}'),
        PutRecord("roads", "r3", b'{"km":12,"name":"ring"}'),
    )
    transaction_id, raw = live_city.sign(operations)
    live_city.submit(hall, raw)
    assert live_city.wait_final(hall, transaction_id, 5.0)["status"] == "final"
    return live_city


def test_every_kind_is_a_method_of_the_door() -> None:
    for method, names in GETTERS.values():
        parameters = set(METHODS[method].params.__struct_fields__)
        assert set(names) <= parameters


def test_records_are_found_by_their_fields(roads: RealCity, moyai: Run) -> None:
    code, answer, _ = moyai(
        *("query", "roads", "--where", "km>=5", "--order-by", "km", "--descending"),
        *("--city", roads.city.directory, "--json"),
    )
    assert code == 0
    assert [one["key"] for one in json.loads(answer)["records"]] == ["r3", "r2"]


def test_people_get_pages(roads: RealCity, moyai: Run) -> None:
    city = roads.city.directory
    code, answer, _ = moyai("query", "roads", "--limit", 2, "--city", city)
    assert code == 0
    assert '"name":"east"' in answer
    assert "--cursor" in answer


def test_a_record_and_its_history(roads: RealCity, moyai: Run) -> None:
    city = roads.city.directory
    code, answer, _ = moyai("get", "record", "roads", "r1", "--city", city, "--json")
    assert code == 0
    assert json.loads(answer)["record"]["value"] == {"km": 4, "name": "east"}
    code, answer, _ = moyai("get", "record-history", "roads", "r1", "--city", city, "--json")
    assert json.loads(answer)["versions"][0]["version"] == 1


def test_a_block_an_account_and_a_document(roads: RealCity, moyai: Run) -> None:
    city = roads.city.directory
    assert json.loads(moyai("get", "block", 1, "--city", city, "--json")[1])["height"] == 1
    members = json.loads(moyai("members", "list", "--city", city, "--json")[1])["members"]
    account = members[0]["account"]
    shown = json.loads(moyai("get", "account", account, "--city", city, "--json")[1])
    assert shown["member"] is True
    code, answer, _ = moyai("get", "document", "document 0", "--city", city)
    assert code == 0
    assert "in force" in answer


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("get", "bloc", "1"), "did you mean block?"),
        (("get", "balance", "coin"), "write: moyai get balance TOKEN ACCOUNT"),
        (("get", "block", "tall"), "give a whole number"),
        (("get", "account", "moyai1oops"), "account"),
        (("query", "roads", "--where", "km"), "FIELD=VALUE"),
        (("query", "nowhere"), "collection"),
    ],
)
def test_a_mistake_is_one_line_with_advice(
    arguments: tuple[str, ...], advice: str, roads: RealCity, moyai: Run
) -> None:
    code, _, told = moyai(*arguments, "--city", roads.city.directory)
    assert code == 1
    assert told.count("\n") == 1
    assert advice in told
