"""Scenarios of documents: series of versions by one owner, and which of them was in force when."""

import msgspec

from harness.ledger_city import NOBODY, STRANGER, LedgerCity, key, owner
from moyai.ledger.codes import Code
from moyai.ledger.documents import read_version, version_in_force
from moyai.primitives.ids import AccountId, Digest, TimeMs
from moyai.primitives.operations_documents import (
    RegisterDocument,
    ReplaceDocument,
    RevokeDocument,
)
from moyai.primitives.operations_identity import Level

ALICE, BOB = key(21), key(22)
BYLAW = RegisterDocument("bylaw 12", Digest(b"\x01" * 32), 1_000)
AMENDED = ReplaceDocument("bylaw 12", Digest(b"\x02" * 32), 1_100, 1)


def registered(city: LedgerCity) -> AccountId:
    alice = city.open(owner(ALICE), level=Level.E_RESIDENT)
    city.must(alice, BYLAW, by=(ALICE,))
    return alice


def test_a_series_grows_by_replacement(city: LedgerCity) -> None:
    alice = registered(city)
    first_ms = city.time_ms
    receipt = city.must(alice, AMENDED, by=(ALICE,))
    assert receipt.events[0].kind == "document.replaced"
    old, new = (read_version(city.state, "bylaw 12", number) for number in (1, 2))
    assert old is not None
    assert new is not None
    assert (old.registered_ms, old.replaced_ms) == (first_ms, city.time_ms)
    assert (new.digest, new.registered_ms) == (AMENDED.digest, city.time_ms)
    late = city.code(alice, AMENDED, by=(ALICE,))
    assert late is Code.NOT_THE_LATEST


def test_which_version_was_in_force_on_a_day(city: LedgerCity) -> None:
    alice = registered(city)
    first_ms = city.time_ms
    city.must(alice, AMENDED, by=(ALICE,))
    second_ms = city.time_ms
    city.must(alice, RevokeDocument("bylaw 12", 2), by=(ALICE,))
    revoked_ms = city.time_ms

    def number_at(time_ms: int) -> int | None:
        found = version_in_force(city.state, "bylaw 12", TimeMs(time_ms))
        return None if found is None else found[0]

    assert number_at(first_ms - 1) is None
    assert number_at(first_ms) == 1
    assert number_at(second_ms - 1) == 1
    assert number_at(second_ms) == 2
    assert number_at(revoked_ms - 1) == 2
    assert number_at(revoked_ms) is None
    assert version_in_force(city.state, "no such series", first_ms) is None


def test_a_version_revoked_before_it_is_replaced(city: LedgerCity) -> None:
    alice = registered(city)
    city.must(alice, RevokeDocument("bylaw 12", 1), by=(ALICE,))
    gap_ms = city.time_ms
    city.must(alice, AMENDED, by=(ALICE,))
    assert version_in_force(city.state, "bylaw 12", gap_ms) is None
    version = read_version(city.state, "bylaw 12", 1)
    assert version is not None
    assert version.was_in_force(TimeMs(gap_ms - 1))
    again = city.code(alice, RevokeDocument("bylaw 12", 1), by=(ALICE,))
    assert again is Code.ALREADY_REVOKED


def test_a_series_belongs_to_who_began_it(city: LedgerCity) -> None:
    alice = registered(city)
    bob = city.open(owner(BOB), level=Level.E_RESIDENT)
    assert city.code(bob, BYLAW, by=(BOB,)) is Code.SERIES_EXISTS
    assert city.code(bob, AMENDED, by=(BOB,)) is Code.NOT_THE_OWNER
    assert city.code(bob, RevokeDocument("bylaw 12", 1), by=(BOB,)) is Code.NOT_THE_OWNER
    assert city.code(alice, AMENDED, by=(STRANGER,)) is Code.SIGNATURES_INSUFFICIENT
    assert city.code(NOBODY, BYLAW, by=(ALICE,)) is Code.ACCOUNT_UNKNOWN


def test_guests_register_nothing(city: LedgerCity) -> None:
    guest = city.open(owner(BOB), level=Level.FRIEND)
    assert city.code(guest, BYLAW, by=(BOB,)) is Code.LEVEL_TOO_LOW


def test_what_does_not_exist(city: LedgerCity) -> None:
    alice = registered(city)
    unknown = msgspec.structs.replace(AMENDED, series="bylaw 13")
    assert city.code(alice, unknown, by=(ALICE,)) is Code.SERIES_UNKNOWN
    assert city.code(alice, RevokeDocument("bylaw 12", 2), by=(ALICE,)) is Code.VERSION_UNKNOWN
    unclean = msgspec.structs.replace(BYLAW, series="a\x00b")
    assert city.code(alice, unclean, by=(ALICE,)) is Code.TEXT_INVALID
