"""Everything that can happen to the machine: the closed union of inputs.

`step` takes an input and the time; it never waits and never asks for anything but through effects.
"""

from enum import IntEnum
from typing import TypeAlias

import msgspec

from moyai.consensus.config import FinalTip
from moyai.consensus.messages import ConsensusMessage, Evidence
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, Height, NetworkKey, TimeMs, TransactionId, View
from moyai.primitives.vote import Vote


class Now(msgspec.Struct, frozen=True):
    """The time of a step: a monotonic clock for timers, the wall clock for block times."""

    mono_ms: int
    wall_ms: TimeMs


class Timer(IntEnum):
    """The machine's timers; setting one again replaces it."""

    LEADER = 1
    VIEW = 2
    PROPOSE = 3
    REBROADCAST = 4
    STATUS = 5
    IDLE = 6
    SILENT_LEADER = 7
    FETCH = 8
    DOUBLE_SIGN_CHECK = 9


class Started(msgspec.Struct, frozen=True):
    """The shell is ready to perform effects; the first input of every machine."""


class TimerFired(msgspec.Struct, frozen=True):
    """A timer set by `SetTimer` is due."""

    timer: Timer


class MessageReceived(msgspec.Struct, frozen=True):
    """A well-formed message from an authenticated peer; its signatures have not been checked."""

    sender: NetworkKey
    message: ConsensusMessage


class VoteVerified(msgspec.Struct, frozen=True):
    """The answer to `VerifyVote`."""

    vote: Vote
    sender: NetworkKey
    valid: bool


class CertificateVerified(msgspec.Struct, frozen=True):
    """The answer to `VerifyCertificate`."""

    certificate: Certificate
    sender: NetworkKey
    valid: bool


class EvidenceVerified(msgspec.Struct, frozen=True):
    """The answer to `VerifyEvidence`."""

    evidence: Evidence
    sender: NetworkKey
    valid: bool


class BlockBuilt(msgspec.Struct, frozen=True):
    """The answer to `BuildBlock`: the transactions chosen, in order; none of them when there is no
    work.
    """

    view: View
    parent: Digest
    transaction_ids: tuple[TransactionId, ...]
    tx_root: Digest
    tx_bytes: int


class BodyVerdict(IntEnum):
    """What the shell found out about a body."""

    VALID = 1
    INVALID = 2


class BlockChecked(msgspec.Struct, frozen=True):
    """The answer to `CheckBlock`, once the body is complete: held whole, or invalid and why."""

    digest: Digest
    verdict: BodyVerdict
    reason: str


class Executed(msgspec.Struct, frozen=True):
    """A final block was executed here, with these roots.

    `pending` is the digest of the validator set that waits for an epoch end after it, if any.
    """

    height: Height
    state_root: Digest
    receipts_root: Digest
    pending: Digest | None = None


class WorkChanged(msgspec.Struct, frozen=True):
    """Whether transactions known here and not final wait, and whether they fill a block.

    Given after every admitted batch, also when both stay as they were: a leader that found nothing
    to order asks again only after one.
    """

    pending: bool
    full_block: bool


class LinksChanged(msgspec.Struct, frozen=True):
    """The validators and full nodes with a live authenticated link, in key order."""

    connected: tuple[NetworkKey, ...]


class Synced(msgspec.Struct, frozen=True):
    """Catch-up stored and executed all final blocks up to `tip`.

    `fillers` lead from a tip that ends the epoch to the block its certificate names, oldest first.
    """

    tip: FinalTip
    fillers: tuple[Header, ...] = ()


Input: TypeAlias = (
    Started
    | TimerFired
    | MessageReceived
    | VoteVerified
    | CertificateVerified
    | EvidenceVerified
    | BlockBuilt
    | BlockChecked
    | Executed
    | WorkChanged
    | LinksChanged
    | Synced
)
