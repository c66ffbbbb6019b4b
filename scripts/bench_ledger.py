"""Measures applying blocks of one kind of transaction: microseconds each, all but signature and
state root; decoding is told apart, since a node decodes once and long before.

Prints one JSON line a scenario.
"""

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / ".dev"))

from harness.ledger_city import (
    CITY_HALL,
    FREE_POLICY,
    OFFICER,
    LedgerCity,
    canonical,
    key,
    owner,
)
from moyai.ledger.apply import BlockContext, apply_block
from moyai.primitives.ids import AccountId, Epoch, Height
from moyai.primitives.operations import Operation
from moyai.primitives.operations_identity import Level
from moyai.primitives.operations_records import CreateCollection, PutRecord, Writers
from moyai.primitives.operations_tokens import TransferToken
from moyai.primitives.transaction import parse_transaction

ACCOUNTS = 1_000
MEASURED_MAX_US = 25
MICROSECONDS = 1_000_000


def city_of(accounts: int) -> tuple[LedgerCity, list[AccountId]]:
    """Return a city with funded accounts of level 2 and a collection."""
    city = LedgerCity()
    people = [city.open(owner(key(100 + number))) for number in range(accounts)]
    for person in people:
        city.bind(person, Level.E_RESIDENT)
    policy = FREE_POLICY.__class__(Level.FRIEND, Level.FRIEND, Level.GUEST, 2**62, True)
    city.mint("coin", policy, *((person, 1_000_000) for person in people))
    schema = canonical(
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["lot", "grams"],
            "properties": {
                "lot": {"type": "string", "maxLength": 32},
                "grams": {"type": "integer", "minimum": 0},
                "passed": {"type": "boolean"},
            },
        }
    )
    writers = Writers((), (), Level.E_RESIDENT)
    creation = CreateCollection("lots", "ロット", "lots", schema, ("lot", "grams"), writers)
    city.must(CITY_HALL, creation, by=(OFFICER,))
    return city, people


def transfer(people: list[AccountId], number: int) -> Operation:
    """Return a transfer to the next person but one."""
    return TransferToken("coin", people[(number + 2) % len(people)], 3)


def put(_people: list[AccountId], number: int) -> Operation:
    """Return a record that is new half of the times."""
    value = {"grams": number, "lot": f"lot {number % 97}", "passed": number % 2 == 0}
    return PutRecord("lots", f"lot-{number % (2 * ACCOUNTS)}", canonical(value))


def measure(
    name: str, make: Callable[[list[AccountId], int], Operation], blocks: int, size: int
) -> float:
    """Apply `blocks` blocks of `size` transactions, print the figures, return us a transaction."""
    city, people = city_of(ACCOUNTS)
    apply_s, decode_s = [], []
    for block in range(blocks):
        numbers = range(block * size, (block + 1) * size)
        made = [
            city.transaction(
                people[number % ACCOUNTS],
                (make(people, number),),
                (key(100 + number % ACCOUNTS),),
            )
            for number in numbers
        ]
        gc.collect()
        start = time.perf_counter()
        for transaction in made:
            parse_transaction(transaction.raw)
        decode_s.append(time.perf_counter() - start)
        context = BlockContext(Height(city.height + 1), city.time_ms, Epoch(0), None)
        start = time.perf_counter()
        outcome = apply_block(city.state, context, made)
        apply_s.append(time.perf_counter() - start)
        assert all(receipt.code == 0 for receipt in outcome.receipts)
        city.height = Height(city.height + 1)
        city.state.apply(city.height, outcome.changes)
    apply_us = sorted(apply_s)[len(apply_s) // 2] * MICROSECONDS / size
    decode_us = sorted(decode_s)[len(decode_s) // 2] * MICROSECONDS / size
    figures = {"scenario": name, "transactions": blocks * size}
    print(json.dumps({**figures, "apply_us": round(apply_us, 1), "decode_us": round(decode_us, 1)}))
    return apply_us


def main() -> int:
    """Return 1 when a scenario takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=20)
    parser.add_argument("--size", type=int, default=500)
    chosen = parser.parse_args()
    taken = [
        measure("coin transfer", transfer, chosen.blocks, chosen.size),
        measure("record put", put, chosen.blocks, chosen.size),
    ]
    return int(max(taken) > MEASURED_MAX_US)


if __name__ == "__main__":
    sys.exit(main())
