"""Scenarios of the door: strangers are limited, members come in, faults close it for a while."""

import pytest

from harness.peer_nodes import contact, network_key
from moyai.p2p import limits
from moyai.p2p.admission import Admission
from moyai.p2p.errors import BlockedPeerError, UnknownPeerError
from moyai.p2p.peers import Directory

DIRECTORY = Directory.of(contact(1), contact(2, validator=False))


def test_members_and_full_nodes_are_admitted_and_nobody_else() -> None:
    admission = Admission(DIRECTORY)
    admission.admit(network_key(1), 0)
    admission.admit(network_key(2), 0)
    with pytest.raises(UnknownPeerError, match="no member"):
        admission.admit(network_key(3), 0)


def test_so_many_half_open_connections_and_no_more() -> None:
    admission = Admission(DIRECTORY)
    for number in range(limits.HALF_OPEN_MAX):
        assert not admission.knock(f"10.0.{number // 256}.{number % 256}", 0)
    assert "not authenticated" in admission.knock("10.9.9.9", 0)
    admission.done()
    assert not admission.knock("10.9.9.9", 0)


def test_one_address_cannot_knock_without_end() -> None:
    admission = Admission(DIRECTORY)
    for _ in range(limits.ACCEPTS_PER_ADDRESS_BURST):
        assert not admission.knock("10.0.0.1", 0)
        admission.done()
    assert "this address" in admission.knock("10.0.0.1", 0)
    assert not admission.knock("10.0.0.2", 0)
    assert not admission.knock("10.0.0.1", 1_000)


def test_a_key_with_two_faults_is_blocked_for_a_minute() -> None:
    admission = Admission(DIRECTORY)
    key = network_key(1)
    admission.fault(key, 0)
    admission.admit(key, 0)
    admission.fault(key, 1_000)
    assert admission.blocked_ms(key, 1_000) == 60_000
    with pytest.raises(BlockedPeerError, match="node-1"):
        admission.admit(key, 60_999)
    admission.admit(key, 61_000)


def test_faults_of_keys_that_left_the_registry_are_forgotten() -> None:
    admission = Admission(DIRECTORY)
    for _ in range(limits.FAULTS_TO_BLOCK):
        admission.fault(network_key(1), 0)
        admission.fault(network_key(9), 0)
    assert admission.blocked_ms(network_key(9), 0) == 0
    admission.follow(Directory.of(contact(2)))
    with pytest.raises(UnknownPeerError):
        admission.admit(network_key(1), 0)
    admission.follow(DIRECTORY)
    admission.admit(network_key(1), 0)
