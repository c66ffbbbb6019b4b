"""Scenarios of the builder: what waits, is in no ancestor, and fits."""

from harness.core_city import START_MS
from harness.orders import build_order, checked
from moyai.ledger.mempool import Mempool
from moyai.ledger.recent import RecentIds
from moyai.node.bodies import Bodies
from moyai.node.builder import Builder
from moyai.primitives.ids import Digest
from moyai.primitives.merkle import EMPTY_ROOT, merkle_root
from moyai.primitives.parameters import Parameters

PARAMETERS = Parameters(block_transactions_max=2)
ANCESTOR = Digest(b"\xaa" * 32)
TRANSACTIONS = [checked(number) for number in range(3)]
IDS = [transaction.id for transaction in TRANSACTIONS]


def make() -> tuple[Builder, Mempool, Bodies]:
    pool = Mempool(PARAMETERS)
    bodies = Bodies(parameters=PARAMETERS, pool=pool, final_ids=RecentIds(PARAMETERS.tx_window_ms))
    return Builder(PARAMETERS, pool, bodies), pool, bodies


def test_with_nothing_to_order_the_answer_is_empty() -> None:
    builder, _, _ = make()
    order = build_order()
    built = builder.build(order)
    assert (built.view, built.parent) == (order.view, order.parent)
    assert (built.transaction_ids, built.tx_root, built.tx_bytes) == ((), EMPTY_ROOT, 0)


def test_a_block_is_filled_to_its_limit_and_nothing_leaves_the_pool() -> None:
    builder, pool, _ = make()
    pool.restore(TRANSACTIONS)
    built = builder.build(build_order())
    assert built.transaction_ids == tuple(IDS[:2])
    assert built.tx_root == merkle_root(IDS[:2])
    assert built.tx_bytes == sum(len(one.body_bytes) for one in TRANSACTIONS[:2])
    assert len(pool) == 3


def test_what_an_ancestor_holds_is_not_chosen_again() -> None:
    builder, pool, bodies = make()
    pool.restore(TRANSACTIONS)
    bodies.hold(ANCESTOR, TRANSACTIONS[:2])
    assert builder.build(build_order(ANCESTOR)).transaction_ids == tuple(IDS[2:])
    assert builder.build(build_order()).transaction_ids == tuple(IDS[:2])


def test_what_is_over_at_the_time_of_the_block_is_left_out() -> None:
    builder, pool, _ = make()
    pool.restore(TRANSACTIONS)
    assert builder.build(build_order(time_ms=START_MS + 60_000)).transaction_ids == ()
