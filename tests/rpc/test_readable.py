"""Ledger structs as people read them: nothing is lost, nothing is ambiguous."""

import pytest

from moyai.node.operation_text import parse_operation
from moyai.primitives.ids import AccountId, Digest, TimeMs, format_account
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.operations_identity import BindIdentity, Level, ProgrammeNullifier
from moyai.primitives.operations_records import PutRecord
from moyai.primitives.operations_tokens import MintToken
from moyai.primitives.receipt import Event
from moyai.rpc.readable import readable_event, readable_operation, readable_value

SOMEONE = AccountId(b"\x05" * 20)


def test_an_operation_reads_as_it_is_written() -> None:
    assert readable_operation(MintToken("coin", SOMEONE, 2**62)) == {
        "type": "mint_token",
        "token": "coin",
        "to": format_account(SOMEONE),
        "amount": str(2**62),
    }


@pytest.mark.parametrize(
    "operation",
    [
        MintToken("coin", SOMEONE, 5),
        RegisterDocument("a/b", Digest(b"\x07" * 32), 9),
        PutRecord("wells", "w1", '{"village":"小野"}'.encode()),
    ],
)
def test_the_command_line_reads_the_form_that_the_door_shows(
    operation: MintToken | RegisterDocument | PutRecord,
) -> None:
    assert parse_operation(readable_operation(operation)) == operation


def test_times_enumerations_and_structs_inside() -> None:
    binding = BindIdentity(
        SOMEONE,
        Level.RESIDENT,
        TimeMs(0),
        (ProgrammeNullifier("snow", Digest(b"\x01" * 32)),),
        "xn7",
    )
    shown = readable_operation(binding)
    assert shown["level"] == "resident"
    assert shown["expires"] == "1970-01-01T00:00:00.000Z"
    assert shown["nullifiers"] == [{"programme": "snow", "nullifier": "01" * 32}]


def test_an_event_names_its_accounts_and_fields() -> None:
    event = Event("token.minted", (SOMEONE,), (("amount", 5), ("until_ms", 1), ("digest", b"\x01")))
    shown = readable_event(event)
    assert shown["fields"] == {
        "amount": "5",
        "until": "1970-01-01T00:00:00.001Z",
        "digest": "01",
    }
    assert shown["accounts"][0].startswith("moyai1")


def test_plain_values_stay_and_strange_ones_are_our_fault() -> None:
    assert [readable_value("x", value) for value in (None, True, 7, "a")] == [None, True, 7, "a"]
    with pytest.raises(TypeError):
        readable_value("x", 1.5)
