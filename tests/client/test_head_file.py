"""Scenarios for the head on disk: checked when read, never replaced by an older one."""

from contextlib import suppress
from pathlib import Path

import pytest

from harness.proven_city import ProvenCity, make_genesis
from moyai.client.errors import ForkError, HeadFileError
from moyai.client.head_file import HeadFile
from moyai.client.trust import TrustedChain
from moyai.primitives.codec import encode


def chain_at(city: ProvenCity, height: int) -> TrustedChain:
    chain = TrustedChain(city.genesis)
    certificate = city.snapshot_of(lambda view: view.certificate(height))
    chain.restore(chain.verify(encode(city.headers[height]), encode(certificate)))
    return chain


@pytest.fixture
def grown(city: ProvenCity) -> ProvenCity:
    for _ in range(3):
        city.commit()
    return city


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "head.json"


def kept_height(path: Path, city: ProvenCity) -> int:
    chain = TrustedChain(city.genesis)
    HeadFile(path).restore(chain)
    return chain.head.height


def test_a_head_is_kept_and_restored(grown: ProvenCity, path: Path) -> None:
    assert kept_height(path, grown) == 0
    HeadFile(path).save(chain_at(grown, 2))
    assert kept_height(path, grown) == 2


def test_genesis_needs_no_file(grown: ProvenCity, path: Path) -> None:
    HeadFile(path).save(TrustedChain(grown.genesis))
    assert not path.exists()


def test_an_older_head_never_replaces_a_newer_one(grown: ProvenCity, path: Path) -> None:
    HeadFile(path).save(chain_at(grown, 3))
    HeadFile(path).save(chain_at(grown, 1))
    assert kept_height(path, grown) == 3


def test_two_heads_of_one_height_are_a_fork(grown: ProvenCity, path: Path, tmp_path: Path) -> None:
    HeadFile(path).save(chain_at(grown, 1))
    forked = ProvenCity(tmp_path / "forked")
    forked.commit(time_ms=forked.tip.time_ms + 7)
    with pytest.raises(ForkError):
        HeadFile(path).save(chain_at(forked, 1))
    forked.close()


def test_a_head_of_another_city_is_refused(grown: ProvenCity, path: Path) -> None:
    HeadFile(path).save(chain_at(grown, 1))
    with pytest.raises(HeadFileError):
        HeadFile(path).restore(TrustedChain(make_genesis("other-city")))


def test_any_flipped_byte_is_noticed_or_changes_nothing(grown: ProvenCity, path: Path) -> None:
    HeadFile(path).save(chain_at(grown, 2))
    good = path.read_bytes()
    for place in range(0, len(good), 7):
        path.write_bytes(good[:place] + bytes((good[place] ^ 1,)) + good[place + 1 :])
        with suppress(HeadFileError):
            assert kept_height(path, grown) == 2


def test_a_folder_that_cannot_be_written(grown: ProvenCity, tmp_path: Path) -> None:
    with pytest.raises(HeadFileError):
        HeadFile(tmp_path / "missing" / "head.json").save(chain_at(grown, 1))
