"""Scenarios of errors: what is wrong, about which object, what to do next."""

from moyai.primitives.errors import MoyaiError, TransactionError


def test_an_error_reads_as_object_reason_and_advice() -> None:
    error = TransactionError("has expired", what="transaction ab", next="sign a new one")
    assert str(error) == "transaction ab: has expired; sign a new one"
    assert (error.code, error.reason, error.what) == (
        "bad_transaction",
        "has expired",
        "transaction ab",
    )


def test_what_is_unknown_is_left_out() -> None:
    assert str(MoyaiError("no quorum")) == "no quorum"
