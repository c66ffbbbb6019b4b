"""Scenarios of the genesis document: what can start a chain and what cannot."""

import msgspec
import pytest

from moyai.primitives.errors import GenesisError, PublicKeyError
from moyai.primitives.genesis import (
    FullNode,
    Genesis,
    Member,
    Role,
    check_genesis,
    genesis_block_digest,
    genesis_digest,
    genesis_header,
)
from moyai.primitives.ids import ZERO_DIGEST, AccountId, NetworkKey, PublicKey, TimeMs
from moyai.primitives.keys import SigningKey
from moyai.primitives.parameters import Parameters


def member(seed: int, *roles: Role) -> Member:
    return Member(
        name=f"member-{seed}",
        validator_key=SigningKey(bytes([seed]) * 32).public,
        network_key=NetworkKey(bytes([seed]) * 32),
        endpoint="127.0.0.1:7000",
        account=AccountId(bytes([seed]) * 20),
        officer_keys=(SigningKey(bytes([seed + 100]) * 32).public,),
        roles=roles,
    )


CITY = member(1, Role.SPONSOR, Role.REGISTRAR)
GENESIS = Genesis("kaga", TimeMs(1), Parameters(), (CITY, member(2)), (), ZERO_DIGEST)


def test_a_city_with_a_sponsor_and_a_registrar_can_start() -> None:
    check_genesis(GENESIS)
    header = genesis_header(GENESIS)
    assert header.parent == genesis_digest(GENESIS)
    assert (header.height, header.view, header.epoch) == (0, 0, 0)
    assert GENESIS.validators().keys == tuple(sorted(m.validator_key for m in GENESIS.members))


def test_another_document_is_another_network() -> None:
    other = msgspec.structs.replace(GENESIS, time_ms=TimeMs(2))
    assert genesis_digest(other) != genesis_digest(GENESIS)
    assert genesis_block_digest(other) != genesis_block_digest(GENESIS)


@pytest.mark.parametrize("twin", ["name", "validator_key", "network_key", "account"])
def test_what_must_be_distinct_stands_once(twin: str) -> None:
    copy = msgspec.structs.replace(member(2), **{twin: getattr(CITY, twin)})
    with pytest.raises(GenesisError, match="stands twice"):
        check_genesis(msgspec.structs.replace(GENESIS, members=(CITY, copy)))


def test_one_key_is_not_two_officers() -> None:
    (key,) = CITY.officer_keys
    twice = msgspec.structs.replace(CITY, officer_keys=(key, key))
    with pytest.raises(GenesisError, match="officer key stands twice"):
        check_genesis(msgspec.structs.replace(GENESIS, members=(twice, member(2))))


def test_a_full_node_shares_no_network_key_with_a_member() -> None:
    node = FullNode("mirror", CITY.network_key, "")
    with pytest.raises(GenesisError, match="network key"):
        check_genesis(msgspec.structs.replace(GENESIS, full_nodes=(node,)))


def test_without_a_registrar_no_account_could_be_bound() -> None:
    with pytest.raises(GenesisError, match="registrar"):
        check_genesis(msgspec.structs.replace(GENESIS, members=(member(1, Role.SPONSOR),)))


def test_a_key_that_no_signature_can_be_trusted_with_is_refused() -> None:
    bad = msgspec.structs.replace(CITY, validator_key=PublicKey(bytes(32)))
    with pytest.raises(PublicKeyError, match="member-1"):
        check_genesis(msgspec.structs.replace(GENESIS, members=(bad, member(2))))
