"""The table of operations: rule, cost to a block, who may, how private and how lasting.

`apply` dispatches by it; an operation without a row cannot be executed.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

import msgspec

from moyai.ledger import (
    rules_accounts,
    rules_documents,
    rules_identity,
    rules_records,
    rules_tokens,
)
from moyai.ledger.context import Context
from moyai.primitives import (
    operations_accounts,
    operations_documents,
    operations_identity,
    operations_records,
    operations_tokens,
)
from moyai.primitives.operations import Operation


class Privacy(IntEnum):
    """What an operation may carry: nothing about persons, or a pseudonym alone."""

    PUBLIC = 1
    PSEUDONYM = 2


class Retention(IntEnum):
    """How long its trace is needed: as evidence for ever, or as long as history is kept."""

    EVIDENCE = 1
    HISTORY = 2


class Action(NamedTuple):
    """One row: the rule, its cost in units of a transfer, who may, privacy, retention."""

    rule: Callable[[Context, Any], None]
    cost: int
    who: str
    privacy: Privacy
    retention: Retention


_Rows: TypeAlias = dict[type[msgspec.Struct], Action]

_ACCOUNTS: _Rows = {
    operations_accounts.OpenAccount: Action(
        rules_accounts.open_account, 4, "a sponsor", Privacy.PSEUDONYM, Retention.EVIDENCE
    ),
    operations_accounts.AddController: Action(
        rules_accounts.add_controller, 3, "the owners", Privacy.PSEUDONYM, Retention.EVIDENCE
    ),
    operations_accounts.RemoveController: Action(
        rules_accounts.remove_controller, 2, "the owners", Privacy.PSEUDONYM, Retention.EVIDENCE
    ),
    operations_accounts.RotateController: Action(
        rules_accounts.rotate_controller, 3, "the owners", Privacy.PSEUDONYM, Retention.EVIDENCE
    ),
    operations_accounts.FreezeAccount: Action(
        rules_accounts.freeze_account,
        2,
        "any controller, or a registrar",
        Privacy.PSEUDONYM,
        Retention.EVIDENCE,
    ),
    operations_accounts.ThawAccount: Action(
        rules_accounts.thaw_account,
        2,
        "the owners, or a registrar",
        Privacy.PSEUDONYM,
        Retention.EVIDENCE,
    ),
}
_IDENTITY: _Rows = {
    operations_identity.BindIdentity: Action(
        rules_identity.bind_identity,
        4,
        "a registrar; two officers for levels 3 and 4",
        Privacy.PSEUDONYM,
        Retention.EVIDENCE,
    ),
    operations_identity.RenewIdentity: Action(
        rules_identity.renew_identity,
        2,
        "the registrar that bound it",
        Privacy.PSEUDONYM,
        Retention.EVIDENCE,
    ),
    operations_identity.SuspendIdentity: Action(
        rules_identity.suspend_identity,
        2,
        "the registrar that bound it",
        Privacy.PSEUDONYM,
        Retention.EVIDENCE,
    ),
    operations_identity.RevokeIdentity: Action(
        rules_identity.revoke_identity,
        2,
        "the registrar that bound it",
        Privacy.PSEUDONYM,
        Retention.EVIDENCE,
    ),
}
_TOKENS: _Rows = {
    operations_tokens.CreateTokenClass: Action(
        rules_tokens.create_token_class, 2, "an issuer", Privacy.PUBLIC, Retention.EVIDENCE
    ),
    operations_tokens.MintToken: Action(
        rules_tokens.mint_token,
        1,
        "the creator and the minters of the class",
        Privacy.PSEUDONYM,
        Retention.HISTORY,
    ),
    operations_tokens.TransferToken: Action(
        rules_tokens.transfer_token, 1, "the holder", Privacy.PSEUDONYM, Retention.HISTORY
    ),
    operations_tokens.BurnToken: Action(
        rules_tokens.burn_token, 1, "the holder", Privacy.PSEUDONYM, Retention.HISTORY
    ),
}
_RECORDS: _Rows = {
    operations_records.CreateCollection: Action(
        rules_records.create_collection,
        4,
        "an account with the records role",
        Privacy.PUBLIC,
        Retention.EVIDENCE,
    ),
    operations_records.PutRecord: Action(
        rules_records.put_record,
        2,
        "the writers of the collection",
        Privacy.PSEUDONYM,
        Retention.HISTORY,
    ),
    operations_records.ExpectRecord: Action(
        rules_records.expect_record, 1, "anyone", Privacy.PUBLIC, Retention.HISTORY
    ),
}
_DOCUMENTS: _Rows = {
    operations_documents.RegisterDocument: Action(
        rules_documents.register_document, 2, "any account", Privacy.PUBLIC, Retention.EVIDENCE
    ),
    operations_documents.ReplaceDocument: Action(
        rules_documents.replace_document,
        2,
        "the owner of the series",
        Privacy.PUBLIC,
        Retention.EVIDENCE,
    ),
    operations_documents.RevokeDocument: Action(
        rules_documents.revoke_document,
        2,
        "the owner of the series",
        Privacy.PUBLIC,
        Retention.EVIDENCE,
    ),
}
ACTIONS: _Rows = {
    **_ACCOUNTS,
    **_IDENTITY,
    **_TOKENS,
    **_RECORDS,
    **_DOCUMENTS,
}


def cost_of(operations: tuple[Operation, ...]) -> int:
    """Return what a transaction's operations cost a block, in units of a transfer."""
    return sum(ACTIONS[type(operation)].cost for operation in operations)
