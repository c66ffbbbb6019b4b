"""Every fixed limit of the formats, named once, unit last.

Not here: limits that a city can choose (`parameters`), and limits of one node's sockets and queues.
"""

TRANSACTION_BYTES_MAX = 64 * 1024
TRANSACTION_OPERATIONS_MAX = 64
TRANSACTION_SIGNATURES_MAX = 16
TRANSACTION_NONCE_BYTES = 8
SIGNATURE_BYTES_MAX = 2048  # a WebAuthn assertion with its client data

AMOUNT_MAX = 2**63 - 1
TIME_MS_MAX = 2**53 - 1  # JSON integers stay exact
VIEW_MAX = 2**53 - 1
HEIGHT_MAX = 2**53 - 1
EPOCH_MAX = 2**32 - 1

CHAIN_ID_CHARACTERS_MAX = 32
NAME_CHARACTERS_MAX = 64
TEXT_CHARACTERS_MAX = 256

VALIDATORS_MAX = 64
EPOCH_END_FILLERS_MAX = 63
FULL_NODES_MAX = 256
BLOCK_TRANSACTIONS_MAX = 4096
BLOCK_BYTES_MAX = 1024 * 1024  # transactions as they travel, signatures included

JSON_DEPTH_MAX = 8  # of records and of passkeys' client data

STATE_KEY_BYTES_MAX = 640  # a record key of 128 characters has up to 512 bytes
STATE_VALUE_BYTES_MAX = 64 * 1024

SNAPSHOT_DEPTH_MAX = 12
