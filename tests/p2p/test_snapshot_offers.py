"""Scenarios of choosing among offers: what more offer than may lie, then the newest."""

from harness.core_city import CHAIN_ID
from harness.kept_state import KeptState, kept_state
from harness.peer_nodes import network_key
from moyai.p2p.snapshot_checks import CheckedOffer, check_offer
from moyai.p2p.snapshot_offers import SnapshotOffers
from moyai.primitives.ids import Height

NEW = kept_state(keys=10, depth=1)
OLD = KeptState(NEW.chain, [leaf for part in NEW.parts for leaf in part], depth=1, height=6)
ONE, TWO, THREE, FOUR = (network_key(number) for number in range(1, 5))


def checked(state: KeptState) -> CheckedOffer:
    offer = state.offer(None)
    assert offer is not None
    return check_offer(offer, CHAIN_ID, None)


def offers(*, wanted: Height | None = None) -> SnapshotOffers:
    return SnapshotOffers(wanted=wanted, one_honest=2)


def test_two_go_before_one_that_is_newer() -> None:
    said = offers()
    said.add(ONE, checked(NEW))
    assert list(said.best()) == [ONE]
    said.add(TWO, checked(OLD))
    assert list(said.best()) == [ONE], "of equal weight the newer"
    said.add(THREE, checked(OLD))
    assert list(said.best()) == [TWO, THREE]
    said.add(FOUR, checked(NEW))
    assert list(said.best()) == [ONE, FOUR]


def test_what_is_half_here_goes_first_and_what_failed_goes_last() -> None:
    said = offers(wanted=checked(OLD).height)
    said.add(ONE, checked(NEW))
    said.add(TWO, checked(NEW))
    said.add(THREE, checked(OLD))
    assert list(said.best()) == [THREE]
    said.give_up(checked(OLD).offer.description)
    assert list(said.best()) == [ONE, TWO]


def test_who_has_none_offers_nothing() -> None:
    said = offers()
    said.add(ONE, None)
    assert said.best() == {}
    assert said.empty_handed() == (ONE,)
    said.drop(ONE)
    assert ONE not in said


def test_only_offers_beyond_an_epoch_know_its_end() -> None:
    said = offers()
    said.add(ONE, checked(NEW))
    said.add(TWO, checked(OLD))
    said.add(THREE, None)
    assert said.claimants(1) == (ONE, TWO)
    assert said.claimants(2) == ()
