"""Scenarios of what every rule asks first: who signed, which role, which level, clean text."""

import pytest

from harness.ledger_city import CITY_HALL, OFFICER, STRANGER, UTILITY, LedgerCity
from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import NAME_BYTES_MAX, Context
from moyai.ledger.state import Overlay
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId
from moyai.primitives.operations_identity import Level
from moyai.primitives.operations_tokens import BurnToken


def context_of(city: LedgerCity, account: AccountId, *signers: bytes) -> Context:
    transaction = city.transaction(account, (BurnToken("coin", 1),), signers)
    return Context(Overlay(city.state, city.height), transaction, city.height, city.time_ms)


def test_signatures_of_owners_reach_the_threshold_or_not(city: LedgerCity) -> None:
    context_of(city, CITY_HALL, STRANGER, OFFICER).require_weight(1)
    for signer, weight in ((STRANGER, 1), (OFFICER, 2)):
        with pytest.raises(Refusal) as refused:
            context_of(city, CITY_HALL, signer).require_weight(weight)
        assert refused.value.code is Code.SIGNATURES_INSUFFICIENT


def test_roles_and_levels_are_those_of_the_state(city: LedgerCity) -> None:
    context = context_of(city, UTILITY, STRANGER)
    context.require_role(Role.SPONSOR)
    context.require_level(UTILITY, context.account, Level.RESIDENT)
    with pytest.raises(Refusal) as refused:
        context.require_role(Role.ISSUER)
    assert (refused.value.code, refused.value.subject) == (Code.ROLE_MISSING, "issuer")


@pytest.mark.parametrize("text", ["a\x00", "a\x1f", "\x7f", "\x9f", "か\u3099"])
def test_unclean_text_is_refused(city: LedgerCity, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        context_of(city, UTILITY, STRANGER).require_name(text)
    assert refused.value.code is Code.TEXT_INVALID


def test_names_are_bounded_in_bytes(city: LedgerCity) -> None:
    context = context_of(city, UTILITY, STRANGER)
    context.require_name("x" * NAME_BYTES_MAX)
    with pytest.raises(Refusal) as refused:
        context.require_name("雪" * (NAME_BYTES_MAX // 3 + 1))
    assert refused.value.code is Code.NAME_TOO_LONG


def test_an_event_touches_the_accounts_it_names_in_order(city: LedgerCity) -> None:
    context = context_of(city, UTILITY, STRANGER)
    context.say("token.minted", (CITY_HALL, UTILITY), ("amount", 1))
    assert list(context.touched) == [UTILITY, CITY_HALL]
    assert context.events[0].fields == (("amount", 1),)
