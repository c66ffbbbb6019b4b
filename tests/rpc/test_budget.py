"""Who may ask how much."""

import pytest

from moyai.rpc.budget import Allowance, Budget, Client, client_of
from moyai.rpc.errors import TooManyRequestsError
from moyai.rpc.limits import CLIENTS_REMEMBERED_MAX


def budget_of(per_second: int, burst: int) -> Budget:
    keyed = Allowance(10 * per_second, 10 * burst)
    return Budget(anybody=Allowance(per_second, burst), keyed=keyed)


def test_who_shows_an_api_key_has_an_allowance_of_its_own() -> None:
    budget = budget_of(1_000, 100)
    budget.spend(Client("a", has_key=True), 1_000, now_ms=0)
    with pytest.raises(TooManyRequestsError, match="used up"):
        budget.spend(Client("a", has_key=True), 11, now_ms=1)
    budget.spend(Client("a", has_key=True), 10, now_ms=1)
    budget.spend(Client("a"), 100, now_ms=1)


def test_a_client_spends_its_burst_and_then_as_fast_as_it_is_filled() -> None:
    budget = budget_of(1_000, 100)
    budget.spend(Client("a"), 100, now_ms=0)
    with pytest.raises(TooManyRequestsError, match="used up"):
        budget.spend(Client("a"), 1, now_ms=0)
    budget.spend(Client("a"), 50, now_ms=50)
    with pytest.raises(TooManyRequestsError):
        budget.spend(Client("a"), 1, now_ms=50)


def test_a_refused_request_costs_nothing() -> None:
    budget = budget_of(1_000, 100)
    budget.spend(Client("a"), 60, now_ms=0)
    for _ in range(10):
        with pytest.raises(TooManyRequestsError):
            budget.spend(Client("a"), 60, now_ms=0)
    budget.spend(Client("a"), 40, now_ms=0)


def test_the_refusal_says_how_long_to_wait() -> None:
    budget = budget_of(1_000, 100)
    budget.spend(Client("a"), 100, now_ms=0)
    with pytest.raises(TooManyRequestsError) as refused:
        budget.spend(Client("a"), 30, now_ms=0)
    assert "wait 31 ms" in refused.value.next


def test_one_client_does_not_pay_for_another() -> None:
    budget = budget_of(1, 10)
    budget.spend(Client("a"), 10, now_ms=0)
    budget.spend(Client("b"), 10, now_ms=0)


def test_a_request_dearer_than_the_bucket_passes_when_it_is_full() -> None:
    budget = budget_of(1_000, 10)
    budget.spend(Client("a"), 50, now_ms=0)
    with pytest.raises(TooManyRequestsError):
        budget.spend(Client("a"), 50, now_ms=10)
    budget.spend(Client("a"), 50, now_ms=100)


def test_clients_beyond_the_bound_push_out_the_longest_idle_one() -> None:
    budget = budget_of(1, 10)
    budget.spend(Client("first"), 10, now_ms=0)
    for number in range(CLIENTS_REMEMBERED_MAX):
        budget.spend(Client(str(number)), 1, now_ms=0)
    assert len(budget._buckets) == CLIENTS_REMEMBERED_MAX
    budget.spend(Client("first"), 10, now_ms=0)


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", "local"),
    ],
)
def test_a_client_is_an_address_or_a_network_of_ipv6(address: str, client: str) -> None:
    assert client_of(address) == client


def test_what_was_dearer_than_its_price_becomes_a_debt() -> None:
    budget = budget_of(1_000, 100)
    budget.owe(Client("a"), 300, now_ms=0)
    with pytest.raises(TooManyRequestsError, match="used up"):
        budget.spend(Client("a"), 1, now_ms=200)
    budget.spend(Client("a"), 1, now_ms=201)
