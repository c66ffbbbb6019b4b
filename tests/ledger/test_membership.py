"""Scenarios of reading members, validator sets, parameters and changes under way."""

import pytest

from harness.governed_city import (
    CITY_HALL_VALIDATOR,
    HOSPITAL_VALIDATOR,
    UTILITY_VALIDATOR,
    GovernedCity,
)
from harness.ledger_city import DAY_MS, UTILITY, MemoryState, small_genesis
from moyai.ledger.genesis import genesis_state
from moyai.ledger.membership import (
    next_validators,
    read_members,
    read_parameters,
    read_pending_set,
    read_registry,
    read_validators,
    ready_wanted,
)
from moyai.primitives.ids import Epoch, TimeMs
from moyai.primitives.operations_governance import RemoveMember


def test_members_are_told_in_the_order_of_genesis() -> None:
    genesis = small_genesis()
    state = MemoryState(genesis_state(genesis))
    told = [(one.name, one.account, one.validator_key) for one in read_members(state)]
    assert told == [(one.name, one.account, one.validator_key) for one in genesis.members]
    assert read_registry(state) == genesis.members
    assert read_parameters(state) == genesis.parameters


def test_genesis_knows_the_set_of_epoch_0_and_of_no_other() -> None:
    genesis = small_genesis()
    state = MemoryState(genesis_state(genesis))
    assert read_validators(state, Epoch(0)).digest == genesis.validators().digest
    assert next_validators(state) is read_pending_set(state) is None
    with pytest.raises(AssertionError, match="has not begun"):
        read_validators(state, Epoch(1))


def test_a_validator_of_the_next_set_is_waited_for_until_it_said_that_it_is_ready() -> None:
    city = GovernedCity()
    assert ready_wanted(city.state, CITY_HALL_VALIDATOR, city.time_ms) is None
    city.accept(city.joining())
    wanted = ready_wanted(city.state, HOSPITAL_VALIDATOR, city.time_ms)
    next_set = next_validators(city.state)
    assert wanted is not None
    assert next_set is not None
    assert (wanted.account, wanted.next_set) == (city.hospital, next_set.digest)
    city.ready(HOSPITAL_VALIDATOR)
    assert ready_wanted(city.state, HOSPITAL_VALIDATOR, city.time_ms) is None
    assert ready_wanted(city.state, UTILITY_VALIDATOR, city.time_ms) is not None
    too_late = TimeMs(city.time_ms + 8 * DAY_MS)
    assert ready_wanted(city.state, UTILITY_VALIDATOR, too_late) is None
    city.ready(UTILITY_VALIDATOR, CITY_HALL_VALIDATOR)
    assert ready_wanted(city.state, HOSPITAL_VALIDATOR, city.time_ms) is None


def test_nobody_waits_for_who_leaves() -> None:
    city = GovernedCity()
    city.accept(RemoveMember(UTILITY))
    assert ready_wanted(city.state, UTILITY_VALIDATOR, city.time_ms) is None
