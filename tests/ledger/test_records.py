"""Scenarios of reading collections and records that exist or do not."""

from harness.ledger_city import CITY_HALL, OFFICER, LedgerCity, canonical
from moyai.ledger.records import read_collection, read_record
from moyai.primitives.operations_records import CreateCollection, PutRecord, Writers


def test_a_collection_and_its_record(city: LedgerCity) -> None:
    assert read_collection(city.state, "lots") is None
    assert read_record(city.state, "lots", "a") is None
    schema = canonical({"type": "object", "additionalProperties": False})
    creation = CreateCollection("lots", "ロット", "lots", schema, (), Writers((), (), None))
    city.must(CITY_HALL, creation, PutRecord("lots", "a", b"{}"), by=(OFFICER,))
    found = read_collection(city.state, "lots")
    assert found is not None
    assert (found.creator, found.schema, found.indexes) == (CITY_HALL, schema, ())
    assert read_record(city.state, "lots", "a") == b"{}"
