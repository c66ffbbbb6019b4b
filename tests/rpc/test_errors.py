"""The catalogue: every error has a number of its own, and refusals of the node are told alike."""

from moyai.primitives.errors import SignatureError
from moyai.primitives.transaction import TransactionExpiredError
from moyai.rpc.errors import CATALOGUE, NotYetProvableError, RpcError, error_object


class PoolIsFullError(SignatureError):
    """Any refusal of the node that passes by itself."""

    code = "mempool_full"


def test_names_and_numbers_are_distinct() -> None:
    assert len({error.code for error in CATALOGUE}) == len(CATALOGUE)
    assert len({error.number for error in CATALOGUE}) == len(CATALOGUE)
    assert all(-32768 <= error.number <= -32000 for error in CATALOGUE)
    assert all(error.__doc__ for error in CATALOGUE)


def test_every_error_of_the_door_is_in_the_catalogue() -> None:
    own = {kind for kind in RpcError.__subclasses__() if kind.__module__ == "moyai.rpc.errors"}
    assert own == set(CATALOGUE)


def test_a_refusal_keeps_its_own_name() -> None:
    told = error_object(TransactionExpiredError("has expired", what="transaction 00", next="anew"))
    assert told.code == -32003
    assert (told.data.code, told.data.what, told.data.next) == ("expired", "transaction 00", "anew")
    assert not isinstance(told.data.retry_after_ms, int)


def test_what_passes_by_itself_says_when_to_try_again() -> None:
    assert error_object(PoolIsFullError("full")).data.retry_after_ms == 1_000
    assert error_object(PoolIsFullError("full")).code == -32004
    assert error_object(NotYetProvableError("soon")).data.retry_after_ms == 50
