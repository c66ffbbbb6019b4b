"""The journal: what consensus must not forget, durable before a message leaves.

One commit a turn of the node, with a full sync. Records are values of `consensus.records`; bodies
lie beside their blocks. Small, since everything at or below the floor is pruned.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import TypeVar, assert_never

import lmdb

from moyai.consensus.records import (
    AbstainRecord,
    BlockRecord,
    CertificateRecord,
    EvidenceRecord,
    FloorRecord,
    JournalRecord,
    ProposalRecord,
    Recovered,
    VoteRecord,
)
from moyai.primitives.block import header_digest
from moyai.primitives.codec import Codec, encode
from moyai.primitives.ids import Digest, Epoch, PublicKey, View
from moyai.storage.environment import Environment, FillLevel, StoreSettings
from moyai.storage.errors import NotAbstainingError, OtherKeyError
from moyai.storage.keys import JournalTable, view_key
from moyai.storage.table import Table

STORE_NAME = "journal"
MAP_BYTES = 4 * 1024**3
_KEY = b"key"
_UNUSED = b"unused"
_ABSTAIN = b"abstain"

T = TypeVar("T")


class Journal:
    """An open journal of one validator key; a full node has one under its network key."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._meta = environment.table(JournalTable.META)
        with environment.read() as read:
            self._unused = self._meta.get(read.raw, _UNUSED) is not None

    @staticmethod
    def create(
        path: Path, key: PublicKey, genesis_digest: Digest, *, map_bytes: int = MAP_BYTES
    ) -> "Journal":
        """Make the journal of a new key; it is marked unused and may vote at once.

        Only ever together with the key: a key whose journal is lost must not get an unused one.
        Raises the errors of `storage.errors`.
        """
        settings = _settings(path, genesis_digest, map_bytes)
        return Journal._create(settings, {_KEY: key, _UNUSED: b""})

    @staticmethod
    def create_abstaining(
        path: Path, key: PublicKey, genesis_digest: Digest, *, map_bytes: int = MAP_BYTES
    ) -> "Journal":
        """Make a journal for a key that has lost its own: it follows and does not vote yet."""
        settings = _settings(path, genesis_digest, map_bytes)
        return Journal._create(settings, {_KEY: key, _ABSTAIN: encode(_abstaining(Epoch(0)))})

    @staticmethod
    def _create(settings: StoreSettings, rows: Mapping[bytes, bytes]) -> "Journal":
        def first(txn: lmdb.Transaction, table: Callable[[Enum], Table]) -> None:
            for name, value in rows.items():
                table(JournalTable.META).put(txn, name, value)

        return Journal(Environment.create(settings, JournalTable, first))

    @staticmethod
    def open(
        path: Path, key: PublicKey, genesis_digest: Digest, *, map_bytes: int = MAP_BYTES
    ) -> "Journal":
        """Open the journal of a key. Raises the errors of `storage.errors`."""
        settings = _settings(path, genesis_digest, map_bytes)
        environment = Environment(settings, JournalTable)
        with environment.read() as read:
            written = environment.table(JournalTable.META).require(read.raw, _KEY)
        if written != key:
            environment.close()
            raise OtherKeyError(
                f"belongs to the key {written.hex()}",
                what="journal store",
                next="use the key file that it was made with",
            )
        return Journal(environment)

    def commit(
        self, records: Sequence[JournalRecord], bodies: Mapping[Digest, tuple[bytes, ...]]
    ) -> None:
        """Make records, and the bodies of their blocks, durable in one transaction.

        Raises `CommitFailed` or `StorageFull`: nothing was written and the node must stop.
        """
        votes = any(isinstance(record, VoteRecord) for record in records)
        with self._environment.write() as txn:
            for record in records:
                self._write(txn, record)
            for digest, body in bodies.items():
                self._table(JournalTable.BODIES).put(txn, digest, encode(body))
            if self._unused and votes:
                self._meta.delete(txn, _UNUSED)
        self._unused = self._unused and not votes

    def load(self) -> Recovered:
        """Return all that a restart needs, in the order of views. Raises `CorruptedError`."""
        with self._environment.read() as read:
            txn = read.raw
            floors = self._floors(txn)
            abstain = self._meta.get(txn, _ABSTAIN)
            return Recovered(
                unused=self._unused,
                floor=floors[-1] if floors else None,
                abstain=None if abstain is None else _abstain.decode(abstain),
                votes=tuple(row.vote for row in self._all(txn, JournalTable.VOTES, _vote)),
                certificates=tuple(
                    row.certificate
                    for row in self._all(txn, JournalTable.CERTIFICATES, _certificate)
                ),
                blocks=tuple(
                    sorted(
                        self._all(txn, JournalTable.BLOCKS, _block),
                        key=lambda row: (row.header.epoch, row.header.view),
                    )
                ),
                proposals=tuple(
                    row.proposal for row in self._all(txn, JournalTable.PROPOSALS, _proposal)
                ),
                evidence=tuple(
                    row.evidence for row in self._all(txn, JournalTable.EVIDENCE, _evidence)
                ),
            )

    def floors(self) -> tuple[FloorRecord, ...]:
        """Return the finalizations still held, oldest first: between them every final block that
        the chain store may lack.
        """
        with self._environment.read() as read:
            return tuple(self._floors(read.raw))

    def block_body(self, digest: Digest) -> tuple[bytes, ...] | None:
        """Return the transactions of a block as they travel, in order."""
        with self._environment.read() as read:
            data = self._table(JournalTable.BODIES).get(read.raw, digest)
        return None if data is None else _body.decode(data)

    def prune(self, floor_view: View, epoch: Epoch, keep: Collection[Digest]) -> None:
        """Forget what lies at or below the floor, but for blocks that the chain store lacks.

        `keep` has their digests. Certificates of the floor view itself stay. Raises `CommitFailed`.
        """
        floor = (epoch, floor_view)
        with self._environment.write() as txn:
            self._drop_views(txn, JournalTable.VOTES, view_key(epoch, floor_view + 1))
            self._drop_views(txn, JournalTable.PROPOSALS, view_key(epoch, floor_view + 1))
            self._drop_views(txn, JournalTable.CERTIFICATES, view_key(epoch, floor_view))
            for row in self._all(txn, JournalTable.BLOCKS, _block):
                digest = header_digest(row.header)
                if (row.header.epoch, row.header.view) <= floor and digest not in keep:
                    self._table(JournalTable.BLOCKS).delete(txn, digest)
                    self._table(JournalTable.BODIES).delete(txn, digest)
            for record in self._floors(txn)[:-1]:
                if not any(header_digest(header) in keep for header in record.headers):
                    self._table(JournalTable.FLOORS).delete(txn, _floor_key(record))

    def mark_abstaining(self) -> None:
        """Say durably that this journal may have forgotten votes, as after a restore."""
        with self._environment.write() as txn:
            self._meta.put(txn, _ABSTAIN, encode(_abstaining(self._floor(txn)[0])))
            self._meta.delete(txn, _UNUSED)
        self._unused = False

    def assume_safe(self) -> View:
        """Let a journal that abstains vote again, on the operators' word; return above which view.

        Raises `NotAbstainingError`.
        """
        with self._environment.write() as txn:
            stored = self._meta.get(txn, _ABSTAIN)
            if stored is None or not _abstain.decode(stored).abstaining:
                raise NotAbstainingError(
                    "does not abstain", what="journal store", next="just start the node"
                )
            epoch, view = self._floor(txn)
            record = AbstainRecord(epoch=epoch, abstaining=False, vote_above_view=view)
            self._meta.put(txn, _ABSTAIN, encode(record))
        return view

    @property
    def unused(self) -> bool:
        """Return whether no vote was ever written."""
        return self._unused

    @property
    def fill_level(self) -> FillLevel:
        """Return how full the journal is, by what the node has to do about it."""
        return self._environment.fill_level

    @property
    def failed(self) -> bool:
        """Return whether a commit failed; the node must stop."""
        return self._environment.failed

    @property
    def environment(self) -> Environment:
        """Return the environment, for backup and verification."""
        return self._environment

    def close(self) -> None:
        """Close the journal and release its lock."""
        self._environment.close()

    def _write(self, txn: lmdb.Transaction, record: JournalRecord) -> None:
        data = encode(record)
        match record:
            case VoteRecord(vote):
                key = view_key(vote.epoch, vote.view) + bytes((vote.kind,))
                self._table(JournalTable.VOTES).put(txn, key, data)
            case CertificateRecord(certificate):
                key = view_key(certificate.epoch, certificate.view) + bytes((certificate.kind,))
                self._table(JournalTable.CERTIFICATES).put(txn, key, data)
            case BlockRecord(header):
                self._table(JournalTable.BLOCKS).put(txn, header_digest(header), data)
            case ProposalRecord(proposal):
                key = view_key(proposal.header.epoch, proposal.header.view)
                self._table(JournalTable.PROPOSALS).put(txn, key, data)
            case FloorRecord():
                self._table(JournalTable.FLOORS).put(txn, _floor_key(record), data)
            case EvidenceRecord():
                self._table(JournalTable.EVIDENCE).put(txn, sha256(data).digest(), data)
            case AbstainRecord():
                self._meta.put(txn, _ABSTAIN, data)
            case _:
                assert_never(record)

    def _drop_views(self, txn: lmdb.Transaction, table: JournalTable, end: bytes) -> None:
        rows = self._table(table)
        for key in [key for key, _ in rows.scan(txn, end=end)]:
            rows.delete(txn, key)

    def _floor(self, txn: lmdb.Transaction) -> tuple[Epoch, View]:
        """Return epoch and view of the last final block; genesis is view 0 of epoch 0."""
        floors = self._floors(txn)
        if not floors:
            return Epoch(0), View(0)
        return floors[-1].certificate.epoch, floors[-1].certificate.view

    def _floors(self, txn: lmdb.Transaction) -> list[FloorRecord]:
        return self._all(txn, JournalTable.FLOORS, _floor)

    def _all(self, txn: lmdb.Transaction, table: JournalTable, codec: Codec[T]) -> list[T]:
        decode: Callable[[bytes], T] = codec.decode
        return [decode(data) for _, data in self._table(table).scan(txn)]

    def _table(self, table: JournalTable) -> Table:
        return self._environment.table(table)


def _abstaining(epoch: Epoch) -> AbstainRecord:
    return AbstainRecord(epoch=epoch, abstaining=True, vote_above_view=View(0))


def _floor_key(record: FloorRecord) -> bytes:
    return view_key(record.certificate.epoch, record.certificate.view)


def _settings(path: Path, genesis_digest: Digest, map_bytes: int) -> StoreSettings:
    return StoreSettings(path=path, name=STORE_NAME, network=genesis_digest, map_bytes=map_bytes)


_vote = Codec(VoteRecord, name="journal vote")
_certificate = Codec(CertificateRecord, name="journal certificate")
_block = Codec(BlockRecord, name="journal block")
_proposal = Codec(ProposalRecord, name="journal proposal")
_floor = Codec(FloorRecord, name="journal floor")
_evidence = Codec(EvidenceRecord, name="journal evidence")
_abstain = Codec(AbstainRecord, name="journal abstention")
_body: Codec[tuple[bytes, ...]] = Codec(tuple[bytes, ...], name="journal body")
