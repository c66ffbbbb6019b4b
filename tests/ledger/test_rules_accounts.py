"""Scenarios of accounts: opening, controllers that come and go, freezing at once, thawing."""

import msgspec
import pytest

from harness.ledger_city import (
    CITY_HALL,
    DAY_MS,
    FREE_POLICY,
    NOBODY,
    OFFICER,
    SECOND_OFFICER,
    STRANGER,
    UTILITY,
    UTILITY_KEY,
    LedgerCity,
    key,
    owner,
)
from moyai.ledger.accounts import CONTROLLERS_MAX, read_account
from moyai.ledger.codes import Code
from moyai.primitives.ids import TimeMs
from moyai.primitives.operations_accounts import (
    AccountKind,
    AddController,
    ControllerRole,
    FreezeAccount,
    OpenAccount,
    RemoveController,
    RotateController,
    ThawAccount,
    Thresholds,
)
from moyai.primitives.operations_tokens import BurnToken, TransferToken
from moyai.primitives.transaction import Scheme, opened_account

ALICE, SPARE, PHONE, GUARDIAN = key(21), key(22), key(23), key(24)
ONE = Thresholds(1, 1, 1)


def guardian(public_key: bytes) -> object:
    return msgspec.structs.replace(owner(public_key), role=ControllerRole.GUARDIAN)


def test_a_sponsor_opens_several_accounts_in_one_transaction(city: LedgerCity) -> None:
    openings = [
        OpenAccount(AccountKind.PERSON, (owner(ALICE),), ONE),
        OpenAccount(AccountKind.DEVICE, (owner(PHONE),), ONE),
    ]
    receipt = city.must(UTILITY, *openings, by=(UTILITY_KEY,))
    person, device = (opened_account(receipt.transaction, place) for place in (0, 1))
    assert receipt.events[1].accounts == (device, UTILITY)
    found = read_account(city.state, person)
    assert found is not None
    assert (found.kind, found.sponsor, found.roles) == (AccountKind.PERSON, UTILITY, ())
    assert found.opened_ms == city.time_ms
    assert not found.frozen
    assert not found.member


def test_only_a_sponsor_opens(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    opening = OpenAccount(AccountKind.PERSON, (owner(SPARE),), ONE)
    assert city.code(alice, opening, by=(ALICE,)) is Code.ROLE_MISSING
    assert city.code(NOBODY, opening, by=(ALICE,)) is Code.ACCOUNT_UNKNOWN
    assert city.code(UTILITY, opening, by=(OFFICER,)) is Code.SIGNATURES_INSUFFICIENT


@pytest.mark.parametrize(
    ("controllers", "thresholds", "code"),
    [
        ((owner(bytes(32)),), ONE, Code.KEY_INVALID),
        ((owner(ALICE + b"\x00"),), ONE, Code.KEY_INVALID),
        ((owner(ALICE), owner(ALICE)), ONE, Code.CONTROLLER_EXISTS),
        ((owner(ALICE),), Thresholds(1, 1, 2), Code.THRESHOLD_UNREACHABLE),
        ((owner(ALICE), guardian(SPARE)), Thresholds(1, 2, 1), Code.THRESHOLD_UNREACHABLE),
        ((owner(ALICE, expires_ms=TimeMs(2**50)),), ONE, Code.THRESHOLD_UNREACHABLE),
        ((owner(ALICE), owner(SPARE, expires_ms=TimeMs(1))), ONE, Code.EXPIRY_PAST),
    ],
)
def test_an_account_that_nobody_could_use_is_not_opened(
    city: LedgerCity, controllers: tuple[object, ...], thresholds: Thresholds, code: Code
) -> None:
    opening = msgspec.convert(
        [1, AccountKind.ORGANISATION, controllers, thresholds], OpenAccount, from_attributes=True
    )
    assert city.code(CITY_HALL, opening, by=(OFFICER,)) is code


def test_a_passkey_of_a_wrong_form_is_refused(city: LedgerCity) -> None:
    passkey = msgspec.structs.replace(owner(b"\x05" + bytes(64)), scheme=Scheme.WEBAUTHN_P256)
    alice = city.open(owner(ALICE))
    assert city.code(alice, AddController(passkey), by=(ALICE,)) is Code.KEY_INVALID


def test_keys_come_rotate_and_go(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    city.must(alice, AddController(owner(SPARE)), by=(ALICE,))
    city.must(alice, RotateController(ALICE, Scheme.ED25519, PHONE, None), by=(SPARE,))
    assert city.code(alice, RemoveController(SPARE), by=(ALICE,)) is Code.SIGNATURES_INSUFFICIENT
    city.must(alice, RemoveController(SPARE), by=(PHONE,))
    found = read_account(city.state, alice)
    assert found is not None
    assert found.controllers == (owner(PHONE),)


def test_the_last_owner_stays(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    assert city.code(alice, RemoveController(ALICE), by=(ALICE,)) is Code.LAST_OWNER
    soon = TimeMs(city.time_ms + DAY_MS)
    expiring = RotateController(ALICE, Scheme.ED25519, SPARE, soon)
    assert city.code(alice, expiring, by=(ALICE,)) is Code.LAST_OWNER
    city.must(alice, AddController(owner(SPARE, expires_ms=soon)), by=(ALICE,))
    assert city.code(alice, RemoveController(ALICE), by=(ALICE,)) is Code.LAST_OWNER
    city.must(alice, AddController(owner(PHONE)), RemoveController(ALICE), by=(ALICE,))


def test_what_cannot_be_added_rotated_or_removed(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE), owner(SPARE))
    unknown = RotateController(STRANGER, Scheme.ED25519, PHONE, None)
    twice = RotateController(ALICE, Scheme.ED25519, SPARE, None)
    assert city.code(alice, AddController(owner(SPARE)), by=(ALICE,)) is Code.CONTROLLER_EXISTS
    assert city.code(alice, RemoveController(STRANGER), by=(ALICE,)) is Code.CONTROLLER_UNKNOWN
    assert city.code(alice, unknown, by=(ALICE,)) is Code.CONTROLLER_UNKNOWN
    assert city.code(alice, twice, by=(ALICE,)) is Code.CONTROLLER_EXISTS


def test_the_number_of_keys_is_bounded(city: LedgerCity) -> None:
    alice = city.open(*(owner(key(200 + number)) for number in range(CONTROLLERS_MAX)))
    addition = AddController(owner(SPARE))
    assert city.code(alice, addition, by=(key(200),)) is Code.CONTROLLERS_TOO_MANY


def test_a_key_counts_until_it_expires(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    soon = TimeMs(city.time_ms + DAY_MS)
    city.must(alice, AddController(owner(SPARE, expires_ms=soon)), by=(ALICE,))
    city.must(alice, AddController(owner(PHONE)), by=(SPARE,))
    city.time_ms = soon
    assert city.code(alice, RemoveController(PHONE), by=(SPARE,)) is Code.SIGNATURES_INSUFFICIENT


def test_weights_reach_the_threshold_of_the_kind_of_act(city: LedgerCity) -> None:
    family = city.open(owner(ALICE, 2), owner(SPARE, 1), thresholds=Thresholds(1, 2, 3))
    friend = city.open(owner(PHONE))
    city.mint("coin", FREE_POLICY, (family, 10))
    give = TransferToken("coin", friend, 1)
    add = AddController(owner(GUARDIAN))
    assert city.code(family, give, by=(SPARE,)) is Code.SIGNATURES_INSUFFICIENT
    assert city.code(family, give, by=(PHONE,)) is Code.SIGNATURES_INSUFFICIENT
    city.must(family, give, by=(ALICE,))
    assert city.code(family, add, by=(ALICE,)) is Code.SIGNATURES_INSUFFICIENT
    city.must(family, add, by=(ALICE, SPARE))


def test_a_guardian_and_a_helper_do_not_move_value(city: LedgerCity) -> None:
    helper = msgspec.structs.replace(owner(PHONE, 255), role=ControllerRole.HELPER)
    watcher = msgspec.structs.replace(owner(GUARDIAN, 255), role=ControllerRole.GUARDIAN)
    alice = city.open(owner(ALICE), helper, watcher)
    city.mint("coin", FREE_POLICY, (alice, 10))
    burn = BurnToken("coin", 1)
    assert city.code(alice, burn, by=(PHONE, GUARDIAN)) is Code.SIGNATURES_INSUFFICIENT


def test_any_key_freezes_at_once_and_only_strength_thaws(city: LedgerCity) -> None:
    watcher = msgspec.structs.replace(owner(GUARDIAN), role=ControllerRole.GUARDIAN)
    alice = city.open(owner(ALICE), owner(SPARE), watcher, thresholds=Thresholds(1, 1, 2))
    city.mint("coin", FREE_POLICY, (alice, 10))
    city.must(alice, FreezeAccount(alice), by=(GUARDIAN,))
    assert city.code(alice, BurnToken("coin", 1), by=(ALICE, SPARE)) is Code.ACCOUNT_FROZEN
    assert city.code(alice, FreezeAccount(alice), by=(ALICE,)) is Code.ACCOUNT_FROZEN
    assert city.code(alice, ThawAccount(alice), by=(ALICE,)) is Code.SIGNATURES_INSUFFICIENT
    city.must(alice, ThawAccount(alice), by=(ALICE, SPARE))
    city.must(alice, BurnToken("coin", 1), by=(ALICE,))
    assert city.code(alice, ThawAccount(alice), by=(ALICE, SPARE)) is Code.ACCOUNT_NOT_FROZEN


def test_the_counter_freezes_and_thaws_for_others(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    city.must(CITY_HALL, FreezeAccount(alice), by=(SECOND_OFFICER,))
    assert city.code(CITY_HALL, ThawAccount(alice), by=(OFFICER,)) is Code.SIGNATURES_INSUFFICIENT
    city.must(CITY_HALL, ThawAccount(alice), by=(OFFICER, SECOND_OFFICER))
    assert city.code(UTILITY, FreezeAccount(alice), by=(UTILITY_KEY,)) is Code.ROLE_MISSING
    assert city.code(UTILITY, ThawAccount(alice), by=(UTILITY_KEY,)) is Code.ROLE_MISSING
    assert city.code(CITY_HALL, FreezeAccount(NOBODY), by=(OFFICER,)) is Code.ACCOUNT_UNKNOWN


def test_a_stranger_freezes_nobody(city: LedgerCity) -> None:
    alice, bob = city.open(owner(ALICE)), city.open(owner(SPARE))
    assert city.code(alice, FreezeAccount(alice), by=(STRANGER,)) is Code.SIGNATURES_INSUFFICIENT
    assert city.code(bob, FreezeAccount(alice), by=(SPARE,)) is Code.ROLE_MISSING
