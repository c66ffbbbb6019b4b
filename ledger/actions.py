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
    rules_evidence,
    rules_governance,
    rules_identity,
    rules_records,
    rules_tokens,
)
from moyai.ledger.context import Context
from moyai.primitives.operations_accounts import (
    AddController,
    FreezeAccount,
    OpenAccount,
    RemoveController,
    RotateController,
    ThawAccount,
)
from moyai.primitives.operations_documents import (
    RegisterDocument,
    ReplaceDocument,
    RevokeDocument,
)
from moyai.primitives.operations_evidence import SubmitEvidence
from moyai.primitives.operations_governance import ApproveChange, MembersReady, ProposeChange
from moyai.primitives.operations_identity import (
    BindIdentity,
    RenewIdentity,
    RevokeIdentity,
    SuspendIdentity,
)
from moyai.primitives.operations_records import CreateCollection, ExpectRecord, PutRecord
from moyai.primitives.operations_tokens import (
    BurnToken,
    CreateTokenClass,
    MintToken,
    TransferToken,
)
from moyai.primitives.transaction import Transaction


class Privacy(IntEnum):
    """What an operation may carry: nothing about persons, or a pseudonym alone."""

    PUBLIC = 1
    PSEUDONYM = 2


class Retention(IntEnum):
    """How long its trace is needed: as evidence for ever, or as long as history is kept."""

    EVIDENCE = 1
    HISTORY = 2


class Action(NamedTuple):
    """One row: the rule, its cost in about microseconds, who may, and of which level."""

    rule: Callable[[Context, Any], None]
    cost: int
    who: str
    level: str = "any"
    privacy: Privacy = Privacy.PSEUDONYM
    retention: Retention = Retention.EVIDENCE


_Rows: TypeAlias = dict[type[msgspec.Struct], Action]

_BY_REGISTRAR = "the registrar that bound it; two officers for levels 3 and 4"

_ACCOUNTS: _Rows = {
    OpenAccount: Action(rules_accounts.open_account, 40, "a sponsor"),
    AddController: Action(rules_accounts.add_controller, 40, "the owners"),
    RemoveController: Action(rules_accounts.remove_controller, 20, "the owners"),
    RotateController: Action(rules_accounts.rotate_controller, 40, "the owners"),
    FreezeAccount: Action(rules_accounts.freeze_account, 20, "any controller, or a registrar"),
    ThawAccount: Action(rules_accounts.thaw_account, 20, "the owners, or those of a registrar"),
}
_IDENTITY: _Rows = {
    BindIdentity: Action(
        rules_identity.bind_identity, 30, "a registrar; two officers for levels 3 and 4"
    ),
    RenewIdentity: Action(rules_identity.renew_identity, 20, _BY_REGISTRAR),
    SuspendIdentity: Action(rules_identity.suspend_identity, 20, _BY_REGISTRAR),
    RevokeIdentity: Action(rules_identity.revoke_identity, 20, _BY_REGISTRAR),
}
_TOKENS: _Rows = {
    CreateTokenClass: Action(
        rules_tokens.create_token_class, 40, "an issuer", privacy=Privacy.PUBLIC
    ),
    MintToken: Action(
        rules_tokens.mint_token,
        20,
        "the creator and the minters of the class",
        level="mint level; hold level of the receiver",
        retention=Retention.HISTORY,
    ),
    TransferToken: Action(
        rules_tokens.transfer_token,
        20,
        "the owners of the holder",
        level="send level; hold level of the receiver",
        retention=Retention.HISTORY,
    ),
    BurnToken: Action(
        rules_tokens.burn_token, 20, "the owners of the holder", retention=Retention.HISTORY
    ),
}
_RECORDS: _Rows = {
    CreateCollection: Action(
        rules_records.create_collection,
        80,
        "an account with the records role",
        privacy=Privacy.PUBLIC,
    ),
    PutRecord: Action(
        rules_records.put_record,
        20,
        "the creator and the writers of the collection",
        level="that of its writers",
        retention=Retention.HISTORY,
    ),
    ExpectRecord: Action(
        rules_records.expect_record, 10, "any account", retention=Retention.HISTORY
    ),
}
_DOCUMENTS: _Rows = {
    RegisterDocument: Action(
        rules_documents.register_document,
        20,
        "any account",
        level="e-resident",
        privacy=Privacy.PUBLIC,
    ),
    ReplaceDocument: Action(
        rules_documents.replace_document,
        30,
        "the owner of the series",
        level="e-resident",
        privacy=Privacy.PUBLIC,
    ),
    RevokeDocument: Action(
        rules_documents.revoke_document, 20, "the owner of the series", privacy=Privacy.PUBLIC
    ),
}
_GOVERNANCE: _Rows = {
    ProposeChange: Action(
        rules_governance.propose_change, 400, "the owners of a member", privacy=Privacy.PUBLIC
    ),
    ApproveChange: Action(
        rules_governance.approve_change, 400, "the owners of a member", privacy=Privacy.PUBLIC
    ),
    MembersReady: Action(
        rules_governance.members_ready,
        400,
        "validators of the next set, by their validator keys",
        privacy=Privacy.PUBLIC,
    ),
    SubmitEvidence: Action(
        rules_evidence.submit_evidence, 500, "any account", privacy=Privacy.PUBLIC
    ),
}
ACTIONS: _Rows = {**_ACCOUNTS, **_IDENTITY, **_TOKENS, **_RECORDS, **_DOCUMENTS, **_GOVERNANCE}

COST_BYTES_EACH = 2
"""So many bytes of a body cost one unit: parsing and key checks grow with them."""


def cost_of(transaction: Transaction) -> int:
    """Return what executing a transaction costs a block, in about microseconds."""
    work = sum(ACTIONS[type(operation)].cost for operation in transaction.body.operations)
    return work + len(transaction.body_bytes) // COST_BYTES_EACH
