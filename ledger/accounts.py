"""Accounts read from the state, and who has signed for them.

Not here: the operations on accounts (`rules_accounts`).
"""

from functools import lru_cache

import msgspec

from moyai.ledger.state import ValueReader
from moyai.primitives.ids import AccountId, TimeMs
from moyai.primitives.operations_accounts import Controller, ControllerRole, Thresholds
from moyai.primitives.state_keys import account_key
from moyai.primitives.state_values import Account
from moyai.primitives.transaction import Signer

CONTROLLERS_MAX = 16
ACCOUNTS_REMEMBERED_MAX = 16_384

_decoder = msgspec.msgpack.Decoder(Account)


@lru_cache(maxsize=ACCOUNTS_REMEMBERED_MAX)
def decode_account(value: bytes) -> Account:
    """Return the account that a state value holds; the same bytes decode once."""
    return _decoder.decode(value)


def read_account(reader: ValueReader, account: AccountId) -> Account | None:
    """Return an account, or none when it was never opened."""
    value = reader.value(account_key(account))
    return None if value is None else decode_account(value)


def is_current(controller: Controller, time_ms: TimeMs) -> bool:
    """Return whether a controller has not expired at `time_ms`."""
    return controller.expires_ms is None or time_ms < controller.expires_ms


def signing_controllers(
    account: Account, signers: tuple[Signer, ...], time_ms: TimeMs
) -> list[Controller]:
    """Return the unexpired controllers of an account that are among the signers."""
    found = []
    for signer in signers:
        key, scheme = signer.public_key, signer.scheme
        for controller in account.controllers:
            if (
                controller.public_key == key
                and controller.scheme == scheme
                and is_current(controller, time_ms)
            ):
                found.append(controller)  # noqa: PERF401 - run for every transaction, twice
    return found


def owners_weight(controllers: tuple[Controller, ...]) -> int:
    """Return what the owners that never expire weigh together."""
    return sum(
        controller.weight
        for controller in controllers
        if controller.role is ControllerRole.OWNER and controller.expires_ms is None
    )


def thresholds_reachable(controllers: tuple[Controller, ...], thresholds: Thresholds) -> bool:
    """Return whether owners alone, without expiring keys, can always act for the account."""
    highest = max(thresholds.ordinary, thresholds.value, thresholds.control)
    return owners_weight(controllers) >= highest
