"""A proven receipt as people and as scripts read it."""

import json

import pytest

from harness.ledger_city import CITY_HALL, OFFICER, make_transaction
from moyai.client.proofs import FinalReceipt
from moyai.node.cli_receipt import print_receipt
from moyai.primitives.ids import Height, TimeMs
from moyai.primitives.operations_governance import ApproveChange
from moyai.primitives.receipt import OK, Event, Receipt
from moyai.rpc.texts import account_text


def test_a_receipt_says_where_it_stands_and_what_it_did(
    capsys: pytest.CaptureFixture[str],
) -> None:
    transaction = make_transaction(CITY_HALL, (ApproveChange(7),), (OFFICER,))
    event = Event("change.approved", (CITY_HALL,), (("proposal", 7),))
    receipt = FinalReceipt(
        transaction=transaction.id,
        body=transaction.body,
        height=Height(3),
        time_ms=TimeMs(0),
        index=1,
        receipt=Receipt(transaction.id, OK, 0, "", (event,)),
        certified_height=Height(4),
    )
    print_receipt(receipt, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["height"], shown["index"], shown["certified_height"]) == (3, 1, 4)
    assert shown["events"][0]["fields"] == {"proposal": 7}
    print_receipt(receipt, as_json=False)
    read = capsys.readouterr().out
    assert transaction.id.hex() in read
    assert f"change.approved: proposal 7 ({account_text(CITY_HALL)})" in read
