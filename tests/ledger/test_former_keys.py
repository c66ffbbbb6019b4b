"""Keys that left the registry are remembered for a while, the newest few of them."""

from harness.governed_city import GovernedCity
from harness.ledger_city import CITY_HALL, UTILITY
from moyai.ledger.former_keys import FORMER_KEY_MS, FORMER_KEYS_MAX, read_former_keys
from moyai.primitives.ids import NetworkKey
from moyai.primitives.operations_governance import (
    AddFullNode,
    RemoveFullNode,
    RemoveMember,
    RotateNetworkKey,
)

UTILITY_NETWORK = NetworkKey(b"\x06" * 32)


def network(number: int) -> NetworkKey:
    return NetworkKey(bytes([number]) * 32)


def names(city: GovernedCity) -> list[tuple[str, NetworkKey]]:
    return [(one.name, one.network_key) for one in read_former_keys(city.state)]


def test_who_left_may_still_ask_for_a_while() -> None:
    city = GovernedCity()
    assert names(city) == []
    city.enforce(RemoveMember(UTILITY))
    assert names(city) == [("utility", UTILITY_NETWORK)]
    (former,) = read_former_keys(city.state)
    assert former.until_ms == city.time_ms + FORMER_KEY_MS


def test_a_key_that_was_replaced_and_one_that_comes_back() -> None:
    city = GovernedCity()
    city.enforce(RotateNetworkKey(UTILITY, network(20)))
    city.enforce(RotateNetworkKey(UTILITY, UTILITY_NETWORK))
    assert names(city) == [("utility", network(20))]


def test_nodes_without_a_vote_leave_too_and_who_joins_is_none_of_them() -> None:
    city = GovernedCity()
    city.enforce(AddFullNode("library", network(30), "library.example:1"))
    assert names(city) == []
    city.enforce(RemoveFullNode("library"))
    assert names(city) == [("library", network(30))]


def test_the_newest_are_kept() -> None:
    city = GovernedCity()
    for number in range(20, 20 + FORMER_KEYS_MAX + 2):
        city.enforce(RotateNetworkKey(CITY_HALL, network(number)))
    kept = [key for _, key in names(city)]
    last = 20 + FORMER_KEYS_MAX + 1
    assert kept == [network(number) for number in range(last - FORMER_KEYS_MAX, last)]
