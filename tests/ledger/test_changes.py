"""Scenarios of a change as arithmetic: what the consortium is after it, whatever was before."""

from hypothesis import given
from hypothesis import strategies as st

from harness.governed_city import HOSPITAL_KEY, GovernedCity
from harness.ledger_city import CITY_HALL, UTILITY
from moyai.ledger.changes import Consortium, changed
from moyai.ledger.codes import Refusal
from moyai.ledger.membership import read_consortium
from moyai.primitives.codec import Codec, encode
from moyai.primitives.genesis import Role
from moyai.primitives.ids import Epoch
from moyai.primitives.operations_governance import (
    Change,
    ParameterSetting,
    RemoveMember,
    SetEndpoint,
    SetParameters,
)
from moyai.primitives.parameters import Parameters

NAMES = [*Parameters.__struct_fields__, "nothing"]
codec = Codec(Parameters, name="parameters")


def after(city: GovernedCity, change: Change) -> Consortium:
    return changed(read_consortium(city.state), change, city.state)


def test_a_member_that_joins_stands_last_with_its_owners_as_officers() -> None:
    city = GovernedCity()
    joined = after(city, city.joining(Role.RECORDS)).members[-1]
    assert (joined.account, joined.officer_keys) == (city.hospital, (HOSPITAL_KEY,))
    assert joined.roles == (Role.RECORDS,)


def test_validators_are_sorted_and_named_by_their_epoch() -> None:
    city = GovernedCity()
    consortium = after(city, city.joining())
    first, second = consortium.validators(Epoch(1)), consortium.validators(Epoch(2))
    assert list(first.keys) == sorted(one.validator_key for one in consortium.members)
    assert first.digest != second.digest


def test_what_a_change_does_not_name_stays() -> None:
    city = GovernedCity()
    moved = after(city, SetEndpoint(UTILITY, "utility.example:1"))
    assert moved.members[0] == read_consortium(city.state).members[0]
    assert after(city, RemoveMember(UTILITY)).members == moved.members[:1]
    assert moved.members[0].account == CITY_HALL


@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.integers(0, 2**53 - 1) | st.integers(0, 100_000)),
        min_size=1,
        max_size=4,
    )
)
def test_no_settings_lead_out_of_the_domains(settings: list[tuple[str, int]]) -> None:
    city = GovernedCity()
    change = SetParameters(tuple(ParameterSetting(*one) for one in settings))
    try:
        parameters = after(city, change).parameters
    except Refusal:
        return
    assert codec.decode(encode(parameters)) == parameters
    assert parameters.delta_ms <= parameters.delta_max_ms
    assert parameters.block_interval_min_ms <= parameters.block_interval_max_ms
    assert parameters.tx_window_ms >= Parameters().tx_window_ms
