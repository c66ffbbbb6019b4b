"""Scenarios of ends of epochs: the next validators are believed when a quorum chose them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.certified_chain import CertifiedChain, certify
from harness.core_city import CHAIN_ID, KEYS
from moyai.primitives.codec import Codec, encode
from moyai.primitives.epoch_end import EpochEnd, check_epoch_end
from moyai.primitives.errors import CodecError, ProofError
from moyai.primitives.ids import Digest
from moyai.primitives.merkle import EMPTY_ROOT
from moyai.primitives.vote import VoteKind

codec = Codec(EpochEnd, name="end of epoch")


def two_epochs() -> CertifiedChain:
    chain = CertifiedChain(EMPTY_ROOT)
    chain.append(2)
    chain.end_epoch(KEYS[:5])
    chain.append(1)
    chain.end_epoch(KEYS[1:5], fillers=2)
    return chain


CHAIN = two_epochs()
DIRECT, BY_FILLER = CHAIN.ends


@pytest.mark.parametrize("epoch", [0, 1], ids=["directly", "by a filler"])
def test_a_true_end_leads_to_the_next_validators(epoch: int) -> None:
    chosen = check_epoch_end(CHAIN.ends[epoch], CHAIN_ID, CHAIN.sets[epoch])
    assert (chosen.epoch, chosen.keys) == (epoch + 1, CHAIN.sets[epoch + 1].keys)


def refused(end: EpochEnd, epoch: int, reason: str) -> None:
    with pytest.raises(ProofError, match=reason):
        check_epoch_end(end, CHAIN_ID, CHAIN.sets[epoch])


def test_another_epoch_or_chain_is_refused() -> None:
    refused(DIRECT, 1, "another chain or epoch")
    with pytest.raises(ProofError, match="another chain"):
        check_epoch_end(DIRECT, "elsewhere", CHAIN.sets[0])


def test_other_validators_than_announced_are_refused() -> None:
    refused(msgspec.structs.replace(DIRECT, keys=DIRECT.keys[1:]), 0, "announce")
    refused(msgspec.structs.replace(DIRECT, keys=DIRECT.keys[::-1]), 0, "sorted")


def test_a_block_that_ends_no_epoch_is_refused() -> None:
    other = CHAIN.headers[1]
    lie = msgspec.structs.replace(DIRECT, header=other, certificate=certify(other, CHAIN.sets[0]))
    refused(lie, 0, "announce")


def test_fillers_must_lead_to_what_is_certified() -> None:
    refused(msgspec.structs.replace(BY_FILLER, fillers=BY_FILLER.fillers[1:]), 1, "follow")
    refused(msgspec.structs.replace(BY_FILLER, fillers=BY_FILLER.fillers[:1]), 1, "another block")
    refused(msgspec.structs.replace(BY_FILLER, fillers=()), 1, "another block")


def test_a_notarization_ends_nothing() -> None:
    notarized = certify(DIRECT.header, CHAIN.sets[0], VoteKind.NOTARIZE)
    refused(msgspec.structs.replace(DIRECT, certificate=notarized), 0, "another block")


def test_a_bad_signature_is_refused() -> None:
    certificate = DIRECT.certificate
    signatures = (bytes(64), *certificate.signatures[1:])
    forged = msgspec.structs.replace(certificate, signatures=signatures)
    refused(msgspec.structs.replace(DIRECT, certificate=forged), 0, "bad signature")


@given(st.sampled_from([0, 1]), st.data())
def test_no_byte_can_be_changed(epoch: int, data: st.DataObject) -> None:
    raw = bytearray(encode(CHAIN.ends[epoch]))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    try:
        changed = codec.decode(bytes(raw))
    except CodecError:
        return
    with pytest.raises(ProofError):
        check_epoch_end(changed, CHAIN_ID, CHAIN.sets[epoch])


def test_the_digest_names_the_set() -> None:
    assert DIRECT.header.epoch_end == Digest(CHAIN.sets[1].digest)
