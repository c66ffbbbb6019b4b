"""Scenarios for the keys of the state: distinct for distinct things, none a prefix of another."""

from hypothesis import given
from hypothesis import strategies as st

from moyai.ledger import keys as ledger_keys
from moyai.primitives import state_keys
from moyai.primitives.ids import AccountId
from moyai.primitives.limits import STATE_KEY_BYTES_MAX

names = st.text("abc.-09", min_size=1, max_size=32)
accounts = st.binary(min_size=20, max_size=20).map(AccountId)


@given(names, names, accounts)
def test_the_sdk_and_the_ledger_mean_the_same_keys(name: str, other: str, account: AccountId) -> None:
    assert state_keys.account_key(account) == ledger_keys.account_key(account)
    assert state_keys.identity_key(account) == ledger_keys.identity_key(account)
    assert state_keys.balance_key(name, account) == ledger_keys.balance_key(name, account)
    assert state_keys.record_key(name, other) == ledger_keys.record_key(name, other)
    assert state_keys.series_key(name) == ledger_keys.series_key(name)
    assert state_keys.version_key(name, 7) == ledger_keys.version_key(name, 7)


@given(names, names, names, names)
def test_no_two_records_share_a_key(one: str, key: str, two: str, other: str) -> None:
    same = state_keys.record_key(one, key) == state_keys.record_key(two, other)
    assert same == ((one, key) == (two, other))


def test_the_longest_names_fit() -> None:
    assert len(state_keys.record_key("c" * 32, "k" * 128)) <= STATE_KEY_BYTES_MAX
    assert len(state_keys.version_key("s" * 128, 2**31)) <= STATE_KEY_BYTES_MAX
