"""The trusted chain: which certified headers this client believes, and why; pure.

It starts from the genesis document alone. A header is believed when a quorum of its epoch's
validators finalized it; the head moves to it only with the proof that it descends from the head
before. Not here: asking nodes (`session`), keeping the head (`head_file`).
"""

from collections.abc import Sequence

import msgspec

from moyai.client.errors import ForkError, LyingNodeError
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate, verify_certificate
from moyai.primitives.codec import Codec, encode
from moyai.primitives.epoch_end import EpochEnd as EpochProof
from moyai.primitives.epoch_end import check_epoch_end
from moyai.primitives.errors import MoyaiError, ProofError
from moyai.primitives.genesis import Genesis, genesis_digest, genesis_header
from moyai.primitives.ids import Digest, Epoch, Height, PublicKey
from moyai.primitives.merkle import verify_inclusion
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import VoteKind

LINKED_MAX = 512
"""How many headers known to lie on the trusted chain are remembered."""

header_codec = Codec(Header, name="header")
certificate_codec = Codec(Certificate, name="certificate")


class CertifiedHeader(msgspec.Struct, frozen=True):
    """A header whose finalization was verified; genesis has no certificate and needs none."""

    header: Header
    digest: Digest
    certificate: Certificate | None

    @property
    def height(self) -> Height:
        return self.header.height

    @property
    def sides(self) -> tuple[bytes, bytes | None]:
        """Return the canonical bytes that show this block was certified."""
        certificate = None if self.certificate is None else encode(self.certificate)
        return encode(self.header), certificate


class EpochEnd(msgspec.Struct, frozen=True):
    """The proof that the validators of one epoch chose those of the next."""

    header: bytes
    fillers: tuple[bytes, ...]
    certificate: bytes
    keys: tuple[PublicKey, ...]


class TrustedChain:
    """What one client believes about one city; the head never goes back."""

    def __init__(self, genesis: Genesis) -> None:
        header = genesis_header(genesis)
        self.genesis = genesis
        self.genesis_digest = genesis_digest(genesis)
        self.head = CertifiedHeader(header, header_digest(header), None)
        self._sets: dict[int, ValidatorSet] = {0: genesis.validators()}
        self._ends: dict[int, EpochEnd] = {}
        self._linked: dict[int, CertifiedHeader] = {0: self.head}

    @property
    def chain_id(self) -> str:
        return self.genesis.chain_id

    @property
    def epoch(self) -> Epoch:
        """Return the newest epoch whose validators are known."""
        return Epoch(max(self._sets))

    @property
    def epoch_ends(self) -> tuple[EpochEnd, ...]:
        """Return the ends of the epochs known, oldest first."""
        return tuple(self._ends[epoch] for epoch in sorted(self._ends))

    def knows_epoch(self, epoch: int) -> bool:
        return epoch in self._sets

    def validators(self, epoch: int) -> ValidatorSet:
        """Return the validators of an epoch that `knows_epoch` affirms."""
        return self._sets[epoch]

    def add_epoch(self, end: EpochEnd) -> None:
        """Learn the validators of the next epoch. Raises `LyingNodeError`."""
        epoch = self.epoch
        what = f"end of epoch {epoch}"
        try:
            proof = EpochProof(
                header_codec.decode(end.header),
                tuple(header_codec.decode(filler) for filler in end.fillers),
                certificate_codec.decode(end.certificate),
                end.keys,
            )
            chosen = check_epoch_end(proof, self.chain_id, self._sets[epoch])
        except MoyaiError as error:
            raise _lie(what, error.reason) from None
        self._sets[epoch + 1] = chosen
        self._ends[epoch] = end

    def verify(self, header_bytes: bytes, certificate_bytes: bytes) -> CertifiedHeader:
        """Return a header whose finalization by its epoch's validators was checked.

        It is certified, not yet known to lie on the trusted chain. Raises `LyingNodeError`.
        """
        try:
            header = header_codec.decode(header_bytes)
            certificate = certificate_codec.decode(certificate_bytes)
        except MoyaiError as error:
            raise _lie("certified header", error.reason) from None
        digest = header_digest(header)
        known = self._linked.get(header.height)
        if known is not None and known.digest == digest:
            return known
        if header.chain_id != self.chain_id or header.filler_of is not None:
            raise _lie(f"block {header.height}", "is of another chain, or no block of it")
        if not self.knows_epoch(header.epoch):
            raise _lie(f"block {header.height}", f"is of epoch {header.epoch}, which has not begun")
        self._check_certificate(header, certificate)
        return CertifiedHeader(header, digest, certificate)

    def is_linked(self, certified: CertifiedHeader) -> bool:
        """Return whether a certified header is known to lie on the trusted chain.

        Raises `ForkError` when another block is certified at its height.
        """
        known = self._linked.get(certified.height)
        if known is None:
            return False
        if known.digest != certified.digest:
            what = f"block {certified.height} of {self.chain_id}"
            raise ForkError(what, known.sides, certified.sides)
        return True

    def link(self, certified: CertifiedHeader, path: Sequence[bytes]) -> bool:
        """Return whether `path` shows that a header and the head are of one chain; then believe it.

        The path leads from the lower of the two to the log of the higher one.
        """
        low, high = sorted((self.head, certified), key=lambda one: one.height)
        try:
            verify_inclusion(low.digest, low.height, high.height, path, high.header.log_root)
        except ProofError:
            return False
        self._remember(certified)
        if certified.height > self.head.height:
            self.head = certified
        return True

    def begin(self, certified: CertifiedHeader) -> bool:
        """Believe the first header that this client ever saw, if it is the first.

        The validators that the genesis document leads to have finalized it, and nothing was seen
        before that it could contradict.
        """
        if self.head.certificate is not None:
            return False
        self._remember(certified)
        self.head = certified
        return True

    def check_fork(self, certified: CertifiedHeader, other: Header, path: Sequence[bytes]) -> None:
        """Check whether `other`, at the lower height of the two, shows that there is a fork.

        `path` leads from it to the log of the higher of the head and `certified`.
        Raises `ForkError` when it does, `LyingNodeError` when it proves nothing.
        """
        low, high = sorted((self.head, certified), key=lambda one: one.height)
        what = f"block {low.height} of {self.chain_id}"
        digest = header_digest(other)
        try:
            if other.height != low.height or digest == low.digest:
                raise ProofError("the block is another than the one asked for", what=what)
            verify_inclusion(digest, low.height, high.height, path, high.header.log_root)
        except ProofError:
            raise _lie(what, "has no path to the log of the block above it") from None
        raise ForkError(what, self.head.sides, certified.sides)

    def restore(self, certified: CertifiedHeader) -> None:
        """Start from a head that this client had verified and kept itself."""
        self.head = certified
        self._remember(certified)

    def _remember(self, certified: CertifiedHeader) -> None:
        self._linked[certified.height] = certified
        if len(self._linked) > LINKED_MAX:
            oldest = next(height for height in self._linked if height != self.head.height)
            del self._linked[oldest]

    def _check_certificate(self, header: Header, certificate: Certificate) -> None:
        what = f"certificate of block {header.height}"
        about = (certificate.epoch, certificate.view, certificate.kind, certificate.digest)
        if about != (header.epoch, header.view, VoteKind.FINALIZE, header_digest(header)):
            raise _lie(what, "is about something else")
        try:
            verify_certificate(certificate, self.chain_id, self._sets[header.epoch])
        except MoyaiError as error:
            raise _lie(what, error.reason) from None


def _lie(what: str, reason: str) -> LyingNodeError:
    return LyingNodeError(reason, what=what, next="the client asks another node")
