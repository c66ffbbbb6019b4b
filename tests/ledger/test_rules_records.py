"""Scenarios of records: collections, who writes, values that fit, compare-and-set, indexes."""

import msgspec
import pytest

from harness.ledger_city import (
    CITY_HALL,
    NOBODY,
    OFFICER,
    UTILITY,
    UTILITY_KEY,
    LedgerCity,
    canonical,
    key,
    owner,
)
from moyai.ledger.codes import Code
from moyai.ledger.indexes import KEY_FIELD, index_name, index_value
from moyai.ledger.records import read_record
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId
from moyai.primitives.operations_identity import Level
from moyai.primitives.operations_records import CreateCollection, ExpectRecord, PutRecord, Writers
from moyai.primitives.state_keys import record_key

ALICE = key(21)
SCHEMA = canonical(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["lot"],
        "properties": {
            "lot": {"type": "string", "maxLength": 8},
            "grams": {"type": "integer", "minimum": 0},
            "notes": {"type": "array", "items": {"type": "string"}},
        },
    }
)
LOTS = CreateCollection("lots", "ロット", "lots", SCHEMA, ("grams",), Writers((), (), None))
KEY = record_key("lots", "a")


def put(value: object, name: str = "a") -> PutRecord:
    return PutRecord("lots", name, canonical(value))


def indexed(city: LedgerCity) -> list[tuple[bytes, bytes, bool]]:
    assert city.outcome is not None
    return [(one.index, one.value, one.added) for one in city.outcome.indexes]


def test_a_record_is_written_and_read_back_as_it_was(city: LedgerCity) -> None:
    city.must(CITY_HALL, LOTS, by=(OFFICER,))
    receipt = city.must(CITY_HALL, put({"grams": 5, "lot": "桃"}), by=(OFFICER,))
    assert read_record(city.state, "lots", "a") == '{"grams":5,"lot":"桃"}'.encode()
    assert receipt.events[0].fields == (("collection", "lots"), ("key", "a"))


def test_collections_are_made_by_the_records_role_under_new_names(city: LedgerCity) -> None:
    assert city.code(UTILITY, LOTS, by=(UTILITY_KEY,)) is Code.ROLE_MISSING
    city.must(CITY_HALL, LOTS, by=(OFFICER,))
    assert city.code(CITY_HALL, LOTS, by=(OFFICER,)) is Code.COLLECTION_EXISTS
    strangers = msgspec.structs.replace(LOTS, name="more", writers=Writers((NOBODY,), (), None))
    assert city.code(CITY_HALL, strangers, by=(OFFICER,)) is Code.ACCOUNT_UNKNOWN


@pytest.mark.parametrize("indexes", [("size",), ("notes",), ("grams", "grams")])
def test_what_cannot_be_indexed(city: LedgerCity, indexes: tuple[str, ...]) -> None:
    collection = msgspec.structs.replace(LOTS, indexes=indexes)
    assert city.code(CITY_HALL, collection, by=(OFFICER,)) is Code.INDEX_INVALID


def test_a_schema_outside_the_subset(city: LedgerCity) -> None:
    for schema in (b"{}", b'{"type":"object"}', b"not JSON", b'{"type":"string"}'):
        collection = msgspec.structs.replace(LOTS, schema=schema)
        assert city.code(CITY_HALL, collection, by=(OFFICER,)) is Code.SCHEMA_INVALID


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        (b'{"lot": "a"}', "value"),
        (b'{"lot":"a","grams":1}', "value"),
        (b'{"grams":1.5,"lot":"a"}', "value"),
        (b'{"lot":"a","lot":"b"}', "value"),
        (b"[]", "value"),
        (b"{}", "lot"),
        (b'{"lot":"123456789"}', "lot"),
        (b'{"grams":-1,"lot":"a"}', "grams"),
        (b'{"grams":true,"lot":"a"}', "grams"),
        (b'{"lot":"a","notes":["x",1]}', "notes[1]"),
        (b'{"lot":"a","size":1}', "size"),
    ],
)
def test_a_value_that_does_not_fit_is_named(city: LedgerCity, value: bytes, subject: str) -> None:
    city.must(CITY_HALL, LOTS, by=(OFFICER,))
    receipt = city.do(CITY_HALL, PutRecord("lots", "a", value), by=(OFFICER,))
    assert (receipt.code, receipt.subject) == (Code.VALUE_INVALID, subject)


def test_keys_are_clean_text_and_not_too_long(city: LedgerCity) -> None:
    city.must(CITY_HALL, LOTS, by=(OFFICER,))
    for name in ("a\x00b", "a\nb", "か\u3099", "\x85"):
        assert city.code(CITY_HALL, put({"lot": "a"}, name), by=(OFFICER,)) is Code.TEXT_INVALID
    long = "雪" * 65
    assert city.code(CITY_HALL, put({"lot": "a"}, long), by=(OFFICER,)) is Code.NAME_TOO_LONG
    city.must(CITY_HALL, put({"lot": "a"}, "雪" * 64), by=(OFFICER,))
    assert city.code(CITY_HALL, PutRecord("none", "a", b"{}"), by=(OFFICER,)) is (
        Code.COLLECTION_UNKNOWN
    )


def test_writers_by_account_by_role_and_by_level(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    forms: dict[str, Writers] = {
        "closed": Writers((), (), None),
        "named": Writers((alice,), (), None),
        "sponsors": Writers((), (Role.SPONSOR,), None),
        "friends": Writers((), (), Level.FRIEND),
    }
    for name, writers in forms.items():
        collection = msgspec.structs.replace(LOTS, name=name, writers=writers)
        city.must(CITY_HALL, collection, by=(OFFICER,))

    def writes(account: AccountId, signer: bytes) -> dict[str, bool]:
        value = canonical({"lot": "a"})
        codes = {
            name: city.code(account, PutRecord(name, "k", value), by=(signer,)) for name in forms
        }
        assert set(codes.values()) <= {Code.OK, Code.NOT_A_WRITER}
        return {name: code is Code.OK for name, code in codes.items()}

    no, yes = False, True
    expected = {"closed": no, "named": yes, "sponsors": no, "friends": no}
    assert writes(alice, ALICE) == expected
    city.bind(alice, Level.FRIEND)
    assert writes(alice, ALICE) == {**expected, "friends": yes}
    members = {"closed": no, "named": no, "sponsors": yes, "friends": yes}
    assert writes(UTILITY, UTILITY_KEY) == members
    assert all(writes(CITY_HALL, OFFICER).values())


def test_compare_and_set(city: LedgerCity) -> None:
    city.must(CITY_HALL, LOTS, by=(OFFICER,))
    first = (ExpectRecord("lots", "a", 0), put({"lot": "1"}))
    city.must(CITY_HALL, *first, by=(OFFICER,))
    assert city.code(CITY_HALL, *first, by=(OFFICER,)) is Code.VERSION_DIFFERS
    city.must(CITY_HALL, ExpectRecord("lots", "a", 1), put({"lot": "2"}), by=(OFFICER,))
    expectation = ExpectRecord("lots", "a", 1)
    assert city.code(CITY_HALL, expectation, by=(OFFICER,)) is Code.VERSION_DIFFERS
    city.must(CITY_HALL, ExpectRecord("lots", "a", 2), by=(OFFICER,))
    unknown = ExpectRecord("none", "a", 0)
    assert city.code(CITY_HALL, unknown, by=(OFFICER,)) is Code.COLLECTION_UNKNOWN


def test_of_two_that_expect_the_same_version_in_one_block_one_wins(city: LedgerCity) -> None:
    city.must(CITY_HALL, LOTS, put({"lot": "0"}), by=(OFFICER,))

    def attempt(version: int, lot: str) -> object:
        operations = (ExpectRecord("lots", "a", version), put({"lot": lot}))
        return city.transaction(CITY_HALL, operations, (OFFICER,))

    attempts = [attempt(1, "1"), attempt(1, "2"), attempt(2, "3")]
    outcome = city.block(*attempts)  # type: ignore[arg-type]
    codes = [receipt.code for receipt in outcome.receipts]
    assert codes == [Code.OK, Code.VERSION_DIFFERS, Code.VERSION_DIFFERS]
    assert read_record(city.state, "lots", "a") == b'{"lot":"1"}'


def test_an_expectation_speaks_of_the_state_before_its_own_transaction(city: LedgerCity) -> None:
    city.must(CITY_HALL, LOTS, by=(OFFICER,))
    city.must(CITY_HALL, put({"lot": "1"}), ExpectRecord("lots", "a", 0), by=(OFFICER,))


def test_indexes_follow_the_record(city: LedgerCity) -> None:
    city.must(CITY_HALL, LOTS, by=(OFFICER,))
    by_key, by_grams = index_name("lots", KEY_FIELD), index_name("lots", "grams")
    city.must(CITY_HALL, put({"lot": "x"}), by=(OFFICER,))
    assert indexed(city) == [
        (by_key, index_value("a"), True),
        (by_grams, index_value(None), True),
    ]
    city.must(CITY_HALL, put({"grams": 4, "lot": "x"}), by=(OFFICER,))
    assert indexed(city) == [
        (by_grams, index_value(None), False),
        (by_grams, index_value(4), True),
    ]
    city.must(CITY_HALL, put({"grams": 4, "lot": "y"}), by=(OFFICER,))
    assert indexed(city) == []
    assert city.outcome is not None
    assert list(city.outcome.changes) == [KEY]


def test_a_refused_transaction_leaves_no_index_entry(city: LedgerCity) -> None:
    city.must(CITY_HALL, LOTS, by=(OFFICER,))
    refused = (put({"lot": "x"}), ExpectRecord("lots", "b", 7))
    assert city.code(CITY_HALL, *refused, by=(OFFICER,)) is Code.VERSION_DIFFERS
    assert indexed(city) == []
