"""Scenarios of the table of operations: complete, and honest about cost."""

from typing import get_args

from harness.ledger_city import key, make_transaction
from moyai.ledger.actions import ACTIONS, COST_BYTES_EACH, cost_of
from moyai.primitives.ids import AccountId
from moyai.primitives.limits import TRANSACTION_OPERATIONS_MAX
from moyai.primitives.operations import Operation
from moyai.primitives.operations_tokens import BurnToken
from moyai.primitives.parameters import Parameters


def test_every_operation_has_one_row() -> None:
    assert list(ACTIONS) == list(get_args(Operation))
    for action in ACTIONS.values():
        assert action.cost > 0
        assert action.who
        assert action.level


def test_cost_grows_with_operations_and_bytes() -> None:
    account = AccountId(bytes(20))
    one, two = (
        make_transaction(account, (BurnToken("coin", 1),) * count, (key(1),)) for count in (1, 2)
    )
    longer = (len(two.body_bytes) - len(one.body_bytes)) / COST_BYTES_EACH
    assert abs(cost_of(two) - cost_of(one) - ACTIONS[BurnToken].cost - longer) < 1


def test_a_transaction_of_any_kind_fits_a_block_of_the_default_size() -> None:
    dearest = max(action.cost for action in ACTIONS.values())
    most = dearest * TRANSACTION_OPERATIONS_MAX + 64 * 1024 // COST_BYTES_EACH
    assert most <= Parameters().block_cost_max
