"""Scenarios for the keys of the state: distinct for distinct things, none a prefix of another."""

from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives import state_keys
from moyai.primitives.ids import AccountId, Epoch, PublicKey
from moyai.primitives.limits import STATE_KEY_BYTES_MAX

names = st.text("abc.-09", min_size=1, max_size=32)


def test_each_topic_has_a_first_byte_of_its_own() -> None:
    account = AccountId(bytes(20))
    keys = [
        state_keys.PARAMETERS,
        state_keys.account_key(account),
        state_keys.identity_key(account),
        state_keys.nullifier_key("programme", bytes(32)),
        state_keys.token_key("coin"),
        state_keys.supply_key("coin"),
        state_keys.balance_key("coin", account),
        state_keys.collection_key("lots"),
        state_keys.record_key("lots", "1"),
        state_keys.series_key("bylaws"),
        state_keys.version_key("bylaws", 1),
        state_keys.member_key(0),
        state_keys.GOVERNANCE,
        state_keys.validators_key(Epoch(0)),
        state_keys.proposal_key(1),
        state_keys.full_node_key(0),
        state_keys.FORMER_KEYS,
        state_keys.misconduct_key(PublicKey(bytes(32))),
    ]
    assert len({key[:1] for key in keys}) == len(keys)


@given(names, names, names, names)
def test_no_two_records_share_a_key(one: str, key: str, two: str, other: str) -> None:
    same = state_keys.record_key(one, key) == state_keys.record_key(two, other)
    assert same == ((one, key) == (two, other))


def test_the_longest_names_fit() -> None:
    assert len(state_keys.record_key("c" * 32, "k" * 128)) <= STATE_KEY_BYTES_MAX
    assert len(state_keys.version_key("s" * 128, 2**31)) <= STATE_KEY_BYTES_MAX
