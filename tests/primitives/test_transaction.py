"""Scenarios of transactions: what is signed, what names it, what is refused without state."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.codec import encode
from moyai.primitives.errors import CodecError, SignatureError, TransactionError
from moyai.primitives.ids import AccountId, TimeMs
from moyai.primitives.keys import SigningKey
from moyai.primitives.limits import TRANSACTION_BYTES_MAX, TRANSACTION_OPERATIONS_MAX
from moyai.primitives.operations_tokens import TransferToken
from moyai.primitives.transaction import (
    Body,
    Envelope,
    Scheme,
    Signer,
    TransactionExpiredError,
    TransactionTooFarAheadError,
    assemble,
    body_id,
    check_validity_time,
    open_envelope,
    opened_account,
    parse_transaction,
    signing_message,
    verify_signatures,
)

HANA, TARO = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)


def body(*keys: SigningKey, operations: int = 1, valid_until_ms: int = 60_000) -> Body:
    return Body(
        chain_id="kaga",
        account=AccountId(b"\x0a" * 20),
        signers=tuple(Signer(Scheme.ED25519, key.public) for key in keys),
        operations=(TransferToken("coin", AccountId(b"\x0b" * 20), 5),) * operations,
        valid_until_ms=TimeMs(valid_until_ms),
        nonce=b"12345678",
        memo=None,
    )


def sign(unsigned: Body, *keys: SigningKey, chain_id: str = "kaga") -> bytes:
    message = signing_message(chain_id, body_id(encode(unsigned)))
    return assemble(unsigned, tuple(key.sign(message) for key in keys))


def test_a_signed_transaction_is_parsed_and_its_signatures_hold() -> None:
    raw = sign(body(HANA, TARO), HANA, TARO)
    transaction = parse_transaction(raw)
    assert transaction.raw == raw
    assert transaction.id == body_id(transaction.body_bytes) == open_envelope(raw).id
    assert verify_signatures(transaction).id == transaction.id


def test_the_id_is_of_the_body_alone_and_the_body_names_the_signers() -> None:
    one = parse_transaction(sign(body(HANA), HANA))
    badly_signed = parse_transaction(sign(body(HANA), TARO))
    assert one.id == badly_signed.id
    assert parse_transaction(sign(body(HANA, TARO), HANA, TARO)).id != one.id


def test_the_signed_bytes_are_pinned() -> None:
    identifier = body_id(encode(body(HANA)))
    message = signing_message("kaga", identifier)
    assert message == b"moyai/transaction-signature/1\x00\x04kaga" + identifier


@pytest.mark.parametrize(
    "raw",
    [
        sign(body(HANA), TARO),
        sign(body(HANA), HANA, chain_id="komatsu"),
        sign(body(HANA, TARO), TARO, HANA),
    ],
    ids=["another key", "another chain", "another order"],
)
def test_a_signature_by_another_key_or_for_another_chain_is_refused(raw: bytes) -> None:
    with pytest.raises(SignatureError, match="bad signature of key"):
        verify_signatures(parse_transaction(raw))


def test_every_signer_signs_exactly_once() -> None:
    with pytest.raises(TransactionError, match="2 signers and carries 1"):
        parse_transaction(sign(body(HANA, TARO), HANA))
    with pytest.raises(TransactionError, match="one signer twice"):
        parse_transaction(sign(body(HANA, HANA), HANA, HANA))


def test_one_to_sixty_four_operations() -> None:
    many = TRANSACTION_OPERATIONS_MAX
    assert len(parse_transaction(sign(body(HANA, operations=many), HANA)).body.operations) == many
    for count in (0, many + 1):
        with pytest.raises(CodecError, match="transaction body"):
            parse_transaction(sign(body(HANA, operations=count), HANA))


def test_what_is_too_large_is_not_even_decoded() -> None:
    with pytest.raises(TransactionError, match=f"of the {TRANSACTION_BYTES_MAX} allowed"):
        parse_transaction(bytes(TRANSACTION_BYTES_MAX + 1))
    with pytest.raises(TransactionError, match=f"of the {TRANSACTION_BYTES_MAX} allowed"):
        open_envelope(bytes(TRANSACTION_BYTES_MAX + 1))


def test_an_unknown_operation_is_refused_by_its_number() -> None:
    fields = list(msgspec.msgpack.decode(encode(body(HANA))))
    fields[3] = [[19_999, b""]]
    raw = encode(Envelope(encode(fields), (bytes(64),)))
    with pytest.raises(CodecError, match="19999"):
        parse_transaction(raw)


@given(st.data())
def test_no_flipped_bit_parses_and_verifies_as_the_same_transaction(data: st.DataObject) -> None:
    raw = bytearray(sign(body(HANA), HANA))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises((CodecError, TransactionError)):
        verify_signatures(parse_transaction(bytes(raw)))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_typed_error(raw: bytes) -> None:
    with pytest.raises((CodecError, TransactionError)):
        verify_signatures(parse_transaction(raw))


def test_it_is_admissible_before_its_end_and_within_the_window() -> None:
    transaction = parse_transaction(sign(body(HANA, valid_until_ms=10_000), HANA))
    check_validity_time(transaction, block_time_ms=9_999, window_ms=5_000)
    check_validity_time(transaction, block_time_ms=5_000, window_ms=5_000)
    with pytest.raises(TransactionExpiredError, match="expired"):
        check_validity_time(transaction, block_time_ms=10_000, window_ms=5_000)
    with pytest.raises(TransactionTooFarAheadError, match="5000 ms"):
        check_validity_time(transaction, block_time_ms=4_999, window_ms=5_000)


def test_each_opening_operation_makes_another_account() -> None:
    identifier = body_id(b"x")
    accounts = {opened_account(identifier, index) for index in range(64)}
    assert len(accounts) == 64
    assert all(len(account) == 20 for account in accounts)
