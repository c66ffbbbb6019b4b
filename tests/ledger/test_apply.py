"""Scenarios of blocks: all of a transaction or nothing, in order, the same on every node."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.any_operation import any_operation
from harness.ledger_city import (
    CITY_HALL,
    FREE_POLICY,
    NOBODY,
    OFFICER,
    SECOND_OFFICER,
    LedgerCity,
    canonical,
    key,
    owner,
    state_bytes,
)
from moyai.ledger.codes import Code
from moyai.ledger.tokens import read_balance
from moyai.primitives.ids import Digest
from moyai.primitives.limits import STATE_KEY_BYTES_MAX, STATE_VALUE_BYTES_MAX
from moyai.primitives.operations import (
    BurnToken,
    CreateCollection,
    CreateTokenClass,
    MintToken,
    Operation,
    RegisterDocument,
    TransferToken,
)
from moyai.primitives.operations_identity import Level
from moyai.primitives.operations_records import Writers

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = canonical(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {"n": {"type": "integer"}},
    }
)
ALICE, BOB = key(21), key(22)


def test_all_operations_happen_or_none(city: LedgerCity) -> None:
    alice, bob = city.open(owner(ALICE)), city.open(owner(BOB))
    city.mint("coin", FREE_POLICY, (alice, 10))
    good, bad = TransferToken("coin", bob, 4), BurnToken("coin", 7)
    receipt = city.do(alice, good, good, bad, by=(ALICE,))
    assert (receipt.code, receipt.operation) == (Code.BALANCE_TOO_LOW, 2)
    assert (receipt.subject, receipt.events) == ("coin", ())
    assert read_balance(city.state, "coin", alice) == 10
    assert city.outcome is not None
    assert city.outcome.changes == {}


def test_later_transactions_of_a_block_see_earlier_ones(city: LedgerCity) -> None:
    alice, bob = city.open(owner(ALICE)), city.open(owner(BOB))
    city.mint("coin", FREE_POLICY, (alice, 10))
    outcome = city.block(
        city.transaction(alice, (TransferToken("coin", bob, 10),), (ALICE,)),
        city.transaction(alice, (TransferToken("coin", bob, 1),), (ALICE,)),
        city.transaction(bob, (TransferToken("coin", alice, 5),), (BOB,)),
    )
    codes = [receipt.code for receipt in outcome.receipts]
    assert codes == [Code.OK, Code.BALANCE_TOO_LOW, Code.OK]
    assert outcome.touched == ((alice, bob), (alice,), (bob, alice))
    assert read_balance(city.state, "coin", bob) == 5


def test_an_unknown_account_ends_in_a_receipt(city: LedgerCity) -> None:
    receipt = city.do(NOBODY, BurnToken("coin", 1), by=(ALICE,))
    assert (receipt.code, receipt.operation) == (Code.ACCOUNT_UNKNOWN, 0)
    assert receipt.subject.startswith("moyai1")


def test_an_empty_block_changes_nothing(city: LedgerCity) -> None:
    outcome = city.block()
    assert (outcome.receipts, outcome.changes, outcome.indexes) == ((), {}, ())


KNOWN = ["coin", "lots", "a", "bylaw", CITY_HALL, NOBODY, OFFICER, b'{"n":1}', SCHEMA]
prepared = (
    CreateTokenClass("coin", "c", "c", FREE_POLICY, ()),
    MintToken("coin", CITY_HALL, 100),
    CreateCollection("lots", "l", "l", SCHEMA, ("n",), Writers((), (), Level.GUEST)),
    RegisterDocument("bylaw", Digest(bytes(32)), 1),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(any_operation(KNOWN), min_size=1, max_size=4))
def test_whatever_a_transaction_holds_ends_in_a_receipt(operations: list[Operation]) -> None:
    city = LedgerCity()
    city.must(CITY_HALL, *prepared, by=(OFFICER,))
    made = [city.transaction(CITY_HALL, (one,), (OFFICER, SECOND_OFFICER)) for one in operations]
    outcome = city.block(*made)
    assert [one.transaction for one in outcome.receipts] == [one.id for one in made]
    assert {Code(one.code) for one in outcome.receipts} <= set(Code)
    for name, value in outcome.changes.items():
        assert len(name) <= STATE_KEY_BYTES_MAX
        assert value is not None
        assert len(value) <= STATE_VALUE_BYTES_MAX


PROGRAM = """
import sys
sys.path[:0] = [".dev", "tests/ledger"]
from hashlib import sha256
from harness.ledger_city import state_bytes
from test_reference import TwoLedgers
ledgers = TwoLedgers(7)
digest = sha256()
for _ in range(60):
    ledgers.block()
    digest.update(state_bytes(ledgers.city.outcome))
print(digest.hexdigest())
"""


def test_two_processes_with_other_hash_seeds_do_the_same() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.strip()
        for seed in ("1", "4242")
    ]
    assert told[0] == told[1]
    assert len(told[0]) == 2 * sha256().digest_size


def test_the_same_blocks_do_the_same_twice() -> None:
    def played() -> list[bytes]:
        city = LedgerCity()
        alice = city.open(owner(ALICE))
        city.mint("coin", FREE_POLICY, (alice, 10))
        block = city.block(city.transaction(CITY_HALL, (BurnToken("coin", 1),), (OFFICER,)))
        return [
            state_bytes(block),
            *(name + entry.value for name, entry in city.state.entries.items()),
        ]

    assert played() == played()
