"""Scenarios of peers: who is dialled, which link stays, and what faults lead to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.peer_nodes import contact, network_key
from moyai.p2p import limits
from moyai.p2p.peers import (
    Conduct,
    Directory,
    LinkOrigin,
    backoff_ms,
    newer_survives,
    parse_endpoint,
)

ONE, TWO = sorted([network_key(1), network_key(2)])
MINUTE_MS = 60_000


def test_a_node_dials_every_other_validator_whose_address_is_known() -> None:
    directory = Directory.of(
        contact(1, "one.example:7000"),
        contact(2, "two.example:7000"),
        contact(3),
        contact(4, "four.example:7000", validator=False),
    )
    assert {one.name for one in directory.dialled_by(network_key(1))} == {"node-2"}
    assert {one.name for one in directory.dialled_by(network_key(4))} == {"node-1", "node-2"}


def test_a_directory_is_in_key_order() -> None:
    keys = list(Directory.of(contact(3), contact(1), contact(2)).contacts)
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("endpoint", "parsed"),
    [
        ("city.example:7000", ("city.example", 7000)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
        ("[::1]:65535", ("::1", 65535)),
        ("city.example", None),
        (":7000", None),
        ("city.example:0", None),
        ("city.example:65536", None),
        ("city.example:٧", None),
        ("city.example:-1", None),
        ("", None),
    ],
)
def test_an_endpoint_is_a_host_and_a_port(endpoint: str, parsed: tuple[str, int] | None) -> None:
    assert parse_endpoint(endpoint) == parsed


@given(st.text(max_size=30))
def test_no_text_upsets_the_endpoint_parser(text: str) -> None:
    parsed = parse_endpoint(text)
    assert parsed is None or 0 < parsed[1] < 65_536


def test_both_dialled_so_the_link_of_the_smaller_key_stays() -> None:
    from_one, from_two = LinkOrigin(ONE, 1_000), LinkOrigin(TWO, 1_100)
    for own, remote in ((ONE, TWO), (TWO, ONE)):
        assert not newer_survives(from_one, from_two, own=own, remote=remote)
        assert newer_survives(from_two, from_one, own=own, remote=remote)


def test_a_peer_that_dials_again_has_lost_the_older_link() -> None:
    older = LinkOrigin(ONE, 0)
    assert newer_survives(older, LinkOrigin(ONE, 10), own=TWO, remote=ONE)
    late = LinkOrigin(TWO, limits.SIMULTANEOUS_DIAL_MS + 1)
    assert newer_survives(older, late, own=ONE, remote=TWO)


def test_one_fault_is_forgiven_and_two_within_a_minute_block() -> None:
    conduct = Conduct()
    conduct.fault(0)
    assert conduct.blocked_ms(0) == 0
    conduct.fault(MINUTE_MS + 1)
    assert conduct.blocked_ms(MINUTE_MS + 1) == 0
    conduct.fault(2 * MINUTE_MS)
    assert conduct.blocked_ms(2 * MINUTE_MS) == MINUTE_MS
    assert conduct.blocked_ms(3 * MINUTE_MS) == 0


def test_each_block_is_twice_as_long_and_none_is_for_good() -> None:
    conduct = Conduct()
    now_ms = 0
    blocks = []
    for _ in range(9):
        conduct.fault(now_ms)
        conduct.fault(now_ms)
        blocks.append(conduct.blocked_ms(now_ms) // MINUTE_MS)
        now_ms += conduct.blocked_ms(now_ms)
    assert blocks == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    now_ms += limits.BLOCK_MS_MAX + 1
    conduct.fault(now_ms)
    conduct.fault(now_ms)
    assert conduct.blocked_ms(now_ms) == MINUTE_MS, "an hour of good conduct is remembered"


@given(st.integers(0, 100), st.floats(0, 1, exclude_max=True))
def test_the_wait_before_a_dial_grows_to_ten_seconds_and_is_spread(
    attempt: int, chance: float
) -> None:
    longest = min(limits.DIAL_BACKOFF_MS_MAX, 100 * 2**attempt)
    assert longest // 2 <= backoff_ms(attempt, chance) <= longest
