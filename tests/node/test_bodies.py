"""Scenarios of bodies: held, missing, valid; checked once, pinned until final or dropped."""

from typing import Any

import pytest

from harness.core_city import START_MS
from harness.orders import check_order, checked, header_of
from moyai.consensus.inputs import BlockChecked, BodyVerdict
from moyai.ledger.mempool import Mempool
from moyai.ledger.recent import RecentIds
from moyai.node.bodies import Bodies
from moyai.primitives.block import header_digest
from moyai.primitives.ids import ZERO_DIGEST, TimeMs
from moyai.primitives.parameters import Parameters

PARAMETERS = Parameters(block_transactions_max=8, block_signatures_max=16)
ONE, TWO, THREE = checked(1), checked(2), checked(3)


@pytest.fixture
def pool() -> Mempool:
    return Mempool(PARAMETERS)


@pytest.fixture
def final_ids() -> RecentIds:
    return RecentIds(PARAMETERS.tx_window_ms)


@pytest.fixture
def bodies(pool: Mempool, final_ids: RecentIds) -> Bodies:
    return Bodies(parameters=PARAMETERS, pool=pool, final_ids=final_ids)


def fault(verdict: BlockChecked | None) -> str:
    assert verdict is not None
    assert verdict.verdict is BodyVerdict.INVALID
    return verdict.reason


def is_valid(verdict: BlockChecked | None) -> bool:
    return verdict is not None and verdict.verdict is BodyVerdict.VALID


def test_a_body_that_the_pool_has_is_valid_at_once_and_held(bodies: Bodies, pool: Mempool) -> None:
    pool.restore([ONE, TWO])
    order = check_order([ONE, TWO])
    assert is_valid(bodies.check(order))
    pool.remove([ONE.id, TWO.id])
    assert is_valid(bodies.check(order))
    assert bodies.find(TWO.id) == TWO
    assert bodies.ids_of([order.digest]) == {ONE.id, TWO.id}
    assert bodies.drop(order.digest) == (ONE, TWO)
    assert bodies.find(TWO.id) is None


def test_what_is_missing_is_waited_for_in_any_order(bodies: Bodies, pool: Mempool) -> None:
    pool.restore([TWO])
    order = check_order([ONE, TWO, THREE])
    assert bodies.check(order) is None
    assert bodies.missing(order.digest) == (ONE.id, THREE.id)
    assert bodies.wants(THREE.id)
    assert not bodies.wants(TWO.id)
    assert bodies.arrived([THREE]) == []
    (verdict,) = bodies.arrived([ONE])
    assert is_valid(verdict)
    assert bodies.drop(order.digest) == (ONE, TWO, THREE)
    assert bodies.missing(order.digest) == ()


def test_asked_again_nothing_that_came_is_forgotten(bodies: Bodies) -> None:
    order = check_order([ONE, TWO])
    bodies.check(order)
    bodies.arrived([ONE])
    assert bodies.check(order) is None
    assert bodies.missing(order.digest) == (TWO.id,)


def test_one_transaction_completes_every_body_that_waits_for_it(bodies: Bodies) -> None:
    orders = [check_order([ONE]), check_order([ONE], height=2), check_order([ONE, TWO], height=3)]
    for order in orders:
        bodies.check(order)
    done = bodies.arrived([ONE])
    assert [verdict.digest for verdict in done] == [order.digest for order in orders[:2]]


def test_a_dropped_body_is_no_longer_waited_for(bodies: Bodies) -> None:
    order = check_order([ONE])
    bodies.check(order)
    assert bodies.drop(order.digest) == ()
    assert not bodies.wants(ONE.id)
    assert bodies.arrived([ONE]) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"tx_count": 3}, "number of transactions"),
        ({"tx_bytes": PARAMETERS.block_bytes_max + 1}, "size"),
        ({"tx_bytes": 1}, "size"),
        ({"tx_root": ZERO_DIGEST}, "transaction root"),
        ({"chain_id": "elsewhere"}, "a transaction of another chain"),
        ({"time_ms": TimeMs(START_MS + 60_000)}, "a transaction that has expired"),
        ({"time_ms": TimeMs(START_MS - 60_001)}, "a transaction that"),
    ],
)
def test_a_header_that_lies_about_its_body(
    bodies: Bodies, pool: Mempool, changed: dict[str, Any], reason: str
) -> None:
    pool.restore([ONE, TWO])
    order = check_order([ONE, TWO], **changed)
    assert fault(bodies.check(order)).startswith(reason)
    assert bodies.drop(order.digest) == ()


def test_too_many_transactions_and_one_twice(bodies: Bodies, pool: Mempool) -> None:
    many = [checked(number) for number in range(9)]
    pool.restore(many)
    assert fault(bodies.check(check_order(many))) == "number of transactions"
    assert fault(bodies.check(check_order([ONE, TWO, ONE]))) == "a transaction twice"


def test_a_transaction_of_an_ancestor_or_of_the_final_chain(
    bodies: Bodies, pool: Mempool, final_ids: RecentIds
) -> None:
    pool.restore([ONE, TWO])
    parent = check_order([ONE])
    assert is_valid(bodies.check(parent))
    child = check_order([TWO, ONE], height=2, ancestors=(parent.digest,))
    assert fault(bodies.check(child)) == "a transaction of an ancestor"
    sibling = check_order([ONE], height=2)
    assert is_valid(bodies.check(sibling))
    final_ids.add_block(TimeMs(START_MS), [TWO.id])
    assert fault(bodies.check(check_order([TWO], height=3))) == "a transaction of an ancestor"


def test_what_arrives_for_a_bad_body_makes_it_invalid_not_held(bodies: Bodies) -> None:
    order = check_order([ONE], tx_bytes=1)
    assert bodies.check(order) is None
    (verdict,) = bodies.arrived([ONE])
    assert fault(verdict) == "size"
    assert bodies.find(ONE.id) is None


def test_an_own_block_is_held_from_the_pool_and_stays_when_the_pool_forgets(
    bodies: Bodies, pool: Mempool
) -> None:
    pool.restore([ONE, TWO])
    digest = header_digest(header_of([TWO, ONE]))
    assert bodies.hold_own(digest, (TWO.id, ONE.id)) == (TWO, ONE)
    pool.remove([ONE.id, TWO.id])
    assert bodies.hold_own(digest, (TWO.id, ONE.id)) == (TWO, ONE)


def test_an_own_block_with_what_nobody_holds_is_a_bug(bodies: Bodies) -> None:
    with pytest.raises(AssertionError):
        bodies.hold_own(header_digest(header_of([ONE])), (ONE.id,))
