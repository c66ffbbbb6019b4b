"""Scenarios for errors: each says what is wrong, about what, and what to do."""

from moyai.client import errors
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import TransactionId
from moyai.primitives.receipt import Receipt

IDENTITY = TransactionId(bytes(32))


def test_every_kind_of_error_has_a_code_of_its_own() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, MoyaiError)
    ]
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_errors_carry_what_a_program_needs() -> None:
    receipt = Receipt(IDENTITY, 7, 1, "coin", ())
    raised = [
        errors.NodeRefusalError("busy", ("is full", "pool", "wait"), retry_after_ms=5),
        errors.NoNodeAnsweredError([("http://a", errors.StaleNodeError("old"))]),
        errors.ForkError("block 3", (b"a", b"b"), (b"c", None)),
        errors.TransactionRefusedError(receipt, "too_poor", ("has too little", "earn more")),
        errors.TransactionExpiredError(IDENTITY),
        errors.OutcomeUnknownError(IDENTITY, "no node answers"),
    ]
    for error in raised:
        assert error.reason
        assert error.what
        assert error.next
    assert "coin" in str(raised[3])
    assert "http://a: old" in str(raised[1])
