"""Scenarios of reading members and parameters."""

from harness.ledger_city import MemoryState, small_genesis
from moyai.ledger.genesis import genesis_state
from moyai.ledger.membership import read_members, read_parameters


def test_members_are_told_in_the_order_of_genesis() -> None:
    genesis = small_genesis()
    state = MemoryState(genesis_state(genesis))
    told = [(one.name, one.account, one.validator_key) for one in read_members(state)]
    assert told == [(one.name, one.account, one.validator_key) for one in genesis.members]
    assert read_parameters(state) == genesis.parameters
