"""The accounts that the load acts with: each opened, given coins, and allowed to write records.

Not here: what they do with it (`load`).
"""

import asyncio
import base64
import random
import secrets
import time
from hashlib import sha256

import msgspec

from harness.chaos.calls import Calls
from harness.chaos.city import CHAIN_ID, ChaosCity, ChaosError
from moyai.node.key_file import KeyKind, load_signing_key
from moyai.primitives.codec import encode
from moyai.primitives.ids import AccountId, TimeMs, TransactionId
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
from moyai.primitives.operations_records import CreateCollection, Writers
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
LOTS = "lots"
COINS_EACH = 1_000
PEOPLE = 48
VALID_SECONDS = 10.0
SCHEMA = b'{"additionalProperties":false,"properties":{"n":{"type":"integer"}},"type":"object"}'


class Person(msgspec.Struct, frozen=True):
    """An account and its key."""

    account: AccountId
    key: SigningKey

    def sign(
        self, operations: tuple[Operation, ...], valid_until: float
    ) -> tuple[TransactionId, str]:
        """Return id and base64 of a transaction that is valid until a time of the wall clock."""
        body = Body(
            chain_id=CHAIN_ID,
            account=self.account,
            signers=(Signer(Scheme.ED25519, self.key.public),),
            operations=operations,
            valid_until_ms=TimeMs(int(valid_until * 1000)),
            nonce=secrets.token_bytes(8),
            memo=None,
        )
        named = body_id(encode(body))
        raw = assemble(body, (self.key.sign(signing_message(CHAIN_ID, named)),))
        return named, base64.b64encode(raw).decode()


async def settle(city: ChaosCity, calls: Calls, chance: random.Random) -> list[Person]:
    """Let city hall open the accounts, mint their coins and make the collection."""
    hall = Person(
        city.city.nodes[0].account,
        load_signing_key(city.city.nodes[0].officer_files[0], KeyKind.ACCOUNT),
    )
    guest = Level.GUEST
    policy = TokenPolicy(guest, guest, guest, 2**62, transferable=True)
    keys = [SigningKey(sha256(b"%d" % chance.getrandbits(64)).digest()) for _ in range(PEOPLE)]
    opening = await _final(city, calls, hall, tuple(_open(key) for key in keys))
    people = [Person(opened_account(opening, place), key) for place, key in enumerate(keys)]
    await _final(
        city,
        calls,
        hall,
        (
            CreateTokenClass(COIN, "c", "c", policy, (hall.account,)),
            CreateCollection(LOTS, "l", "l", SCHEMA, (), Writers((), (), guest)),
        ),
    )
    await _final(
        city,
        calls,
        hall,
        tuple(MintToken(COIN, person.account, COINS_EACH) for person in people),
    )
    return people


def _open(key: SigningKey) -> OpenAccount:
    owner = Controller(Scheme.ED25519, key.public, ControllerRole.OWNER, 1, None)
    return OpenAccount(AccountKind.PERSON, (owner,), Thresholds(1, 1, 1))


async def _final(
    city: ChaosCity, calls: Calls, hall: Person, operations: tuple[Operation, ...]
) -> TransactionId:
    wall = time.time_ns() / 1e9
    named, raw = hall.sign(operations, wall + VALID_SECONDS)
    first = city.nodes[0]
    await calls.call(first, "tx_submit", transaction=raw)
    for _ in range(1_000):
        told = await calls.call(first, "tx_status", id=named.hex())
        if told["status"] == "final":
            return named
        if told["status"] != "pending":
            raise ChaosError(f"was not made: {told}", what="the accounts of the load")
        await asyncio.sleep(0.02)
    raise ChaosError("not final in time", what="the accounts of the load")
