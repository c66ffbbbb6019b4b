"""Scenarios of tokens: who mints, holds and sends by the policy of the class; supply conserved."""

import msgspec
import pytest

from harness.ledger_city import (
    CITY_HALL,
    DAY_MS,
    FREE_POLICY,
    NOBODY,
    OFFICER,
    UTILITY,
    UTILITY_KEY,
    LedgerCity,
    key,
    owner,
)
from moyai.ledger.codes import Code
from moyai.ledger.tokens import read_balance, read_supply
from moyai.primitives.ids import AccountId, TimeMs
from moyai.primitives.operations_identity import Level
from moyai.primitives.operations_tokens import (
    BurnToken,
    CreateTokenClass,
    MintToken,
    TransferToken,
)

ALICE, BOB = key(21), key(22)


def balances(city: LedgerCity, *accounts: AccountId) -> list[int]:
    return [read_balance(city.state, "coin", account) for account in accounts]


def test_coin_is_minted_passed_on_and_burnt(city: LedgerCity) -> None:
    alice, bob = city.open(owner(ALICE)), city.open(owner(BOB))
    city.mint("coin", FREE_POLICY, (alice, 100))
    receipt = city.must(alice, TransferToken("coin", bob, 30), by=(ALICE,))
    assert receipt.events[0].kind == "token.transferred"
    assert receipt.events[0].accounts == (alice, bob)
    assert receipt.events[0].fields == (("token", "coin"), ("amount", 30))
    city.must(bob, BurnToken("coin", 10), by=(BOB,))
    assert balances(city, alice, bob) == [70, 20]
    assert read_supply(city.state, "coin") == 90
    assert city.outcome is not None
    assert city.outcome.touched == ((bob,),)


def test_nobody_gives_more_than_he_has(city: LedgerCity) -> None:
    alice, bob = city.open(owner(ALICE)), city.open(owner(BOB))
    city.mint("coin", FREE_POLICY, (alice, 5))
    assert city.code(alice, TransferToken("coin", bob, 6), by=(ALICE,)) is Code.BALANCE_TOO_LOW
    assert city.code(alice, BurnToken("coin", 6), by=(ALICE,)) is Code.BALANCE_TOO_LOW
    assert city.code(alice, TransferToken("coin", alice, 1), by=(ALICE,)) is Code.SELF_TRANSFER
    assert city.code(alice, TransferToken("coin", NOBODY, 1), by=(ALICE,)) is Code.ACCOUNT_UNKNOWN
    assert city.code(alice, TransferToken("gold", bob, 1), by=(ALICE,)) is Code.TOKEN_UNKNOWN
    assert city.code(bob, TransferToken("coin", alice, 1), by=(ALICE,)) is (
        Code.SIGNATURES_INSUFFICIENT
    )


def test_the_cap_bounds_the_supply(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    city.mint("coin", msgspec.structs.replace(FREE_POLICY, cap=10), (alice, 7))
    mint = MintToken("coin", alice, 4)
    assert city.code(CITY_HALL, mint, by=(OFFICER,)) is Code.CAP_EXCEEDED
    city.must(alice, BurnToken("coin", 1), by=(ALICE,))
    city.must(CITY_HALL, mint, by=(OFFICER,))
    assert read_supply(city.state, "coin") == 10


def test_only_the_creator_and_named_minters_mint(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    city.must(
        CITY_HALL,
        CreateTokenClass("bus", "バス券", "bus ticket", FREE_POLICY, (UTILITY,)),
        by=(OFFICER,),
    )
    city.must(UTILITY, MintToken("bus", alice, 1), by=(UTILITY_KEY,))
    assert city.code(alice, MintToken("bus", alice, 1), by=(ALICE,)) is Code.NOT_A_MINTER


def test_a_class_that_stays_with_its_holder(city: LedgerCity) -> None:
    alice, bob = city.open(owner(ALICE)), city.open(owner(BOB))
    city.mint("thanks", msgspec.structs.replace(FREE_POLICY, transferable=False), (alice, 1))
    give = TransferToken("thanks", bob, 1)
    assert city.code(alice, give, by=(ALICE,)) is Code.NOT_TRANSFERABLE


def test_classes_are_made_by_issuers_under_new_names(city: LedgerCity) -> None:
    creation = CreateTokenClass("coin", "コイン", "coin", FREE_POLICY, ())
    assert city.code(UTILITY, creation, by=(UTILITY_KEY,)) is Code.ROLE_MISSING
    unknown = msgspec.structs.replace(creation, minters=(NOBODY,))
    assert city.code(CITY_HALL, unknown, by=(OFFICER,)) is Code.ACCOUNT_UNKNOWN
    unclean = msgspec.structs.replace(creation, title_ja="か\u3099")
    assert city.code(CITY_HALL, unclean, by=(OFFICER,)) is Code.TEXT_INVALID
    city.must(CITY_HALL, creation, by=(OFFICER,))
    assert city.code(CITY_HALL, creation, by=(OFFICER,)) is Code.TOKEN_EXISTS


@pytest.mark.parametrize("level", list(Level))
def test_holding_sending_and_minting_ask_for_their_level(city: LedgerCity, level: Level) -> None:
    alice, bob = city.open(owner(ALICE), level=level), city.open(owner(BOB))
    rich = city.open(owner(key(23)), level=Level.RESIDENT)
    policy = msgspec.structs.replace(
        FREE_POLICY, hold_level=Level.FRIEND, send_level=Level.E_RESIDENT_PREMIUM
    )
    city.mint("coin", policy, (rich, 100))
    received = city.code(rich, TransferToken("coin", alice, 10), by=(key(23),))
    assert received is (Code.OK if level >= Level.FRIEND else Code.LEVEL_TOO_LOW)
    city.bind(bob, Level.FRIEND)
    if level >= Level.FRIEND:
        sent = city.code(alice, TransferToken("coin", bob, 10), by=(ALICE,))
        assert sent is (Code.OK if level >= Level.E_RESIDENT_PREMIUM else Code.LEVEL_TOO_LOW)


def test_a_minter_needs_the_mint_level_and_a_receiver_the_hold_level(city: LedgerCity) -> None:
    alice = city.open(owner(ALICE))
    policy = msgspec.structs.replace(
        FREE_POLICY, mint_level=Level.E_RESIDENT, hold_level=Level.FRIEND
    )
    city.must(CITY_HALL, CreateTokenClass("coin", "c", "c", policy, (alice,)), by=(OFFICER,))
    mint = MintToken("coin", alice, 1)
    assert city.code(alice, mint, by=(ALICE,)) is Code.LEVEL_TOO_LOW
    assert city.code(CITY_HALL, mint, by=(OFFICER,)) is Code.LEVEL_TOO_LOW
    city.bind(alice, Level.E_RESIDENT)
    city.must(alice, mint, by=(ALICE,))


def test_a_level_that_lapsed_no_longer_counts(city: LedgerCity) -> None:
    alice, bob = city.open(owner(ALICE)), city.open(owner(BOB), level=Level.FRIEND)
    city.bind(alice, Level.E_RESIDENT, days=1)
    policy = msgspec.structs.replace(FREE_POLICY, send_level=Level.E_RESIDENT)
    city.mint("coin", policy, (alice, 2))
    give = TransferToken("coin", bob, 1)
    city.must(alice, give, by=(ALICE,))
    city.time_ms = TimeMs(city.time_ms + DAY_MS)
    assert city.code(alice, give, by=(ALICE,)) is Code.LEVEL_TOO_LOW
