"""Scenarios of the trusted chain: certificates, links, forks and the end of an epoch."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.proven_city import (
    NEXT_SET,
    OFFICER_KEYS,
    VALIDATORS,
    ProvenCity,
    certify,
    epoch_end_headers,
    header_after,
    make_genesis,
    seed,
)
from moyai.client.errors import ForkError, LyingNodeError
from moyai.client.trust import CertifiedHeader, EpochEnd, TrustedChain
from moyai.primitives.block import Header, header_digest
from moyai.primitives.codec import encode
from moyai.primitives.ids import Epoch
from moyai.primitives.keys import SigningKey
from moyai.primitives.merkle import Frontier
from moyai.primitives.vote import VoteKind

GENESIS = make_genesis()


@pytest.fixture
def chain() -> TrustedChain:
    return TrustedChain(GENESIS)


def first_header(**changes: object) -> Header:
    return header_after([TrustedChain(GENESIS).head.header], **changes)


def verified(chain: TrustedChain, header: Header) -> CertifiedHeader:
    return chain.verify(encode(header), encode(certify(header)))


def test_a_certified_header_is_believed_when_linked(chain: TrustedChain) -> None:
    first = verified(chain, first_header())
    assert not chain.is_linked(first)
    assert chain.link(first, [])
    assert chain.head == first
    assert chain.is_linked(first)
    assert chain.verify(*[side for side in first.sides if side]) is first


def test_a_header_off_the_chain_is_not_linked(chain: TrustedChain) -> None:
    stranger = verified(chain, first_header(log_root=bytes(32)))
    assert not chain.link(stranger, [])
    assert chain.head.height == 0


@pytest.mark.parametrize(
    "header",
    [
        first_header(chain_id="other-city"),
        first_header(filler_of=bytes(32)),
        first_header(epoch=Epoch(1)),
    ],
)
def test_headers_that_are_no_blocks_of_this_chain(chain: TrustedChain, header: Header) -> None:
    with pytest.raises(LyingNodeError):
        verified(chain, header)


def test_wrong_certificates(chain: TrustedChain) -> None:
    header, another = first_header(), first_header(time_ms=GENESIS.time_ms + 9)
    wrong = [
        certify(header, keys=VALIDATORS[:2]),
        certify(header, keys=list(OFFICER_KEYS.values())),
        certify(header, kind=VoteKind.NOTARIZE),
        certify(another),
    ]
    for certificate in wrong:
        with pytest.raises(LyingNodeError):
            chain.verify(encode(header), encode(certificate))


@given(st.binary(max_size=80))
def test_noise_is_a_lie(noise: bytes) -> None:
    with pytest.raises(LyingNodeError):
        TrustedChain(GENESIS).verify(noise, noise)


def test_two_certified_blocks_of_one_height_are_a_fork(chain: TrustedChain) -> None:
    first = verified(chain, first_header())
    assert chain.link(first, [])
    second = verified(chain, first_header(time_ms=GENESIS.time_ms + 9))
    with pytest.raises(ForkError) as caught:
        chain.is_linked(second)
    assert caught.value.ours == first.sides
    assert caught.value.theirs == second.sides


def test_a_longer_fork_is_shown_by_its_block_at_our_height(chain: TrustedChain) -> None:
    root = chain.head.header
    assert chain.link(verified(chain, first_header()), [])
    other = first_header(time_ms=GENESIS.time_ms + 9)
    top = verified(chain, header_after([root, other]))
    path = [Frontier().append(header_digest(root)).root]
    with pytest.raises(ForkError):
        chain.check_fork(top, other, path)
    with pytest.raises(LyingNodeError):
        chain.check_fork(top, other, [])
    with pytest.raises(LyingNodeError):
        chain.check_fork(top, chain.head.header, path)


NEXT_KEYS = NEXT_SET.keys


def epoch_end(*, fillers: int = 0, **changes: object) -> EpochEnd:
    headers = epoch_end_headers(first_header(**changes), fillers=fillers)
    certificate = encode(certify(headers[-1]))
    first, *rest = map(encode, headers)
    return EpochEnd(first, tuple(rest), certificate, NEXT_KEYS)


@pytest.mark.parametrize("fillers", [0, 1, 3])
def test_the_validators_of_the_next_epoch_are_learnt(chain: TrustedChain, fillers: int) -> None:
    end = epoch_end(fillers=fillers)
    chain.add_epoch(end)
    assert chain.epoch == 1
    assert chain.validators(1).keys == NEXT_KEYS
    assert chain.epoch_ends == (end,)


def test_other_validators_than_announced_are_not_learnt(chain: TrustedChain) -> None:
    end = epoch_end()
    others = tuple(sorted(SigningKey(seed(f"liar {n}")).public for n in range(4)))
    good_fillers = epoch_end(fillers=2)
    wrong = [
        msgspec.structs.replace(end, keys=others),
        msgspec.structs.replace(end, keys=NEXT_KEYS[::-1]),
        msgspec.structs.replace(good_fillers, fillers=good_fillers.fillers[1:]),
        epoch_end(chain_id="other-city"),
        epoch_end(epoch=Epoch(1)),
    ]
    for lie in wrong:
        with pytest.raises(LyingNodeError):
            chain.add_epoch(lie)
    assert chain.epoch == 0


def test_a_city_agrees(city: ProvenCity) -> None:
    city.commit()
    chain = TrustedChain(city.genesis)
    assert chain.link(verified(chain, city.tip), [])
