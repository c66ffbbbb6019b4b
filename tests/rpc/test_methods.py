"""A method tells what it does in the words of its handler."""

from moyai.rpc.methods import Method, Turn
from moyai.rpc.schema_events import EventsParams
from moyai.rpc.schema_types import NoParams


def test_the_summary_is_the_sentence_of_the_handler() -> None:
    def handler() -> None:
        """Do something."""

    method = Method(turn=Turn.READ, params=NoParams, result=dict, handler=handler)
    assert method.summary == "Do something."


def test_a_page_costs_by_its_size() -> None:
    method = Method(
        turn=Turn.READ, params=EventsParams, result=dict, handler=len, cost=2, page_cost=200
    )
    assert method.cost_of(EventsParams(limit=1_000)) == 202
    assert method.cost_of(EventsParams(limit=1)) == 2
    assert method.cost_of(EventsParams(limit=50)) == 12
