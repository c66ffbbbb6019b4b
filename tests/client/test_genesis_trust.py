"""Scenarios for what a client may trust: the document, its digest, or its file."""

from pathlib import Path
from typing import Any

import pytest

from harness.loopback_node import Answer, LoopbackNode, b64
from harness.proven_city import make_genesis
from moyai.client import Client
from moyai.client.errors import NoNodeAnsweredError, SettingsError
from moyai.client.genesis_trust import trusted_digest
from moyai.node.genesis_file import write_genesis
from moyai.primitives.codec import encode
from moyai.primitives.errors import IdentifierError
from moyai.primitives.genesis import genesis_digest

GENESIS = make_genesis()
DIGEST = genesis_digest(GENESIS)


@pytest.fixture
def genesis_file(tmp_path: Path) -> Path:
    write_genesis(tmp_path / "genesis.json", GENESIS)
    return tmp_path / "genesis.json"


def test_a_digest_in_every_form(genesis_file: Path) -> None:
    for trust in (DIGEST, DIGEST.hex(), genesis_file, str(genesis_file)):
        assert trusted_digest(trust) == DIGEST


def test_what_names_no_city(tmp_path: Path) -> None:
    (tmp_path / "noise.json").write_bytes(b'{"digest": "\xc4\xc0"}')
    (tmp_path / "short.json").write_bytes(b'{"digest": "aa"}')
    for trust in (b"short", tmp_path / "none", tmp_path / "noise.json", tmp_path / "short.json"):
        with pytest.raises(SettingsError):
            trusted_digest(trust)
    with pytest.raises(IdentifierError):
        trusted_digest("z" * 64)


async def test_a_node_of_another_city_is_refused(
    node: LoopbackNode, patient: Any, genesis_file: Path
) -> None:
    def another(answer: Answer) -> Answer:
        return {**answer, "document": b64(encode(make_genesis("other-city")))}

    async with Client.connect(node.url, trust=genesis_file, settings=patient) as city:
        assert city.genesis == GENESIS
    node.falsify["chain_genesis"] = another
    with pytest.raises(NoNodeAnsweredError, match="another network"):
        async with Client.connect(node.url, trust=genesis_file, settings=patient):
            pass
