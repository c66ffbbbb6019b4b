"""What a rule works with: the state, the time, who acts and who signed, and the events it says.

One context a transaction. Rules read top-down: check, change, say.
"""

import re

import msgspec

from moyai.ledger.accounts import read_account, signing_controllers
from moyai.ledger.canonical_json import is_normal_text
from moyai.ledger.codes import Code, Refusal
from moyai.ledger.identity import level_of
from moyai.ledger.state import Overlay
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, Height, TimeMs, format_account
from moyai.primitives.operations_accounts import ControllerRole
from moyai.primitives.operations_identity import Level
from moyai.primitives.receipt import Event, FieldValue
from moyai.primitives.state_values import Account
from moyai.primitives.transaction import CheckedTransaction

NAME_BYTES_MAX = 192
"""In UTF-8; with what stands around it, a name fits a state key."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class IndexChange(msgspec.Struct, frozen=True):
    """An entry of a secondary index that appears or disappears with this block.

    `index` names the index, `value` is encoded so that bytes sort as values do, `key` is the state
    key of the record.
    """

    index: bytes
    value: bytes
    key: bytes
    added: bool


class Context:
    """The surroundings of one transaction; `operation` is the index of the one being executed."""

    __slots__ = (
        "account",
        "account_id",
        "chain_id",
        "events",
        "height",
        "indexes",
        "operation",
        "overlay",
        "signers",
        "time_ms",
        "touched",
        "transaction_id",
    )

    def __init__(
        self, overlay: Overlay, transaction: CheckedTransaction, height: Height, time_ms: TimeMs
    ) -> None:
        body = transaction.body
        self.overlay = overlay
        self.height = height
        self.time_ms = time_ms
        self.transaction_id = transaction.id
        self.account_id = body.account
        self.chain_id = body.chain_id
        self.signers = body.signers
        self.operation = 0
        self.events: list[Event] = []
        self.indexes: list[IndexChange] = []
        self.touched: dict[AccountId, None] = {body.account: None}
        self.account = self.known_account(body.account)

    def known_account(self, account: AccountId) -> Account:
        """Return an account. Refuses one that does not exist."""
        found = read_account(self.overlay, account)
        if found is None:
            raise Refusal(Code.ACCOUNT_UNKNOWN, format_account(account))
        return found

    def require_weight(self, threshold: int, *, helpers: bool = False) -> None:
        """Refuse unless the signing owners (and helpers) of the acting account suffice."""
        if self.account.frozen:
            raise Refusal(Code.ACCOUNT_FROZEN, format_account(self.account_id))
        self.require_signatures(self.account_id, self.account, threshold, helpers=helpers)

    def require_signatures(
        self, account_id: AccountId, account: Account, threshold: int, *, helpers: bool = False
    ) -> None:
        """Refuse unless the signing owners (and helpers) of an account weigh enough."""
        weight = 0
        for controller in signing_controllers(account, self.signers, self.time_ms):
            if controller.role is ControllerRole.OWNER or (
                helpers and controller.role in (ControllerRole.HELPER, ControllerRole.DEVICE)
            ):
                weight += controller.weight
        if weight < threshold:
            raise Refusal(Code.SIGNATURES_INSUFFICIENT, format_account(account_id))

    def require_role(self, role: Role) -> None:
        """Refuse unless the acting account has `role`."""
        if role not in self.account.roles:
            raise Refusal(Code.ROLE_MISSING, role.name.lower())

    def require_level(self, account_id: AccountId, account: Account, level: Level) -> None:
        """Refuse unless an account has at least `level` now."""
        if level and level_of(self.overlay, account_id, account, self.time_ms) < level:
            raise Refusal(Code.LEVEL_TOO_LOW, format_account(account_id))

    def require_future(self, expires_ms: TimeMs) -> None:
        """Refuse an expiry that has passed."""
        if expires_ms <= self.time_ms:
            raise Refusal(Code.EXPIRY_PAST, str(expires_ms))

    def require_text(self, *texts: str) -> None:
        """Refuse text that is not in normal form C, or has control characters."""
        for text in texts:
            if not is_normal_text(text) or _CONTROL.search(text):
                raise Refusal(Code.TEXT_INVALID, "control or unnormalised characters")

    def require_name(self, name: str) -> None:
        """Refuse a name that cannot stand in a state key: no clean text, or too long."""
        self.require_text(name)
        if len(name.encode()) > NAME_BYTES_MAX:
            raise Refusal(Code.NAME_TOO_LONG, f"{name[:32]}…")

    def say(
        self, kind: str, accounts: tuple[AccountId, ...], *fields: tuple[str, FieldValue]
    ) -> None:
        """Add an event to the receipt; the accounts it names are touched."""
        for account in accounts:
            self.touched[account] = None
        self.events.append(Event(kind, accounts, fields))
