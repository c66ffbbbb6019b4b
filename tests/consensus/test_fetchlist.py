"""Wants are bounded and each is asked for once."""

from moyai.consensus.fetchlist import FetchList, WantedBlock, WantedCertificates
from moyai.consensus.limits import WANTED_BLOCKS_MAX
from moyai.primitives.ids import Digest, NetworkKey, View

SOURCES = (NetworkKey(b"\x01" * 32),)


def digest(number: int) -> Digest:
    return Digest(number.to_bytes(32, "big"))


def test_a_block_is_wanted_once_and_there_is_a_bound() -> None:
    fetches = FetchList()
    new = [
        fetches.want_block(digest(number), WantedBlock(SOURCES, View(number)))
        for number in range(WANTED_BLOCKS_MAX + 5)
    ]
    assert sum(new) == WANTED_BLOCKS_MAX
    assert not fetches.want_block(digest(0), WantedBlock(SOURCES, View(0)))
    assert fetches.got_block(digest(0))
    assert not fetches.got_block(digest(0))


def test_a_floor_ends_wants_below_it() -> None:
    fetches = FetchList()
    for number in (3, 4, 5):
        fetches.want_block(digest(number), WantedBlock(SOURCES, View(number)))
    fetches.prune(View(4))
    assert list(fetches.blocks) == [digest(5)]


def test_only_another_range_of_certificates_is_asked_for_anew() -> None:
    fetches = FetchList()
    assert fetches.empty
    assert fetches.want_certificates(WantedCertificates(View(1), View(3), SOURCES))
    assert not fetches.want_certificates(WantedCertificates(View(1), View(3), SOURCES))
    assert fetches.want_certificates(WantedCertificates(View(2), View(3), SOURCES))
    assert not fetches.empty
