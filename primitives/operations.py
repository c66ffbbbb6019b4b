"""The closed union of operations: everything a transaction can ask the ledger to do, as data.

Each is a positional MessagePack array that begins with its number; a number is never used twice.
1-19 accounts, 20-29 identity, 30-39 tokens, 40-49 collections, 50-59 documents. Not here: who may
do it and what it changes (the ledger).
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
    "BindIdentity",
    "BurnToken",
    "CreateCollection",
    "CreateTokenClass",
    "ExpectRecord",
    "FreezeAccount",
    "MintToken",
    "OpenAccount",
    "Operation",
    "PutRecord",
    "RegisterDocument",
    "RemoveController",
    "RenewIdentity",
    "ReplaceDocument",
    "RevokeDocument",
    "RevokeIdentity",
    "RotateController",
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
)
