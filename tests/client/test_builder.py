"""Scenarios for drafts: built here, signed there, put together once every signature is there."""

import msgspec
import pytest

from harness.proven_city import ACCOUNTS, OFFICER_KEYS, OFFICERS
from moyai.client import Draft, KeySigner, draft_transaction, transaction_id
from moyai.client.builder import Terms, sign_draft
from moyai.client.errors import SettingsError
from moyai.primitives.errors import CodecError, IdentifierError, SignatureError
from moyai.primitives.ids import format_account
from moyai.primitives.operations import TransferToken
from moyai.primitives.transaction import parse_transaction

TERMS = Terms(chain_id="test-city", valid_until_ms=1_000, nonce=bytes(8))
TRANSFER = TransferToken("coin", ACCOUNTS["utility"], 5)
HALL, CLINIC = OFFICERS["city-hall"], OFFICERS["hospital"]


def draft(*signers: KeySigner) -> Draft:
    names = [signer.name for signer in signers]
    return draft_transaction([TRANSFER], account=ACCOUNTS["utility"], signers=names, terms=TERMS)


async def test_signers_on_machines_without_a_network() -> None:
    carried = draft(HALL, CLINIC).to_bytes()
    signatures = {}
    for signer in (CLINIC, HALL):
        there = Draft.from_bytes(carried)
        assert there.body.operations == (TRANSFER,)
        signatures[signer.name.public_key] = await there.signature_by(signer)
    raw = Draft.from_bytes(carried).assemble(signatures)
    assert transaction_id(raw) == Draft.from_bytes(carried).id
    assert parse_transaction(raw).body.signers == (HALL.name, CLINIC.name)


async def test_signatures_do_not_change_the_id() -> None:
    assert transaction_id(await sign_draft(draft(HALL), [HALL])) == draft(HALL).id


async def test_a_missing_signature_is_named() -> None:
    with pytest.raises(SettingsError, match=CLINIC.name.public_key.hex()):
        await sign_draft(draft(HALL, CLINIC), [HALL])


async def test_a_key_that_is_not_named_does_not_sign() -> None:
    with pytest.raises(SettingsError):
        await draft(HALL).signature_by(CLINIC)


def test_a_wrong_signature_is_found_before_it_is_sent() -> None:
    made = draft(HALL)
    wrong = OFFICER_KEYS["hospital"].sign(made.message)
    with pytest.raises(SignatureError):
        made.assemble({HALL.name.public_key: wrong})


def test_addresses_are_checked() -> None:
    address = format_account(ACCOUNTS["utility"])
    names = [HALL.name]
    good = draft_transaction([TRANSFER], account=address, signers=names, terms=TERMS)
    assert good.body.account == ACCOUNTS["utility"]
    with pytest.raises(IdentifierError):
        draft_transaction([TRANSFER], account=address[:-1] + "q", signers=names, terms=TERMS)


def test_nothing_to_do_or_nobody_to_sign() -> None:
    for operations, names in (([], [HALL.name]), ([TRANSFER], [])):
        with pytest.raises(SettingsError):
            draft_transaction(operations, account=ACCOUNTS["utility"], signers=names, terms=TERMS)


def test_values_out_of_bounds_are_found_here() -> None:
    with pytest.raises(CodecError):
        draft_transaction(
            [msgspec.structs.replace(TRANSFER, amount=-1)],
            account=ACCOUNTS["utility"],
            signers=[HALL.name],
            terms=TERMS,
        )
