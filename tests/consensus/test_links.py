"""Who is linked, and how much each may be answered."""

from moyai.consensus.limits import ANSWERS_PER_STATUS_MAX
from moyai.consensus.links import Links
from moyai.primitives.ids import NetworkKey

KEYS = tuple(NetworkKey(bytes([number]) * 32) for number in range(1, 5))
FULL_NODE = NetworkKey(b"\xff" * 32)


def test_new_peers_are_named_once() -> None:
    links = Links(KEYS)
    assert links.change((KEYS[0], KEYS[2], FULL_NODE)) == [KEYS[0], KEYS[2], FULL_NODE]
    assert links.change((KEYS[0], FULL_NODE)) == []
    assert links.change(KEYS) == [KEYS[1], KEYS[2], KEYS[3]]


def test_full_nodes_are_no_validators() -> None:
    links = Links(KEYS)
    links.change((KEYS[3], FULL_NODE))
    assert links.validators() == [KEYS[3]]
    assert links.validator(KEYS[3]) == 3
    assert links.validator(FULL_NODE) is None


def test_answers_run_out_and_are_refilled() -> None:
    links = Links(KEYS)
    links.change(KEYS)
    assert links.spend(KEYS[0], ANSWERS_PER_STATUS_MAX - 1) == ANSWERS_PER_STATUS_MAX - 1
    assert links.spend(KEYS[0], 10) == 1
    assert links.spend(KEYS[0], 10) == 0
    assert links.spend(KEYS[1], 10) == 10
    links.refill()
    assert links.spend(KEYS[0], 10) == 10


def test_reconnecting_does_not_refill() -> None:
    links = Links(KEYS)
    links.change(KEYS)
    links.spend(KEYS[0], ANSWERS_PER_STATUS_MAX)
    links.change(KEYS)
    assert links.spend(KEYS[0], 1) == 0
