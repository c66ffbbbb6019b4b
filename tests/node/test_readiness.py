"""Scenarios of being ready: said when somebody waits, again when it was lost, then no more."""

from harness.governed_city import GovernedCity
from harness.ledger_city import CHAIN_ID
from moyai.node.readiness import READY_VALID_MS, Readiness
from moyai.primitives.keys import SigningKey
from moyai.primitives.transaction import parse_transaction, verify_signatures

HOSPITAL = SigningKey((13).to_bytes(32, "big"))
STRANGER = SigningKey((99).to_bytes(32, "big"))


def test_a_validator_of_the_next_set_says_that_it_is_ready_until_it_is_final() -> None:
    city = GovernedCity()
    readiness = Readiness(CHAIN_ID, HOSPITAL)
    now_ms = city.time_ms
    assert readiness.transaction(city.state, now_ms) is None, "nobody waits"
    city.accept(city.joining())
    first = readiness.transaction(city.state, now_ms)
    assert first is not None
    assert readiness.transaction(city.state, now_ms + READY_VALID_MS - 1) is None
    again = readiness.transaction(city.state, now_ms + READY_VALID_MS)
    assert again is not None
    checked = verify_signatures(parse_transaction(again))
    assert checked.body.account == city.hospital
    assert city.block(checked).receipts[0].code == 0
    assert readiness.transaction(city.state, now_ms + 2 * READY_VALID_MS) is None


def test_who_is_not_in_the_next_set_says_nothing() -> None:
    city = GovernedCity()
    city.accept(city.joining())
    assert Readiness(CHAIN_ID, STRANGER).transaction(city.state, city.time_ms) is None
