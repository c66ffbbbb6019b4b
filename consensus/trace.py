"""One line for each input and each effect, for golden tests, logs and the simulator.

Lines name validators by index, blocks by height and the first digits of their digest. Not here:
where lines go.
"""

from collections.abc import Iterable

from moyai.consensus import effects as out
from moyai.consensus import inputs as into
from moyai.consensus import messages as said
from moyai.consensus import records as kept
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import ZERO_DIGEST, Digest, NetworkKey
from moyai.primitives.vote import Vote, VoteKind

_DIGITS = 6


class Tracer:
    """Renders lines; knows the validators of one epoch by their network keys."""

    def __init__(self, network_keys: tuple[NetworkKey, ...]) -> None:
        self._names = {key: f"v{index}" for index, key in enumerate(network_keys)}

    def peer(self, key: NetworkKey) -> str:
        """Return the name of a peer."""
        return self._names.get(key, key.hex()[:_DIGITS])

    def input(self, event: into.Input) -> str:
        """Return the line of an input."""
        return f"> {self._input(event)}"

    def effect(self, effect: out.Effect) -> str:
        """Return the line of an effect."""
        return f"  {self._effect(effect)}"

    def _input(self, event: into.Input) -> str:
        match event:
            case into.Started():
                return "started"
            case into.TimerFired(timer=timer):
                return f"timer {timer.name.lower()}"
            case into.MessageReceived(sender=sender, message=message):
                return f"{self.peer(sender)}: {self._message(message)}"
            case into.VoteVerified(vote=vote, valid=valid):
                return f"verified {_vote(vote)} {_yes(valid)}"
            case into.CertificateVerified(certificate=certificate, valid=valid):
                return f"verified {_certificate(certificate)} {_yes(valid)}"
            case into.EvidenceVerified(evidence=evidence, valid=valid):
                return f"verified evidence against v{evidence.first.signer} {_yes(valid)}"
            case _:
                return self._answer(event)

    def _answer(self, event: into.Input) -> str:
        match event:
            case into.BlockBuilt(view=view, transaction_ids=ids):
                return f"built for view {view}: {len(ids)} transactions"
            case into.BlockChecked(digest=digest, verdict=verdict, reason=reason):
                return f"checked {_short(digest)}: {verdict.name.lower()} {reason}".rstrip()
            case into.Executed(height=height, state_root=root):
                return f"executed height {height}: {_short(root)}"
            case into.WorkChanged(pending=pending, full_block=full):
                return f"work {'full' if full else 'pending' if pending else 'none'}"
            case into.LinksChanged(connected=connected):
                return f"links {_join(self.peer(key) for key in connected)}"
            case into.Synced(tip=tip):
                return f"synced {_block(tip.header)}"
            case _:
                raise AssertionError(event)

    def _message(self, message: said.ConsensusMessage) -> str:
        match message:
            case said.VoteMessage(vote=vote):
                return f"vote {_vote(vote)}"
            case said.CertificateMessage(certificate=certificate):
                return _certificate(certificate)
            case said.Proposal(header=header):
                return f"proposal {_block(header)} on view {header.parent_view}"
            case said.Status():
                newest = message.vote_of_yours
                yours = f" yours {_vote(newest)}" if newest is not None else ""
                silent = " abstaining" if message.abstaining else ""
                return (
                    f"status view {message.view} final {message.final_view} "
                    f"certified {message.certified_view}{silent}{yours}"
                )
            case said.CertificateRequest(first_view=first, last_view=last):
                return f"asks for certificates of views {first} to {last}"
            case said.BlockRequest(digest=digest):
                return f"asks for block {_short(digest)}"
            case said.BlockMessage(header=header):
                return f"block {_block(header)}"
            case said.Evidence(first=first, second=second):
                return f"evidence {_vote(first)} against {_vote(second)}"

    def _effect(self, effect: out.Effect) -> str:
        match effect:
            case out.Persist(records=records):
                return f"persist {_join(_record(record) for record in records)}"
            case out.Broadcast(message=message):
                return f"to all: {self._message(message)}"
            case out.Send(to=to, message=message):
                return f"to {self.peer(to)}: {self._message(message)}"
            case out.SetTimer(timer=timer, delay_ms=delay_ms):
                return f"set {timer.name.lower()} {delay_ms} ms"
            case out.ClearTimer(timer=timer):
                return f"clear {timer.name.lower()}"
            case out.VerifyVote(vote=vote):
                return f"verify {_vote(vote)}"
            case out.VerifyCertificate(certificate=certificate):
                return f"verify {_certificate(certificate)}"
            case out.VerifyEvidence(evidence=evidence):
                return f"verify evidence against v{evidence.first.signer}"
            case _:
                return self._request(effect)

    def _request(self, effect: out.Effect) -> str:  # noqa: C901, PLR0912 - one arm each
        match effect:
            case out.BuildBlock(view=view, parent=parent):
                return f"build for view {view} on {_short(parent)}"
            case out.CheckBlock(header=header):
                return f"check {_block(header)}"
            case out.DropBlock(digest=digest):
                return f"drop {_short(digest)}"
            case out.Finalized(headers=headers):
                return f"final {_join(_block(header) for header in headers)}"
            case out.EpochEnded(headers=headers):
                return f"epoch ended by {_block(headers[-1])}"
            case out.ProveEpochEnd(to=to, epoch=epoch):
                return f"prove the end of epoch {epoch} to {self.peer(to)}"
            case out.CatchUp(certificate=certificate):
                return f"catch up to {_certificate(certificate)}"
            case out.ShareTransactions(to=to):
                return f"share transactions with {'all' if to is None else self.peer(to)}"
            case out.EvidenceFound(evidence=evidence):
                return f"evidence found against v{evidence.first.signer}"
            case out.Misbehaved(peer=peer, reason=reason):
                return f"misbehaved {self.peer(peer)}: {reason}"
            case out.Count(counter=counter, reason=reason):
                return f"count {counter}: {reason}"
            case out.Halt(reason=reason):
                return f"halt: {reason}"
            case _:
                raise AssertionError(effect)


def _record(record: kept.JournalRecord) -> str:
    match record:
        case kept.VoteRecord(vote=vote):
            return f"own {_vote(vote)}"
        case kept.CertificateRecord(certificate=certificate, lazy=lazy):
            return f"{_certificate(certificate)}{' lazily' if lazy else ''}"
        case kept.BlockRecord(header=header):
            return f"block {_block(header)}"
        case kept.ProposalRecord():
            return "proposal"
        case kept.FloorRecord(certificate=certificate):
            return f"floor {certificate.view}"
        case kept.EvidenceRecord(evidence=evidence):
            return f"evidence against v{evidence.first.signer}"
        case kept.AbstainRecord(abstaining=abstaining, vote_above_view=view):
            return f"abstaining {_yes(abstaining)} above {view}"


def _vote(vote: Vote) -> str:
    digest = "" if vote.digest == ZERO_DIGEST else f" {_short(vote.digest)}"
    return f"{vote.kind.name.lower()}({vote.view}{digest}) of v{vote.signer}"


_CERTIFICATES = {
    VoteKind.NOTARIZE: "notarization",
    VoteKind.NULLIFY: "nullification",
    VoteKind.FINALIZE: "finalization",
}


def _certificate(certificate: Certificate) -> str:
    digest = "" if certificate.digest == ZERO_DIGEST else f" {_short(certificate.digest)}"
    return f"{_CERTIFICATES[certificate.kind]}({certificate.view}{digest})"


def _block(header: Header) -> str:
    digest = _short(header_digest(header))
    return f"{header.height}:{digest} of view {header.view} with {header.tx_count}"


def _short(digest: Digest) -> str:
    return digest.hex()[:_DIGITS]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _join(parts: Iterable[str]) -> str:
    return "; ".join(parts) or "nothing"
