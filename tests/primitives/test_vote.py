"""Scenarios of votes: what exactly is signed."""

from moyai.primitives.ids import ZERO_DIGEST, Digest, Epoch, ValidatorIndex, View
from moyai.primitives.keys import SigningKey
from moyai.primitives.vote import Vote, VoteKind, vote_is_valid, vote_message

KEY = SigningKey(b"\x07" * 32)
DIGEST = Digest(b"\xaa" * 32)


def test_the_signed_bytes_are_pinned() -> None:
    message = vote_message("kaga", 2, 3, VoteKind.FINALIZE, DIGEST)
    assert message == (
        b"moyai/vote/1\x00\x04kaga"
        + (2).to_bytes(8, "big")
        + (3).to_bytes(8, "big")
        + b"\x03"
        + DIGEST
    )


def test_a_vote_is_valid_for_its_chain_epoch_view_kind_and_digest_alone() -> None:
    signature = KEY.sign(vote_message("kaga", 1, 9, VoteKind.NOTARIZE, DIGEST))
    index = ValidatorIndex(0)

    def valid(vote: Vote, chain_id: str = "kaga") -> bool:
        return vote_is_valid(vote, chain_id, KEY.public)

    good = Vote(Epoch(1), View(9), VoteKind.NOTARIZE, DIGEST, index, signature)
    assert valid(good)
    assert not valid(good, "komatsu")
    assert not valid(Vote(Epoch(2), View(9), VoteKind.NOTARIZE, DIGEST, index, signature))
    assert not valid(Vote(Epoch(1), View(8), VoteKind.NOTARIZE, DIGEST, index, signature))
    assert not valid(Vote(Epoch(1), View(9), VoteKind.FINALIZE, DIGEST, index, signature))
    assert not valid(Vote(Epoch(1), View(9), VoteKind.NOTARIZE, ZERO_DIGEST, index, signature))
