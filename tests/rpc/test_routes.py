"""The table of methods: names, costs and shapes hold together."""

import re

import pytest

from moyai.rpc.methods import Method, Turn
from moyai.rpc.routes import ADMIN_METHODS, METHODS, discover
from moyai.rpc.schema_transactions import SubmitParams
from moyai.rpc.schema_types import NoParams, Params
from moyai.rpc.submits import tx_submit

ALL = {**METHODS, **ADMIN_METHODS}


@pytest.mark.parametrize("name", ALL)
def test_a_method_has_a_name_a_cost_and_a_sentence(name: str) -> None:
    method = ALL[name]
    assert re.fullmatch(r"[a-z]+_[a-z_]+|rpc\.discover|subscribe|unsubscribe", name)
    assert method.cost >= 1
    assert issubclass(method.params, Params)
    assert method.summary.endswith(".")
    assert (method.turn is Turn.ADMIN) == (name in ADMIN_METHODS)


def test_what_runs_elsewhere_cannot_be_run_by_its_row() -> None:
    with pytest.raises(AssertionError):
        discover()
    with pytest.raises(AssertionError):
        tx_submit(SubmitParams(transaction="AAAA"))


def test_no_method_signs() -> None:
    assert not [name for name in ALL if "sign" in name or "key" in name]
    assert Method(turn=Turn.READ, params=NoParams, result=dict, handler=len).cost == 1
