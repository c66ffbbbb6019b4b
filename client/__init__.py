"""The Python SDK: it submits, reads and checks what it is told.

    async with Client.connect("http://127.0.0.1:8545", trust="genesis.json") as city:
        receipt = await city.submit([TransferToken("coin", to, 5)], account=mine, signer=key)

Operations are the structs of `moyai.primitives.operations`; `moyai.client.sync` has the same client
without `await`.
"""

from moyai.client.builder import Draft, draft_transaction, transaction_id
from moyai.client.client import Client
from moyai.client.documents import Opening, opening_of_bytes, opening_of_file
from moyai.client.errors import (
    ForkError,
    NodeRefusalError,
    NoNodeAnsweredError,
    OutcomeUnknownError,
    TransactionExpiredError,
    TransactionRefusedError,
)
from moyai.client.events import CityEvent, EventFilter
from moyai.client.evidence import Evidence
from moyai.client.key_files import load_key_file
from moyai.client.proofs import FinalReceipt
from moyai.client.settings import ClientSettings
from moyai.client.signers import CustomSigner, KeySigner, PasskeySigner, TransactionSigner

__all__ = [
    "CityEvent",
    "Client",
    "ClientSettings",
    "CustomSigner",
    "Draft",
    "EventFilter",
    "Evidence",
    "FinalReceipt",
    "ForkError",
    "KeySigner",
    "NoNodeAnsweredError",
    "NodeRefusalError",
    "Opening",
    "OutcomeUnknownError",
    "PasskeySigner",
    "TransactionExpiredError",
    "TransactionRefusedError",
    "TransactionSigner",
    "draft_transaction",
    "load_key_file",
    "opening_of_bytes",
    "opening_of_file",
    "transaction_id",
]
