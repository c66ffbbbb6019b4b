"""Scenarios of reading classes, balances and supplies, those that never were included."""

from harness.ledger_city import CITY_HALL, FREE_POLICY, NOBODY, LedgerCity, key, owner
from moyai.ledger.tokens import read_balance, read_supply, read_token


def test_what_was_never_minted_is_nothing(city: LedgerCity) -> None:
    assert read_token(city.state, "coin") is None
    assert read_balance(city.state, "coin", NOBODY) == 0
    assert read_supply(city.state, "coin") == 0


def test_what_was_minted_is_told(city: LedgerCity) -> None:
    alice = city.open(owner(key(21)))
    city.mint("coin", FREE_POLICY, (alice, 7))
    found = read_token(city.state, "coin")
    assert found is not None
    assert (found.creator, found.policy, found.minters) == (CITY_HALL, FREE_POLICY, ())
    assert read_balance(city.state, "coin", alice) == read_supply(city.state, "coin") == 7
