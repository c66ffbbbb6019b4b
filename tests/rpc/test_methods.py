"""A method tells what it does in the words of its handler."""

from moyai.rpc.methods import Method, Turn
from moyai.rpc.schema_types import NoParams


def test_the_summary_is_the_sentence_of_the_handler() -> None:
    def handler() -> None:
        """Do something."""

    method = Method(turn=Turn.READ, params=NoParams, result=dict, handler=handler)
    assert method.summary == "Do something."
