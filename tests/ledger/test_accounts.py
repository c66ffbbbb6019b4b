"""Scenarios of who speaks for an account at a time."""

import msgspec

from harness.ledger_city import CITY_HALL, NOBODY, LedgerCity, key, owner
from moyai.ledger.accounts import (
    decode_account,
    is_current,
    read_account,
    signing_controllers,
    thresholds_reachable,
)
from moyai.primitives.codec import encode
from moyai.primitives.ids import TimeMs
from moyai.primitives.operations_accounts import ControllerRole, Thresholds
from moyai.primitives.transaction import Scheme, Signer

EXPIRING = owner(key(1), expires_ms=TimeMs(1_000))


def test_a_key_is_current_until_its_expiry_and_not_at_it() -> None:
    assert is_current(EXPIRING, TimeMs(999))
    assert not is_current(EXPIRING, TimeMs(1_000))
    assert is_current(owner(key(1)), TimeMs(2**53 - 1))


def test_a_signer_counts_under_its_own_scheme_only(city: LedgerCity) -> None:
    account = read_account(city.state, CITY_HALL)
    assert account is not None
    first = account.controllers[0]
    right = Signer(Scheme.ED25519, first.public_key)
    wrong = Signer(Scheme.WEBAUTHN_P256, first.public_key)
    stranger = Signer(Scheme.ED25519, key(99))
    assert signing_controllers(account, (stranger, right), city.time_ms) == [first]
    assert signing_controllers(account, (wrong,), city.time_ms) == []


def test_owners_that_last_must_reach_every_threshold() -> None:
    guardian = msgspec.structs.replace(owner(key(2)), role=ControllerRole.GUARDIAN)
    pair = Thresholds(1, 1, 2)
    assert thresholds_reachable((owner(key(1), 2),), pair)
    assert thresholds_reachable((owner(key(1)), owner(key(2))), pair)
    assert not thresholds_reachable((owner(key(1)), guardian), pair)
    assert not thresholds_reachable((owner(key(2)), EXPIRING), pair)


def test_the_same_bytes_are_decoded_once(city: LedgerCity) -> None:
    account = read_account(city.state, CITY_HALL)
    assert account is not None
    assert decode_account(encode(account)) is account
    assert read_account(city.state, NOBODY) is None
