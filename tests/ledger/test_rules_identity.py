"""Scenarios of identity: who binds which level, what ends it, one person once a programme."""

import msgspec
import pytest

from harness.ledger_city import (
    CITY_HALL,
    DAY_MS,
    NOBODY,
    OFFICER,
    SECOND_OFFICER,
    UTILITY,
    UTILITY_KEY,
    LedgerCity,
    key,
    owner,
)
from moyai.ledger.accounts import read_account
from moyai.ledger.codes import Code
from moyai.ledger.identity import level_of, read_identity, read_nullifier
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, Digest, TimeMs
from moyai.primitives.operations_accounts import AddController
from moyai.primitives.operations_identity import (
    BindIdentity,
    Level,
    ProgrammeNullifier,
    RenewIdentity,
    RevokeIdentity,
    SuspendIdentity,
)
from moyai.primitives.state_keys import account_key

ALICE, BOB = key(21), key(22)
BUS = ProgrammeNullifier("bus", Digest(b"\x07" * 32))


def binding(city: LedgerCity, account: AccountId, level: Level = Level.FRIEND) -> BindIdentity:
    return BindIdentity(account, level, TimeMs(city.time_ms + 30 * DAY_MS), (), "xn774c")


def level_now(city: LedgerCity, account: AccountId) -> Level:
    found = read_account(city.state, account)
    assert found is not None
    return level_of(city.state, account, found, city.time_ms)


@pytest.mark.parametrize("level", list(Level))
def test_levels_3_and_4_need_two_officers(city: LedgerCity, level: Level) -> None:
    alice = city.open(owner(ALICE))
    alone = city.code(CITY_HALL, binding(city, alice, level), by=(OFFICER,))
    assert alone is (Code.OK if level < Level.E_RESIDENT_PREMIUM else Code.TWO_OFFICERS_NEEDED)
    if level >= Level.E_RESIDENT_PREMIUM:
        with_stranger = (OFFICER, UTILITY_KEY)
        bind = binding(city, alice, level)
        assert city.code(CITY_HALL, bind, by=with_stranger) is Code.TWO_OFFICERS_NEEDED
        city.must(CITY_HALL, bind, by=(OFFICER, SECOND_OFFICER))
    assert level_now(city, alice) is level


def test_only_a_registrar_binds_and_only_accounts_that_exist(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    assert city.code(UTILITY, binding(city, alice), by=(UTILITY_KEY,)) is Code.ROLE_MISSING
    assert city.code(alice, binding(city, alice), by=(ALICE,)) is Code.ROLE_MISSING
    assert city.code(CITY_HALL, binding(city, NOBODY), by=(OFFICER,)) is Code.ACCOUNT_UNKNOWN
    past = msgspec.structs.replace(binding(city, alice), expires_ms=TimeMs(1))
    assert city.code(CITY_HALL, past, by=(OFFICER,)) is Code.EXPIRY_PAST


def test_a_level_lapses_by_itself_and_is_renewed(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    city.must(CITY_HALL, binding(city, alice), by=(OFFICER,))
    city.time_ms = TimeMs(city.time_ms + 30 * DAY_MS)
    assert level_now(city, alice) is Level.GUEST
    renewal = RenewIdentity(alice, TimeMs(city.time_ms + DAY_MS))
    city.must(CITY_HALL, renewal, by=(OFFICER,))
    assert level_now(city, alice) is Level.FRIEND
    past = RenewIdentity(alice, TimeMs(1))
    assert city.code(CITY_HALL, past, by=(OFFICER,)) is Code.EXPIRY_PAST


def test_a_suspended_level_counts_for_nothing_until_renewed(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE), level=Level.E_RESIDENT)
    suspension = SuspendIdentity(alice)
    city.must(CITY_HALL, suspension, by=(OFFICER,))
    assert level_now(city, alice) is Level.GUEST
    assert city.code(CITY_HALL, suspension, by=(OFFICER,)) is Code.IDENTITY_SUSPENDED
    city.must(CITY_HALL, RenewIdentity(alice, TimeMs(city.time_ms + DAY_MS)), by=(OFFICER,))
    assert level_now(city, alice) is Level.E_RESIDENT


def test_a_revoked_binding_is_over_and_may_be_made_anew(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE), level=Level.E_RESIDENT)
    again = binding(city, alice)
    assert city.code(CITY_HALL, again, by=(OFFICER,)) is Code.IDENTITY_EXISTS
    city.must(CITY_HALL, RevokeIdentity(alice), by=(OFFICER,))
    assert level_now(city, alice) is Level.GUEST
    renewal = RenewIdentity(alice, TimeMs(city.time_ms + 10 * DAY_MS))
    assert city.code(CITY_HALL, renewal, by=(OFFICER,)) is Code.IDENTITY_REVOKED
    city.must(CITY_HALL, binding(city, alice), by=(OFFICER,))


def test_acts_on_a_high_level_need_two_officers_as_well(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE), level=Level.RESIDENT)
    for act in (SuspendIdentity(alice), RevokeIdentity(alice)):
        assert city.code(CITY_HALL, act, by=(OFFICER,)) is Code.TWO_OFFICERS_NEEDED
        city.must(CITY_HALL, act, by=(OFFICER, SECOND_OFFICER))


def test_one_officer_cannot_become_two(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    high = msgspec.structs.replace(binding(city, alice), level=Level.RESIDENT)
    own = AddController(owner(ALICE))
    both = (OFFICER, ALICE)
    assert city.code(CITY_HALL, own, high, by=both) is Code.SIGNATURES_INSUFFICIENT
    assert city.code(CITY_HALL, own, by=(OFFICER,)) is Code.SIGNATURES_INSUFFICIENT
    city.must(CITY_HALL, own, by=(OFFICER, SECOND_OFFICER))


def test_one_person_is_bound_once_a_programme(city: LedgerCity) -> None:
    alice, bob = city.open(owner(ALICE)), city.open(owner(BOB))
    first = msgspec.structs.replace(binding(city, alice), nullifiers=(BUS,))
    second = msgspec.structs.replace(binding(city, bob), nullifiers=(BUS,))
    city.must(CITY_HALL, first, by=(OFFICER,))
    assert read_nullifier(city.state, "bus", BUS.nullifier) == alice
    assert city.code(CITY_HALL, second, by=(OFFICER,)) is Code.NULLIFIER_USED
    other_programme = ProgrammeNullifier("snow", BUS.nullifier)
    allowed = msgspec.structs.replace(second, nullifiers=(other_programme,))
    city.must(CITY_HALL, allowed, by=(OFFICER,))
    found = read_identity(city.state, bob)
    assert found is not None
    assert found.nullifiers == (("snow", BUS.nullifier),)


def test_a_revoked_person_may_come_back_to_the_same_account_only(city: LedgerCity) -> None:
    alice, bob = city.open(owner(ALICE)), city.open(owner(BOB))
    first = msgspec.structs.replace(binding(city, alice), nullifiers=(BUS,))
    city.must(CITY_HALL, first, by=(OFFICER,))
    city.must(CITY_HALL, RevokeIdentity(alice), by=(OFFICER,))
    elsewhere = msgspec.structs.replace(first, account=bob)
    assert city.code(CITY_HALL, elsewhere, by=(OFFICER,)) is Code.NULLIFIER_USED
    city.must(CITY_HALL, first, by=(OFFICER,))


def test_acts_on_what_was_never_bound_or_by_another_registrar(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    assert city.code(CITY_HALL, SuspendIdentity(alice), by=(OFFICER,)) is Code.IDENTITY_UNKNOWN
    city.must(CITY_HALL, binding(city, alice), by=(OFFICER,))
    utility = read_account(city.state, UTILITY)
    assert utility is not None
    promoted = msgspec.structs.replace(utility, roles=(Role.REGISTRAR,))
    city.state.apply(city.height, {account_key(UTILITY): encode(promoted)})
    assert city.code(UTILITY, RevokeIdentity(alice), by=(UTILITY_KEY,)) is Code.NOT_THE_REGISTRAR


def test_members_count_as_residents_without_a_binding(city: LedgerCity) -> None:
    assert read_identity(city.state, UTILITY) is None
    assert level_now(city, UTILITY) is Level.RESIDENT


def test_events_name_no_person(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    bind = msgspec.structs.replace(binding(city, alice), nullifiers=(BUS,))
    receipt = city.must(CITY_HALL, bind, by=(OFFICER,))
    (event,) = receipt.events
    assert event.kind == "identity.bound"
    assert [name for name, _ in event.fields] == ["level", "expires_ms"]
