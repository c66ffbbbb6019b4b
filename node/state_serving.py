"""What nodes that take over a state read of this one: ends of epochs, snapshots, recent ids.

Not here: how answers are cut (`p2p.serving`), making and keeping snapshots (storage).
"""

from collections.abc import Sequence
from contextlib import suppress

from typing_extensions import override

from moyai.ledger.membership import read_validators
from moyai.ledger.state import Values
from moyai.node.ports import KeptSnapshot, KeptSnapshots
from moyai.p2p.serving import StateSource
from moyai.p2p.snapshot_messages import RecentBlock, SnapshotOffer
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.epoch_end import EpochEnd
from moyai.primitives.errors import PrunedError
from moyai.primitives.ids import Digest, Epoch, Height
from moyai.primitives.limits import EPOCH_MAX
from moyai.primitives.state_keys import validators_key
from moyai.primitives.state_snapshot import SnapshotDescription, SnapshotLeaf
from moyai.storage.errors import CorruptedError
from moyai.storage.snapshot import ChainSnapshot


class NoSnapshots(KeptSnapshots):
    """There are none."""

    @override
    def all(self) -> Sequence[KeptSnapshot]:
        return ()


class StateReader(StateSource):
    """One committed state of the chain store, and the snapshots kept beside it."""

    def __init__(self, chain: ChainSnapshot, kept: KeptSnapshots) -> None:
        self._chain = chain
        self._kept = kept

    @override
    def epoch_end(self, epoch: Epoch) -> EpochEnd | None:
        if epoch >= EPOCH_MAX:
            return None
        following = Epoch(epoch + 1)
        began = self._chain.state(validators_key(following))
        header = None if began is None else self._chain.header(began.height)
        if began is None or header is None:
            return None
        certificate = self._chain.end_certificate(began.height)
        assert certificate is not None, "the block that ends an epoch is stored with its proof"
        fillers = self._chain.extra_headers(began.height)
        keys = read_validators(Values(self._chain), following).keys
        return EpochEnd(header, fillers, certificate, keys)

    @override
    def offer(self, height: Height | None) -> SnapshotOffer | None:
        for kept in self._kept.all():
            description = kept.description
            if height in (None, description.header.height):
                # The chain store may have been replaced by a state above this one.
                with suppress(PrunedError):
                    return self._offer_of(description)
        return None

    @override
    def part(self, height: Height, index: int) -> Sequence[SnapshotLeaf] | None:
        for kept in self._kept.all():
            if kept.description.header.height == height and index < 1 << kept.description.depth:
                # It may be damaged, or just be giving way to a newer one.
                with suppress(CorruptedError):
                    return kept.part(index)
        return None

    @override
    def recent(self, height: Height) -> RecentBlock | None:
        header = self._chain.header(height)
        if header is None:
            return None
        ids = self._chain.transaction_ids(height)
        return RecentBlock(header, b"".join(ids)) if len(ids) == header.tx_count else None

    def _offer_of(self, description: SnapshotDescription) -> SnapshotOffer | None:
        attesting = description.attesting
        certified = self._certified_from(attesting)
        if certified is None:
            return None
        headers, certificate = certified
        path: tuple[Digest, ...] = ()
        if headers[-1] != attesting:
            nodes = self._chain.prove_log(attesting.height, headers[-1].height)
            path = tuple(Digest(node) for node in nodes)
        return SnapshotOffer(description, certificate, headers, path)

    def _certified_from(self, attesting: Header) -> tuple[tuple[Header, ...], Certificate] | None:
        """Return the first certified block of an epoch from a header on, behind its fillers."""
        above = self._chain.certificate_above(attesting.height)
        if above is not None:
            header = self._chain.require_header(above[0])
            if header.epoch == attesting.epoch:
                return (header,), above[1]
        end = self.epoch_end(attesting.epoch)
        return None if end is None else ((*end.fillers[::-1], end.header), end.certificate)
