"""What an answer must satisfy before anything of it is used to take over a state. Pure.

Everything follows from a certificate of an epoch whose validators are proven from genesis on. Not
here: the parts and the description alone (`primitives.state_snapshot`).
"""

import msgspec

from moyai.p2p.errors import SyncFault
from moyai.p2p.messages import TargetAnswer
from moyai.p2p.snapshot_messages import RecentAnswer, RecentRequest, SnapshotOffer
from moyai.p2p.sync_checks import Target, check_target
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import verify_certificate
from moyai.primitives.epoch_end import EpochEnd, check_epoch_end
from moyai.primitives.errors import CertificateError, ProofError
from moyai.primitives.ids import DIGEST_BYTES, Digest, Height, TransactionId
from moyai.primitives.merkle import merkle_root, verify_inclusion
from moyai.primitives.state_snapshot import check_description
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import VoteKind

RecentIds = tuple[Header, tuple[TransactionId, ...]]


class CheckedOffer(msgspec.Struct, frozen=True):
    """An offer that agrees with itself; whether its certificate is good is not known yet."""

    offer: SnapshotOffer
    target: Target

    @property
    def height(self) -> Height:
        """Return the height after which the state is."""
        return self.offer.description.header.height


def check_offer(offer: SnapshotOffer, chain_id: str, wanted: Height | None) -> CheckedOffer:
    """Return the offer with its target. Raises `SyncFault`."""
    description, certificate = offer.description, offer.certificate
    header, attesting = description.header, description.attesting
    what = f"state after height {header.height}"
    if wanted is not None and header.height != wanted:
        raise SyncFault("the answer is to another question", what=what)
    answer = TargetAnswer(certificate.digest, offer.headers)
    target = check_target(certificate.digest, answer)
    epochs = {target.header.epoch, attesting.epoch, certificate.epoch}
    epochs.update(filler.epoch for filler in target.fillers)
    if len(epochs) != 1 or certificate.kind is not VoteKind.FINALIZE:
        raise SyncFault("is not certified in the epoch of its header", what=what)
    if {header.chain_id, attesting.chain_id, target.header.chain_id} != {chain_id}:
        raise SyncFault("is of another chain", what=what)
    try:
        check_description(description)
        if attesting != target.header:
            path, height = offer.path, attesting.height
            size, root = target.header.height, target.header.log_root
            verify_inclusion(header_digest(attesting), height, size, path, root)
    except ProofError as error:
        raise SyncFault(error.reason, what=what) from None
    return CheckedOffer(offer, target)


def check_certificate(checked: CheckedOffer, chain_id: str, validators: ValidatorSet) -> None:
    """Check the signatures under an offer. Raises `SyncFault`."""
    try:
        verify_certificate(checked.offer.certificate, chain_id, validators)
    except CertificateError as error:
        raise SyncFault(error.reason, what=f"state after height {checked.height}") from None


def check_end(end: EpochEnd, chain_id: str, validators: ValidatorSet) -> ValidatorSet:
    """Return the validators of the next epoch. Raises `SyncFault`."""
    try:
        return check_epoch_end(end, chain_id, validators)
    except ProofError as error:
        raise SyncFault(error.reason, what=f"end of epoch {validators.epoch}") from None


def check_recent(expected: Digest, asked: RecentRequest, answer: RecentAnswer) -> list[RecentIds]:
    """Return the blocks of an answer, newest first: a hash chain down from `expected`.

    Raises `SyncFault`.
    """
    what = f"recent blocks from height {asked.last} downwards"
    if len(answer.blocks) > asked.count:
        raise SyncFault("more than asked for", what=what)
    checked: list[RecentIds] = []
    for block in answer.blocks:
        if header_digest(block.header) != expected:
            raise SyncFault("a header is not the parent of the one above it", what=what)
        expected = block.header.parent
        starts = range(0, len(block.ids), DIGEST_BYTES)
        ids = tuple(TransactionId(block.ids[start : start + DIGEST_BYTES]) for start in starts)
        if len(ids) != block.header.tx_count or merkle_root(ids) != block.header.tx_root:
            raise SyncFault("the ids are not those of the header", what=what)
        checked.append((block.header, ids))
    return checked
