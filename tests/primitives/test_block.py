"""Scenarios of headers: the digest names every field."""

import msgspec

from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.codec import Codec, encode
from moyai.primitives.ids import ZERO_DIGEST, Digest, Epoch, Height, TimeMs, ValidatorIndex, View
from moyai.primitives.merkle import EMPTY_ROOT

HEADER = Header(
    chain_id="kaga",
    epoch=Epoch(0),
    view=View(3),
    height=Height(2),
    parent=Digest(b"\x01" * 32),
    parent_view=View(1),
    time_ms=TimeMs(1_700_000_000_000),
    proposer=ValidatorIndex(0),
    tx_root=EMPTY_ROOT,
    tx_count=0,
    tx_bytes=0,
    executed=Executed(Height(1), ZERO_DIGEST, EMPTY_ROOT),
    epoch_end=None,
    filler_of=None,
    log_root=EMPTY_ROOT,
)


def test_the_digest_is_pinned() -> None:
    assert (
        header_digest(HEADER).hex()
        == "61f9a7662673f0c1dbfd0816511b827c43833270d20b0625262139462081af4e"
    )


def test_x11_every_field_is_under_the_digest_that_votes_sign() -> None:
    changes: dict[str, object] = {
        "chain_id": "komatsu",
        "epoch": 1,
        "view": 4,
        "height": 3,
        "parent": ZERO_DIGEST,
        "parent_view": 2,
        "time_ms": 1,
        "proposer": 1,
        "tx_root": ZERO_DIGEST,
        "tx_count": 1,
        "tx_bytes": 1,
        "executed": Executed(Height(0), ZERO_DIGEST, EMPTY_ROOT),
        "epoch_end": ZERO_DIGEST,
        "filler_of": ZERO_DIGEST,
        "log_root": ZERO_DIGEST,
    }
    assert set(changes) == set(Header.__struct_fields__)
    digests = {
        header_digest(msgspec.structs.replace(HEADER, **{name: value}))
        for name, value in changes.items()
    }
    assert len(digests) == len(changes)
    assert header_digest(HEADER) not in digests


def test_a_header_reads_back() -> None:
    assert Codec(Header, name="header").decode(encode(HEADER)) == HEADER
