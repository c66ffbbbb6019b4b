"""A chain of headers with true certificates over several epochs; its blocks hold only ids.

Every block attests its parent. Not here: transactions and what they do (`synced_chain`,
`core_city`).
"""

from collections.abc import Sequence

import msgspec

from harness.core_city import GENESIS, KEYS
from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.certificate import Certificate, make_certificate
from moyai.primitives.epoch_end import EpochEnd
from moyai.primitives.genesis import genesis_header
from moyai.primitives.ids import (
    Digest,
    Epoch,
    Height,
    TimeMs,
    TransactionId,
    ValidatorIndex,
    View,
)
from moyai.primitives.keys import SigningKey
from moyai.primitives.merkle import EMPTY_ROOT, Frontier, merkle_root
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote, VoteKind, vote_message

BLOCK_MS = 100
SIGNING = {key.public: key for key in KEYS}


def signed_vote(validators: ValidatorSet, signer: int, kind: VoteKind, header: Header) -> Vote:
    """Return the vote of one validator for a block."""
    digest = header_digest(header)
    message = vote_message(header.chain_id, header.epoch, header.view, kind, digest)
    signature = SIGNING[validators.keys[signer]].sign(message)
    return Vote(header.epoch, header.view, kind, digest, ValidatorIndex(signer), signature)


def certify(
    header: Header, validators: ValidatorSet, kind: VoteKind = VoteKind.FINALIZE
) -> Certificate:
    """Return the certificate of a quorum for a block."""
    votes = [signed_vote(validators, signer, kind, header) for signer in range(validators.quorum)]
    return make_certificate(votes, validators)


class CertifiedChain:
    """Blocks from genesis on; the state is the same after all of them."""

    def __init__(self, state_root: Digest) -> None:
        first = genesis_header(GENESIS)
        self.state_root = state_root
        self.headers = [first]
        self.ids: list[tuple[TransactionId, ...]] = [()]
        self.sets = [GENESIS.validators()]
        self.ends: list[EpochEnd] = []
        self.logs = [Frontier()]
        self.receipts = [Frontier()]
        self._number = 0

    @property
    def tip(self) -> Header:
        return self.headers[-1]

    def append(self, transactions: int = 0, *, epoch_end: Digest | None = None) -> Header:
        """Add a block with as many ids."""
        ids = tuple(self._id() for _ in range(transactions))
        log = self.logs[-1].append(header_digest(self.tip))
        executed = Executed(self.tip.height, self.state_root, self.receipts[-1].root)
        if self.tip.height == 0:
            executed = self.tip.executed
        header = self._child(self.tip, log, executed, epoch_end)
        header = _with_body(header, ids)
        self.headers.append(header)
        self.ids.append(ids)
        self.logs.append(log)
        self.receipts.append(self.receipts[-1].append(EMPTY_ROOT))
        return header

    def end_epoch(self, keys: Sequence[SigningKey], *, fillers: int = 0) -> EpochEnd:
        """End the epoch with a block; these keys vote next."""
        validators = self.sets[-1]
        chosen = ValidatorSet(
            Epoch(validators.epoch + 1), tuple(sorted(key.public for key in keys))
        )
        last = ended = self.append(epoch_end=chosen.digest)
        chain = []
        for _ in range(fillers):
            last = self._filler(last, ended)
            chain.append(last)
        end = EpochEnd(ended, tuple(chain), certify(last, validators), chosen.keys)
        self.sets.append(chosen)
        self.ends.append(end)
        return end

    def _id(self) -> TransactionId:
        self._number += 1
        return TransactionId(self._number.to_bytes(32, "big"))

    def _child(
        self, parent: Header, log: Frontier, executed: Executed, epoch_end: Digest | None
    ) -> Header:
        epoch = self.sets[-1].epoch
        return Header(
            chain_id=GENESIS.chain_id,
            epoch=epoch,
            view=View(parent.view + 1 if parent.epoch == epoch else 1),
            height=Height(parent.height + 1),
            parent=header_digest(parent),
            parent_view=View(parent.view if parent.epoch == epoch else 0),
            time_ms=TimeMs(parent.time_ms + BLOCK_MS),
            proposer=ValidatorIndex(0),
            tx_root=EMPTY_ROOT,
            tx_count=0,
            tx_bytes=0,
            executed=executed,
            epoch_end=epoch_end,
            filler_of=None,
            log_root=log.root,
        )

    def _filler(self, parent: Header, ended: Header) -> Header:

        made = self._child(parent, self.logs[-1], ended.executed, None)
        return msgspec.structs.replace(made, filler_of=header_digest(ended))


def _with_body(header: Header, ids: tuple[TransactionId, ...]) -> Header:

    return msgspec.structs.replace(
        header, tx_root=merkle_root(ids), tx_count=len(ids), tx_bytes=100 * len(ids)
    )
