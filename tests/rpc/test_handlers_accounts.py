"""Accounts, levels, tokens and what touched an account, as an application reads them."""

import pytest

from harness.proven_city import ACCOUNTS, seed
from harness.rpc_city import RpcCity
from moyai.primitives.ids import AccountId, Digest, TimeMs, format_account
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations_accounts import (
    AccountKind,
    Controller,
    ControllerRole,
    OpenAccount,
    Thresholds,
)
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.operations_identity import BindIdentity, Level, ProgrammeNullifier
from moyai.primitives.operations_tokens import (
    CreateTokenClass,
    MintToken,
    TokenPolicy,
    TransferToken,
)
from moyai.primitives.transaction import Scheme, opened_account, parse_transaction

HALL = format_account(ACCOUNTS["city-hall"])
HANAKO = SigningKey(seed("hanako"))
FREE = TokenPolicy(Level.GUEST, Level.GUEST, Level.GUEST, 2**60, transferable=True)


def open_account(city: RpcCity) -> AccountId:
    """Open an account of one key."""
    owner = Controller(Scheme.ED25519, HANAKO.public, ControllerRole.OWNER, 1, None)
    raw = city.sign(OpenAccount(AccountKind.PERSON, (owner,), Thresholds(1, 1, 1)))
    city.commit(raw)
    return opened_account(parse_transaction(raw).id, 0)


async def test_an_account_shows_its_controllers_and_level(city: RpcCity) -> None:
    hanako = format_account(open_account(city))
    shown = await city.call("account_get", account=hanako)
    assert shown["kind"] == "person"
    assert shown["level"] == "guest"
    assert shown["sponsor"] == HALL
    assert shown["controllers"] == [
        {
            "scheme": 1,
            "public_key": HANAKO.public.hex(),
            "role": "owner",
            "weight": 1,
            "expires": None,
        }
    ]
    assert shown["frozen"] is False
    assert shown["height"] == 1
    member = await city.call("account_get", account=HALL)
    assert member["member"] is True
    assert "registrar" in member["roles"]


async def test_a_level_lapses_with_the_time_of_the_blocks(city: RpcCity) -> None:
    hanako = open_account(city)
    expires = TimeMs(city.city.tip.time_ms + 5_000)
    nullifiers = (ProgrammeNullifier("snow", Digest(b"\x05" * 32)),)
    binding = BindIdentity(hanako, Level.E_RESIDENT, expires, nullifiers, "xn7")
    city.commit(city.sign(binding))
    text = format_account(hanako)
    bound = await city.call("identity_get", account=text)
    assert bound["level"] == bound["bound_level"] == "e_resident"
    assert bound["standing"] == "active"
    assert bound["registrar"] == HALL
    assert bound["programmes"] == ["snow"]
    assert "05" * 32 not in str(bound)
    for _ in range(5):
        city.commit()
    lapsed = await city.call("identity_get", account=text)
    assert (lapsed["level"], lapsed["bound_level"]) == ("guest", "e_resident")


async def test_who_was_never_bound_is_a_guest(city: RpcCity) -> None:
    hanako = format_account(open_account(city))
    assert await city.call("identity_get", account=hanako) == {
        "height": 1,
        "account": hanako,
        "level": "guest",
    }


async def test_amounts_are_decimal_texts_beyond_what_json_numbers_hold(city: RpcCity) -> None:
    hanako = open_account(city)
    city.commit(city.sign(CreateTokenClass("coin", "コイン", "coin", FREE, ())))
    city.commit(city.sign(MintToken("coin", ACCOUNTS["city-hall"], 2**60 - 1)))
    city.commit(city.sign(TransferToken("coin", hanako, 2**58)))
    shown = await city.call("token_get", token="coin")
    assert shown["supply"] == str(2**60 - 1)
    assert shown["details"]["policy"]["cap"] == str(2**60)
    assert shown["details"]["title_ja"] == "コイン"
    holds = await city.call("token_balance", token="coin", account=format_account(hanako))
    assert holds["balance"] == str(2**58)
    none = await city.call(
        "token_balance", token="coin", account=format_account(ACCOUNTS["hospital"])
    )
    assert none["balance"] == "0"


async def test_the_history_of_an_account_comes_newest_first_in_pages(city: RpcCity) -> None:
    for number in range(5):
        city.commit(city.sign(RegisterDocument(f"paper/{number}", Digest(bytes(32)), 1)))
    seen = []
    cursor: dict[str, str] = {}
    for expected in (2, 2, 1):
        page = await city.call("account_history", account=HALL, limit=2, **cursor)
        assert len(page["transactions"]) == expected
        seen += page["transactions"]
        cursor = {"cursor": page["cursor"]} if "cursor" in page else {}
    assert not cursor
    assert [one["height"] for one in seen] == [5, 4, 3, 2, 1]
    assert seen[0]["operations"] == ["register_document"]
    assert seen[0]["code"] == 0


async def test_a_cursor_of_another_account_is_refused(city: RpcCity) -> None:
    for number in range(2):
        city.commit(city.sign(RegisterDocument(f"paper/{number}", Digest(bytes(32)), 1)))
    page = await city.call("account_history", account=HALL, limit=1)
    other = format_account(ACCOUNTS["hospital"])
    refusal = await city.refusal("account_history", account=other, cursor=page["cursor"])
    assert refusal["code"] == "bad_cursor"


@pytest.mark.parametrize("method", ["account_get", "identity_get", "account_history"])
async def test_an_account_that_was_never_opened_is_not_found(city: RpcCity, method: str) -> None:
    nobody = format_account(AccountId(bytes(20)))
    assert (await city.refusal(method, account=nobody))["code"] == "not_found"


async def test_a_typing_error_in_an_address_is_caught(city: RpcCity) -> None:
    wrong = HALL[:-1] + ("q" if HALL[-1] != "q" else "p")
    refusal = await city.refusal("account_get", account=wrong)
    assert refusal["code"] == "invalid_params"
    assert wrong in refusal["what"]


async def test_a_token_class_that_is_not_there_is_not_found(city: RpcCity) -> None:
    assert (await city.refusal("token_get", token="coin"))["code"] == "not_found"
    refusal = await city.refusal("token_balance", token="coin", account=HALL)
    assert refusal["code"] == "not_found"
