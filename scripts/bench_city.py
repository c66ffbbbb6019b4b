"""What the load needs before it starts: a thousand open accounts with coin, made as a city would.

Speaks plain JSON-RPC, as a bulk client in any language would. Not here: the load (`bench_load`).
"""

import base64
import json
import secrets
import time
import urllib.request
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from moyai.primitives.codec import encode
from moyai.primitives.ids import DIGEST_BYTES, AccountId, Digest, TimeMs, TransactionId
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations import Operation
from moyai.primitives.operations_accounts import (
    AccountKind,
    Controller,
    ControllerRole,
    OpenAccount,
    Thresholds,
)
from moyai.primitives.operations_identity import Level
from moyai.primitives.operations_tokens import CreateTokenClass, MintToken, TokenPolicy
from moyai.primitives.transaction import (
    Body,
    Scheme,
    Signer,
    assemble,
    body_id,
    opened_account,
    signing_message,
)

COIN = "coin"
COINS_EACH = 1_000_000
OPERATIONS_A_TRANSACTION = 50
BATCH_MAX = 50
VALID_FOR_MS = 60_000
FINAL_SECONDS_MAX = 60.0


class Party(NamedTuple):
    """An account and the key that acts for it."""

    account: AccountId
    key: SigningKey


class BenchError(Exception):
    """The load cannot be made; the text says why."""


def now_ms() -> int:
    """Return the time of the wall clock."""
    return time.time_ns() // 1_000_000


def sign(
    chain_id: str, party: Party, operations: Sequence[Operation], valid_until_ms: int
) -> tuple[TransactionId, bytes]:
    """Return id and bytes of a signed transaction with a memo, as an application would send it."""
    body = Body(
        chain_id=chain_id,
        account=party.account,
        signers=(Signer(Scheme.ED25519, party.key.public),),
        operations=tuple(operations),
        valid_until_ms=TimeMs(valid_until_ms),
        nonce=secrets.token_bytes(8),
        memo=Digest(secrets.token_bytes(DIGEST_BYTES)),
    )
    transaction_id = body_id(encode(body))
    return transaction_id, assemble(
        body, (party.key.sign(signing_message(chain_id, transaction_id)),)
    )


def request_body(raws: Sequence[bytes]) -> bytes:
    """Return the JSON-RPC batch that submits these transactions."""
    calls = [
        {
            "jsonrpc": "2.0",
            "id": place,
            "method": "tx_submit",
            "params": {"transaction": base64.b64encode(raw).decode()},
        }
        for place, raw in enumerate(raws)
    ]
    return json.dumps(calls, separators=(",", ":")).encode()


def call(url: str, method: str, **params: Any) -> Any:
    """Make one JSON-RPC call and return its result."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = post(url, json.dumps(request).encode())
    if "error" in answer:
        raise BenchError(f"{method}: {answer['error']}")
    return answer["result"]


def post(url: str, body: bytes) -> Any:
    """Send one request body and return the decoded answer."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def open_accounts(url: str, chain_id: str, sponsor: Party, count: int) -> list[Party]:
    """Open `count` accounts and give each its coins; several operations a transaction."""
    keys = [SigningKey(sha256(b"bench %d" % number).digest()) for number in range(count)]
    submit_all(url, chain_id, sponsor, [[_coin_class(sponsor.account)]])
    opening = [_open(key) for key in keys]
    groups = [
        opening[first : first + OPERATIONS_A_TRANSACTION]
        for first in range(0, count, OPERATIONS_A_TRANSACTION)
    ]
    ids = submit_all(url, chain_id, sponsor, groups)
    accounts = [
        opened_account(transaction_id, place)
        for transaction_id, group in zip(ids, groups, strict=True)
        for place in range(len(group))
    ]
    minting = [MintToken(COIN, account, COINS_EACH) for account in accounts]
    submit_all(
        url,
        chain_id,
        sponsor,
        [
            minting[first : first + OPERATIONS_A_TRANSACTION]
            for first in range(0, count, OPERATIONS_A_TRANSACTION)
        ],
    )
    return [Party(account, key) for account, key in zip(accounts, keys, strict=True)]


def submit_all(
    url: str, chain_id: str, party: Party, groups: Sequence[Sequence[Operation]]
) -> list[TransactionId]:
    """Submit one transaction a group and wait until each is final and went well."""
    until = now_ms() + VALID_FOR_MS
    signed = [sign(chain_id, party, group, until) for group in groups]
    for first in range(0, len(signed), BATCH_MAX):
        answers = post(url, request_body([raw for _, raw in signed[first : first + BATCH_MAX]]))
        for answer in answers:
            if "error" in answer:
                raise BenchError(f"setting up: {answer['error']}")
    for transaction_id, _ in signed:
        result = call(url, "tx_wait", id=transaction_id.hex(), timeout_ms=9_000)
        if result["status"] != "final":
            raise BenchError(f"setting up: {result}")
    return [transaction_id for transaction_id, _ in signed]


def _coin_class(issuer: AccountId) -> CreateTokenClass:
    guest = Level.GUEST
    policy = TokenPolicy(guest, guest, guest, 2**62, transferable=True)
    return CreateTokenClass(COIN, "コイン", "Coin", policy, (issuer,))


def _open(key: SigningKey) -> OpenAccount:
    owner = Controller(Scheme.ED25519, key.public, ControllerRole.OWNER, 1, None)
    return OpenAccount(AccountKind.PERSON, (owner,), Thresholds(1, 1, 1))
