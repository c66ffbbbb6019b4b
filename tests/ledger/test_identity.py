"""Scenarios of what a binding is worth at a time."""

import pytest

from harness.ledger_city import CITY_HALL, LedgerCity, MemoryState, key, owner
from moyai.ledger.accounts import read_account
from moyai.ledger.identity import level_of, read_identity, read_nullifier
from moyai.primitives.codec import encode
from moyai.primitives.ids import TimeMs
from moyai.primitives.operations_identity import Level
from moyai.primitives.state_keys import identity_key
from moyai.primitives.state_values import Identity, Standing


@pytest.mark.parametrize(
    ("standing", "time_ms", "level"),
    [
        (Standing.ACTIVE, 999, Level.E_RESIDENT),
        (Standing.ACTIVE, 1_000, Level.GUEST),
        (Standing.SUSPENDED, 1, Level.GUEST),
        (Standing.REVOKED, 1, Level.GUEST),
    ],
)
def test_a_level_counts_while_it_is_active_and_not_lapsed(
    city: LedgerCity, standing: Standing, time_ms: int, level: Level
) -> None:
    alice = city.open(owner(key(21)))
    account = read_account(city.state, alice)
    assert account is not None
    bound = Identity(Level.E_RESIDENT, TimeMs(1_000), standing, CITY_HALL, "", ())
    state = MemoryState({identity_key(alice): encode(bound)})
    assert read_identity(state, alice) == bound
    assert level_of(state, alice, account, TimeMs(time_ms)) is level


def test_without_a_binding_one_is_a_guest(city: LedgerCity) -> None:
    alice = city.open(owner(key(21)))
    account = read_account(city.state, alice)
    assert account is not None
    assert level_of(city.state, alice, account, city.time_ms) is Level.GUEST
    assert read_nullifier(city.state, "bus", bytes(32)) is None
