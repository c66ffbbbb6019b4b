"""The closed union of operations: everything a transaction can ask the ledger to do, as data.

Each is a positional MessagePack array that begins with its number; a number is never used twice.
1-19 accounts, 20-29 identity, 30-39 tokens, 40-49 collections, 50-59 documents, 60-69 governance.
Not here: who may do it and what it changes (the ledger).
"""

from typing import TypeAlias

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

__all__ = [
    "AddController",
    "ApproveChange",
    "BindIdentity",
    "BurnToken",
    "CreateCollection",
    "CreateTokenClass",
    "ExpectRecord",
    "FreezeAccount",
    "MembersReady",
    "MintToken",
    "OpenAccount",
    "Operation",
    "ProposeChange",
    "PutRecord",
    "RegisterDocument",
    "RemoveController",
    "RenewIdentity",
    "ReplaceDocument",
    "RevokeDocument",
    "RevokeIdentity",
    "RotateController",
    "SubmitEvidence",
    "SuspendIdentity",
    "ThawAccount",
    "TransferToken",
]

Operation: TypeAlias = (
    OpenAccount
    | AddController
    | RemoveController
    | RotateController
    | FreezeAccount
    | ThawAccount
    | BindIdentity
    | RenewIdentity
    | SuspendIdentity
    | RevokeIdentity
    | CreateTokenClass
    | MintToken
    | TransferToken
    | BurnToken
    | CreateCollection
    | PutRecord
    | ExpectRecord
    | RegisterDocument
    | ReplaceDocument
    | RevokeDocument
    | ProposeChange
    | ApproveChange
    | MembersReady
    | SubmitEvidence
)
