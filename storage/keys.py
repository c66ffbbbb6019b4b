"""The whole key space of both environments as one table, and how keys are written.

Numbers in keys are big-endian, so that they sort. Every value carries its digest (`table`).
"""

from enum import Enum

HEIGHT_BYTES = 8
INDEX_BYTES = 4
PLACE_BYTES = HEIGHT_BYTES + INDEX_BYTES


class JournalTable(Enum):
    """journal/: what consensus must not forget."""

    META = "meta"  # name -> format, network, kind; `key`, `unused`, `abstain`
    VOTES = "votes"  # epoch ‖ view ‖ kind u8 -> VoteRecord
    CERTIFICATES = "certificates"  # epoch ‖ view ‖ kind u8 -> CertificateRecord
    BLOCKS = "blocks"  # block digest -> BlockRecord
    BODIES = "bodies"  # block digest -> the transactions' bytes, in order
    PROPOSALS = "proposals"  # epoch ‖ view -> ProposalRecord
    FLOORS = "floors"  # epoch ‖ view -> FloorRecord
    EVIDENCE = "evidence"  # SHA-256 of the record -> EvidenceRecord


class ChainTable(Enum):
    """chain/: final blocks and everything that follows from them."""

    META = "meta"  # name -> format, network, kind; `tip`, `base`
    HEADERS = "headers"  # height -> Header
    HEIGHTS = "heights"  # block digest -> height
    CERTIFICATES = "certificates"  # height -> finalization of exactly that block
    EXECUTED = "executed"  # height -> Executed: the roots after it, as computed here
    EXTRA_HEADERS = "extra_headers"  # height -> headers that lead from it to its finalization
    BLOCK_IDS = "block_ids"  # height -> transaction ids, 32 bytes each, in order
    BODIES = "bodies"  # height ‖ index -> transaction as it travels
    PLACES = "places"  # sorted runs (see `runs`) of the first 24 bytes of an id ‖ height ‖ index
    RECEIPTS = "receipts"  # height ‖ index -> Receipt
    LOG = "log"  # level u8 ‖ index u64 -> node of the log of block digests
    RECEIPTS_LOG = "receipts_log"  # level u8 ‖ index u64 -> node of the log of receipt roots
    VERSIONS = "versions"  # sequence u64 -> StoredVersion, one for each change of a state key
    SECTIONS = "sections"  # first byte of the key digest -> leaves as of some sequence
    INDEXES = "indexes"  # see `indexes`
    ACCOUNT_TRANSACTIONS = (
        "account_transactions"  # sorted runs (see `runs`) of account ‖ height ‖ index
    )
    IMPORTED = "imported"  # part u16 -> its packed leaves, while a state is imported


def number_key(number: int) -> bytes:
    """Return a height or a sequence as a key."""
    return number.to_bytes(HEIGHT_BYTES, "big")


def place_key(height: int, index: int) -> bytes:
    """Return the key of the transaction at a place of a block."""
    return height.to_bytes(HEIGHT_BYTES, "big") + index.to_bytes(INDEX_BYTES, "big")


def parse_place(key: bytes) -> tuple[int, int]:
    """Return (height, index) of a place key."""
    return int.from_bytes(key[:HEIGHT_BYTES], "big"), int.from_bytes(key[HEIGHT_BYTES:], "big")


def view_key(epoch: int, view: int) -> bytes:
    """Return the key of a view: 16 bytes."""
    return epoch.to_bytes(8, "big") + view.to_bytes(8, "big")


def node_key(level: int, index: int) -> bytes:
    """Return the key of a node of a growing log."""
    return level.to_bytes(1, "big") + index.to_bytes(8, "big")
