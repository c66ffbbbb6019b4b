"""Scenarios of the pool: bounds, fair turns, expiry, and blocks that were left behind."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.ledger_city import START_MS, key, make_transaction
from moyai.ledger import mempool as pool_module
from moyai.ledger.actions import cost_of
from moyai.ledger.mempool import (
    AccountBusyError,
    BlockSpace,
    Mempool,
    MempoolFullError,
    TooCostlyError,
)
from moyai.primitives.ids import AccountId, TimeMs
from moyai.primitives.operations_tokens import BurnToken
from moyai.primitives.parameters import Parameters
from moyai.primitives.transaction import CheckedTransaction

PARAMETERS = Parameters()
SPACE = BlockSpace.of(PARAMETERS, time_ms=TimeMs(START_MS))
SIGNER = (key(1),)


def account(number: int) -> AccountId:
    return AccountId(number.to_bytes(20, "big"))


def burn(owner: int, number: int, **options: int) -> CheckedTransaction:
    operations = (BurnToken("coin", 1),)
    return make_transaction(account(owner), operations, SIGNER, number=number, **options)


def owners(taken: list[CheckedTransaction]) -> list[int]:
    return [int.from_bytes(one.body.account, "big") for one in taken]


def test_a_known_transaction_is_not_added_twice() -> None:
    pool = Mempool(PARAMETERS)
    one = burn(1, 1)
    assert pool.add(one).added
    again = pool.add(one)
    assert not again.added
    assert again.refusal is None
    assert pool.get(one.id) is one
    assert (len(pool), pool.bytes) == (1, len(one.raw))
    pool.remove([one.id, one.id])
    assert (len(pool), pool.bytes) == (0, 0)


def test_one_account_has_a_bounded_share() -> None:
    pool = Mempool(msgspec.structs.replace(PARAMETERS, account_pending_max=2))
    first, second, third = (burn(1, number) for number in range(3))
    assert pool.add(first).added
    assert pool.add(second).added
    assert isinstance(pool.add(third).refusal, AccountBusyError)
    assert pool.add(burn(2, 0)).added
    pool.remove([first.id])
    assert pool.add(third).added


def test_who_signs_without_a_key_of_the_account_takes_nothing_from_it() -> None:
    forger, owner = (key(2),), (key(1),)
    low = msgspec.structs.replace(PARAMETERS, account_pending_max=2)
    pool = Mempool(low, lambda one: one.body.signers[0].public_key == key(1))

    def burn_as(keys: tuple[bytes], number: int, of: int) -> CheckedTransaction:
        return make_transaction(account(of), (BurnToken("coin", 1),), keys, number=number)

    forged = [burn_as(forger, number, number % 2) for number in range(2)]
    assert all(pool.add(one).added for one in forged)
    refusal = pool.add(burn_as(forger, 2, 7)).refusal
    assert isinstance(refusal, AccountBusyError)
    assert "not their account's" in refusal.reason
    true = [burn_as(owner, number, 1) for number in range(3, 5)]
    assert all(pool.add(one).added for one in true)
    two = msgspec.structs.replace(SPACE, transactions=2)
    assert pool.take(two, excluded=set()) == [forged[0], true[0]]
    pool.remove([one.id for one in (*forged, *true)])
    assert len(pool) == 0


def test_the_whole_pool_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Mempool(PARAMETERS)
    monkeypatch.setattr(pool_module, "TRANSACTIONS_MAX", 2)
    assert pool.add(burn(1, 1)).added
    assert pool.add(burn(2, 1)).added
    assert isinstance(pool.add(burn(3, 1)).refusal, MempoolFullError)
    pool.restore([burn(3, 1)])
    assert len(pool) == 3


def test_what_no_block_could_hold_is_refused_at_the_door() -> None:
    many = tuple(BurnToken("coin", 1) for _ in range(64))
    heavy = make_transaction(account(1), many, SIGNER)
    low = msgspec.structs.replace(PARAMETERS, block_cost_max=cost_of(heavy) - 1)
    assert isinstance(Mempool(low).add(heavy).refusal, TooCostlyError)
    assert Mempool(PARAMETERS).add(heavy).added


def test_accounts_take_turns_within_a_block_and_over_blocks() -> None:
    pool = Mempool(PARAMETERS)
    for number in range(5):
        pool.add(burn(1, number))
    pool.add(burn(2, 0))
    pool.add(burn(3, 0))
    small = msgspec.structs.replace(SPACE, transactions=2)
    assert owners(pool.take(SPACE, set())) == [1, 2, 3, 1, 1, 1, 1]
    first = pool.take(small, set())
    assert owners(first) == [1, 2]
    pool.remove([one.id for one in first])
    second = pool.take(small, set())
    assert owners(second) == [3, 1]


def test_what_an_ancestor_holds_is_passed_over() -> None:
    pool = Mempool(PARAMETERS)
    one, two = burn(1, 1), burn(1, 2)
    pool.add(one)
    pool.add(two)
    assert pool.take(SPACE, {one.id}) == [two]


@pytest.mark.parametrize(
    ("field", "left"),
    [("transactions", 1), ("bytes", 400), ("signatures", 1), ("cost", 150)],
)
def test_a_block_is_limited_in_every_dimension(field: str, left: int) -> None:
    pool = Mempool(PARAMETERS)
    for number in range(4):
        pool.add(burn(number, 0))
    taken = pool.take(msgspec.structs.replace(SPACE, **{field: left}), set())
    assert 1 <= len(taken) < 4


def test_time_decides_what_a_block_may_hold() -> None:
    pool = Mempool(PARAMETERS)
    past = burn(1, 1, valid_until_ms=START_MS)
    good = burn(2, 1, valid_until_ms=START_MS + 1)
    ahead = burn(3, 1, valid_until_ms=START_MS + PARAMETERS.tx_window_ms + 1)
    for one in (past, good, ahead):
        pool.add(one)
    assert pool.take(SPACE, set()) == [good]
    assert pool.expire(TimeMs(START_MS)) == [past.id]
    assert pool.expire(TimeMs(START_MS + 1)) == [good.id]
    assert len(pool) == 1


def test_the_oldest_are_told_first_and_at_least_one() -> None:
    pool = Mempool(PARAMETERS)
    made = [burn(number, 0) for number in range(3)]
    for one in made:
        pool.add(one)
    size = len(made[0].raw)
    assert pool.oldest(1) == [made[0].raw]
    assert pool.oldest(2 * size) == [made[0].raw, made[1].raw]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(1, 9)), max_size=60))
def test_the_pool_never_forgets_nor_invents(steps: list[tuple[int, int, int]]) -> None:
    pool = Mempool(PARAMETERS)
    held: dict[bytes, CheckedTransaction] = {}
    for number, (act, owner, minutes) in enumerate(steps):
        match act:
            case 0 | 1 | 2:
                one = burn(owner, number, valid_until_ms=START_MS + minutes * 10_000)
                assert pool.add(one).added
                held[one.id] = one
            case 3:
                time_ms = TimeMs(START_MS + minutes * 10_000)
                expected = {i for i, t in held.items() if t.body.valid_until_ms <= time_ms}
                assert set(pool.expire(time_ms)) == expected
                held = {i: t for i, t in held.items() if i not in expected}
            case _:
                taken = pool.take(SPACE, set())
                assert {one.id for one in taken} == held.keys()
                pool.remove([one.id for one in taken[:owner]])
                for one in taken[:owner]:
                    del held[one.id]
        assert len(pool) == len(held)
        assert pool.bytes == sum(len(one.raw) for one in held.values())
