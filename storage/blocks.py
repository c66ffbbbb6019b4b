"""Final blocks on disk: headers, certificates, bodies, receipts, and where each transaction is.

Not here: the state they led to (`versions`), indexes over it (`indexes`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

import lmdb
import msgspec

from moyai.ledger.apply import BlockOutcome
from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.codec import Codec, encode
from moyai.primitives.epoch_end import EpochEnd
from moyai.primitives.ids import (
    ACCOUNT_BYTES,
    DIGEST_BYTES,
    AccountId,
    Digest,
    Height,
    TransactionId,
)
from moyai.primitives.receipt import Receipt
from moyai.primitives.transaction import CheckedTransaction
from moyai.storage.keys import PLACE_BYTES, ChainTable, number_key, parse_place, place_key
from moyai.storage.runs import SortedRuns
from moyai.storage.table import Table

ID_PREFIX_BYTES = 24
"""So much of an id is kept in the index: no two transactions can be made that begin alike."""
TOUCHED_BYTES = ACCOUNT_BYTES + PLACE_BYTES


class FinalBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A final, executed block as the node hands it over.

    `certificate` finalizes exactly this block, or is none when a later block's does.
    `extra_headers` lead from this block to the block its finalization names, when that is not this
    one.
    """

    header: Header
    digest: Digest
    certificate: Certificate | None
    transactions: tuple[CheckedTransaction, ...]
    outcome: BlockOutcome
    extra_headers: tuple[Header, ...] = ()


class TransactionPlace(NamedTuple):
    """Where a final transaction is."""

    height: Height
    position: int


class BlockTables:
    """The tables of blocks, read and written in transactions of the caller."""

    def __init__(self, table: Callable[[Enum], Table]) -> None:
        self._headers = table(ChainTable.HEADERS)
        self._heights = table(ChainTable.HEIGHTS)
        self._certificates = table(ChainTable.CERTIFICATES)
        self._executed = table(ChainTable.EXECUTED)
        self._extra_headers = table(ChainTable.EXTRA_HEADERS)
        self._block_ids = table(ChainTable.BLOCK_IDS)
        self._bodies = table(ChainTable.BODIES)
        self._places = SortedRuns(table(ChainTable.PLACES), ID_PREFIX_BYTES + PLACE_BYTES)
        self._receipts = table(ChainTable.RECEIPTS)
        self._touched = SortedRuns(table(ChainTable.ACCOUNT_TRANSACTIONS), TOUCHED_BYTES)

    def write(
        self,
        txn: lmdb.Transaction,
        block: FinalBlock,
        executed: Executed,
        receipts: Sequence[bytes],
    ) -> None:
        """Write one block, its encoded receipts and the roots after it, above all below it."""
        height = block.header.height
        self.write_header(txn, block.header, block.digest, executed)
        if block.certificate is not None:
            self._certificates.append(txn, number_key(height), encode(block.certificate))
        if block.extra_headers:
            self._extra_headers.append(txn, number_key(height), encode(block.extra_headers))
        ids = b"".join(transaction.id for transaction in block.transactions)
        self._block_ids.append(txn, number_key(height), ids)
        for index, transaction in enumerate(block.transactions):
            place = place_key(height, index)
            self._bodies.append(txn, place, transaction.raw)
            self._receipts.append(txn, place, receipts[index])
        self.write_places(txn, height, [transaction.id for transaction in block.transactions])
        self.write_touched(txn, height, block.outcome.touched)

    def write_places(
        self, txn: lmdb.Transaction, height: int, ids: Iterable[TransactionId]
    ) -> None:
        """Write where the transactions of a block are."""
        self._places.add(
            txn,
            [one[:ID_PREFIX_BYTES] + place_key(height, index) for index, one in enumerate(ids)],
        )

    def write_header(
        self, txn: lmdb.Transaction, header: Header, digest: Digest, executed: Executed
    ) -> None:
        """Write the header of one block and the roots after it; all there is of genesis."""
        self._headers.append(txn, number_key(header.height), encode(header))
        self._heights.put(txn, digest, number_key(header.height))
        self._executed.append(txn, number_key(header.height), encode(executed))

    def write_bare_header(self, txn: lmdb.Transaction, header: Header) -> None:
        """Write a header alone, above all others; of a block that is not here."""
        self._headers.append(txn, number_key(header.height), encode(header))
        self._heights.put(txn, header_digest(header), number_key(header.height))

    def write_executed(self, txn: lmdb.Transaction, executed: Executed) -> None:
        """Write the roots after a block, above all others."""
        self._executed.append(txn, number_key(executed.height), encode(executed))

    def write_ids(self, txn: lmdb.Transaction, height: int, ids: Iterable[TransactionId]) -> None:
        """Write the ids of a block's transactions, above all others."""
        self._block_ids.append(txn, number_key(height), b"".join(ids))

    def write_end(self, txn: lmdb.Transaction, end: EpochEnd) -> None:
        """Write how an epoch ended, above all others; its header is written by itself."""
        key = number_key(end.header.height)
        self._certificates.append(txn, key, encode(end.certificate))
        if end.fillers:
            self._extra_headers.append(txn, key, encode(end.fillers))

    def sweep_places(
        self, txn: lmdb.Transaction, cursor: bytes, base: int, pages_max: int
    ) -> bytes | None:
        """Forget transactions below a height; return where to go on, none at the end."""
        return self._places.sweep(txn, cursor, lambda entry: _height(entry) < base, pages_max)

    def sweep_touched(
        self, txn: lmdb.Transaction, cursor: bytes, base: int, pages_max: int
    ) -> bytes | None:
        """Forget what accounts were touched by below a height; return where to go on."""
        return self._touched.sweep(txn, cursor, lambda entry: _height(entry) < base, pages_max)

    def erase(self, txn: lmdb.Transaction, height: int) -> None:
        """Remove a block but for its header, its roots, and how it ended its epoch if it did."""
        key = number_key(height)
        header = self.header(txn, height)
        count = 0 if header is None else header.tx_count
        for index in range(count):
            place = place_key(height, index)
            self._bodies.delete(txn, place)
            self._receipts.delete(txn, place)
        self._block_ids.delete(txn, key)
        if header is None or header.epoch_end is None:
            self._certificates.delete(txn, key)
            self._extra_headers.delete(txn, key)

    def write_touched(
        self, txn: lmdb.Transaction, height: int, touched: Iterable[Iterable[AccountId]]
    ) -> None:
        """Write which accounts each transaction of a block touched."""
        self._touched.add(
            txn,
            [
                account + place_key(height, index)
                for index, accounts in enumerate(touched)
                for account in dict.fromkeys(accounts)
            ],
        )

    def clear_touched(self, txn: lmdb.Transaction) -> None:
        """Forget which accounts were touched."""
        self._touched.clear(txn)

    def header(self, txn: lmdb.Transaction, height: int) -> Header | None:
        """Return the header at a height."""
        data = self._headers.get(txn, number_key(height))
        return None if data is None else _header.decode(data)

    def executed(self, txn: lmdb.Transaction, height: int) -> Executed | None:
        """Return the roots after the block at a height, as this node computed them."""
        data = self._executed.get(txn, number_key(height))
        return None if data is None else _executed.decode(data)

    def height_of(self, txn: lmdb.Transaction, digest: bytes) -> Height | None:
        """Return the height of the block with this digest."""
        data = self._heights.get(txn, digest)
        return None if data is None else Height(int.from_bytes(data, "big"))

    def certificate(self, txn: lmdb.Transaction, height: int) -> Certificate | None:
        """Return the certificate that finalizes exactly the block at a height."""
        data = self._certificates.get(txn, number_key(height))
        return None if data is None else _certificate.decode(data)

    def certificate_above(
        self, txn: lmdb.Transaction, height: int
    ) -> tuple[Height, Certificate] | None:
        """Return the first certificate of a block at or above a height, with that block's height.

        The certificate of a filler, by which an epoch ended, is none.
        """
        for key, data in self._certificates.scan(txn, number_key(height)):
            if self._extra_headers.get(txn, key) is None:
                return Height(int.from_bytes(key, "big")), _certificate.decode(data)
        return None

    def extra_headers(self, txn: lmdb.Transaction, height: int) -> tuple[Header, ...]:
        """Return the headers that lead from a block to the one its finalization names."""
        data = self._extra_headers.get(txn, number_key(height))
        return () if data is None else _headers.decode(data)

    def all_extra_headers(
        self, txn: lmdb.Transaction
    ) -> Iterator[tuple[Height, tuple[Header, ...]]]:
        """Yield all extra headers with the height of their block; few epochs end by them."""
        for key, data in self._extra_headers.scan(txn):
            yield Height(int.from_bytes(key, "big")), _headers.decode(data)

    def transaction_ids(self, txn: lmdb.Transaction, height: int) -> tuple[TransactionId, ...]:
        """Return the ids of a block's transactions, in order; none for an unknown height."""
        data = self._block_ids.get(txn, number_key(height)) or b""
        starts = range(0, len(data), DIGEST_BYTES)
        return tuple(TransactionId(data[start : start + DIGEST_BYTES]) for start in starts)

    def body(self, txn: lmdb.Transaction, height: int) -> tuple[bytes, ...]:
        """Return the transactions of a block as they travel, in order."""
        rows = self._bodies.scan(txn, number_key(height), end=number_key(height + 1))
        return tuple(raw for _, raw in rows)

    def place(self, txn: lmdb.Transaction, transaction_id: bytes) -> TransactionPlace | None:
        """Return where a transaction is."""
        place = self.indexed_place(txn, transaction_id)
        if place is None:
            return None
        ids = self._block_ids.get(txn, number_key(place.height)) or b""
        start = place.position * DIGEST_BYTES
        if ids and ids[start : start + DIGEST_BYTES] != transaction_id:
            return None  # asked for by an id that only begins like this one
        return place

    def indexed_place(
        self, txn: lmdb.Transaction, transaction_id: bytes
    ) -> TransactionPlace | None:
        """Return the place that the index has for an id, which only begins like that of it."""
        entry = self._places.find(txn, transaction_id[:ID_PREFIX_BYTES])
        if entry is None:
            return None
        height, index = parse_place(entry[ID_PREFIX_BYTES:])
        return TransactionPlace(Height(height), index)

    def raw(self, txn: lmdb.Transaction, place: TransactionPlace) -> bytes:
        """Return the transaction at a place as it travels.

        Raises `CorruptedError` when it is gone.
        """
        return self._bodies.require(txn, place_key(*place))

    def receipt(self, txn: lmdb.Transaction, place: TransactionPlace) -> Receipt:
        """Return the receipt at a place. Raises `CorruptedError` when it is gone."""
        return _receipt.decode(self._receipts.require(txn, place_key(*place)))

    def receipts(self, txn: lmdb.Transaction, height: int) -> tuple[Receipt, ...]:
        """Return the receipts of a block, in order."""
        rows = self._receipts.scan(txn, number_key(height), end=number_key(height + 1))
        return tuple(_receipt.decode(data) for _, data in rows)

    def receipts_from(
        self, txn: lmdb.Transaction, start: TransactionPlace
    ) -> Iterator[tuple[TransactionPlace, Receipt]]:
        """Yield places and receipts from a place on, over all blocks."""
        for key, data in self._receipts.scan(txn, place_key(*start)):
            height, index = parse_place(key)
            yield TransactionPlace(Height(height), index), _receipt.decode(data)

    def touched_by(
        self, txn: lmdb.Transaction, account: AccountId, before: TransactionPlace
    ) -> Iterator[TransactionPlace]:
        """Yield the places of an account's transactions below `before`, newest first."""
        for key in self._touched.scan_back(txn, account + place_key(*before), start=account):
            height, index = parse_place(key[len(account) :])
            yield TransactionPlace(Height(height), index)


def _height(entry: bytes) -> int:
    return parse_place(entry[-PLACE_BYTES:])[0]


_header = Codec(Header, name="stored header")
_executed = Codec(Executed, name="stored roots")
_headers: Codec[tuple[Header, ...]] = Codec(tuple[Header, ...], name="stored headers")
_certificate = Codec(Certificate, name="stored certificate")
_receipt = Codec(Receipt, name="stored receipt")
