"""Scenarios of checks: an offer must lead from its certificate to its state, or it is a lie."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.certified_chain import certify
from harness.core_city import CHAIN_ID
from harness.kept_state import kept_state
from moyai.p2p.errors import SyncFault
from moyai.p2p.serving import answer_state
from moyai.p2p.snapshot_checks import check_certificate, check_offer, check_recent
from moyai.p2p.snapshot_messages import RecentAnswer, RecentRequest, SnapshotOffer
from moyai.primitives.block import header_digest
from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError
from moyai.primitives.ids import Digest, Height
from moyai.primitives.vote import VoteKind

STATE = kept_state(keys=20, depth=1, blocks=6)
SETS = STATE.chain.sets
codec = Codec(SnapshotOffer, name="offer")


def offered() -> SnapshotOffer:
    offer = STATE.offer(None)
    assert offer is not None
    return offer


OFFER = offered()
HEADER = OFFER.description.header


def test_a_true_offer_leads_to_its_target() -> None:
    checked = check_offer(OFFER, CHAIN_ID, None)
    check_certificate(checked, CHAIN_ID, SETS[2])
    assert checked.target.header == STATE.chain.tip
    assert checked.height == HEADER.height


def test_an_offer_certified_by_the_attesting_header_itself_needs_no_path() -> None:
    attesting = OFFER.description.attesting
    direct = SnapshotOffer(OFFER.description, certify(attesting, SETS[2]), (attesting,), ())
    check_certificate(check_offer(direct, CHAIN_ID, HEADER.height), CHAIN_ID, SETS[2])


def test_what_was_not_asked_for_or_is_of_elsewhere_is_refused() -> None:
    with pytest.raises(SyncFault, match="another question"):
        check_offer(OFFER, CHAIN_ID, Height(HEADER.height + 1))
    with pytest.raises(SyncFault, match="another chain"):
        check_offer(OFFER, "elsewhere", None)


def test_a_notarization_certifies_no_state() -> None:
    notarized = certify(OFFER.headers[0], SETS[2], VoteKind.NOTARIZE)
    with pytest.raises(SyncFault, match="certified"):
        check_offer(msgspec.structs.replace(OFFER, certificate=notarized), CHAIN_ID, None)


def test_another_quorum_certifies_nothing() -> None:
    with pytest.raises(SyncFault, match="another epoch"):
        check_certificate(check_offer(OFFER, CHAIN_ID, None), CHAIN_ID, SETS[1])


@given(st.data())
def test_no_byte_of_an_offer_can_be_changed(data: st.DataObject) -> None:
    raw = bytearray(encode(OFFER))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = codec.decode(bytes(raw))
    except CodecError:
        return
    with pytest.raises(SyncFault):
        check_certificate(check_offer(changed, CHAIN_ID, None), CHAIN_ID, SETS[2])


def recent(last: int, count: int) -> tuple[RecentRequest, RecentAnswer]:
    request = RecentRequest(Height(last), count)
    answer = answer_state(request, STATE)
    assert isinstance(answer, RecentAnswer)
    return request, answer


def test_recent_blocks_are_a_hash_chain_downwards() -> None:
    request, answer = recent(HEADER.height, 4)
    checked = check_recent(header_digest(HEADER), request, answer)
    heights = range(HEADER.height, HEADER.height - 4, -1)
    chain = STATE.chain
    assert checked == [(chain.headers[height], chain.ids[height]) for height in heights]


@pytest.mark.parametrize("reason", ["parent", "ids", "the ids are not", "more than"])
def test_other_recent_blocks_are_refused(reason: str) -> None:
    request, answer = recent(HEADER.height, 4)
    expected = header_digest(HEADER)
    first, *rest = answer.blocks
    if reason == "parent":
        expected = Digest(bytes(32))
    elif reason == "ids":
        answer = RecentAnswer(answer.last, (msgspec.structs.replace(first, ids=b""), *rest))
    elif reason == "the ids are not":  # as many as there should be
        assert first.ids
        changed = msgspec.structs.replace(first, ids=first.ids[::-1])
        answer = RecentAnswer(answer.last, (changed, *rest))
    else:
        request = RecentRequest(request.last, 3)
    with pytest.raises(SyncFault, match=reason):
        check_recent(expected, request, answer)
