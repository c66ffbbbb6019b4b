"""Both kinds of a view are kept until a newer finalization; the floor keeps its own (R9)."""

from harness.consensus.playbook import Stage
from moyai.consensus.certificates import CertificateStore
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import View

STAGE = Stage()
BLOCKS = {view: STAGE.make(view) for view in range(1, 9)}


def notarization(view: int) -> Certificate:
    return STAGE.notarization(BLOCKS[view]).certificate


def nullification(view: int) -> Certificate:
    return STAGE.nullification(view).certificate


def finalization(view: int) -> Certificate:
    return STAGE.finalization(BLOCKS[view]).certificate


def test_a_view_may_end_with_both_kinds() -> None:
    store = CertificateStore(View(0), None)
    store.add(notarization(3))
    assert not store.knows(nullification(3))
    store.add(nullification(3))
    assert store.knows(notarization(3))
    assert store.knows(nullification(3))
    assert store.of_views(View(1), View(9)) == [notarization(3), nullification(3)]


def test_a_finalization_serves_wherever_a_notarization_is_asked_for() -> None:
    store = CertificateStore(View(0), None)
    store.add(finalization(4))
    assert store.certified(View(4)) == BLOCKS[4].digest
    assert store.certified(View(3)) is None
    assert store.of_highest_view() == finalization(4)


def test_only_a_newer_finalization_is_news() -> None:
    store = CertificateStore(View(0), None)
    store.add(finalization(4))
    assert store.knows(finalization(3))
    assert store.knows(nullification(4))
    assert not store.knows(finalization(5))
    assert store.final_view == 4


def test_a_new_floor_keeps_its_own_certificate_and_what_is_above() -> None:
    store = CertificateStore(View(0), None)
    for certificate in (notarization(2), nullification(3), notarization(4), notarization(5)):
        store.add(certificate)
        store.mark_durable(certificate)
    store.prune(View(4), finalization(4))
    assert store.floor_finalization == finalization(4)
    assert store.of_views(View(0), View(9)) == [notarization(5)]
    assert store.is_durable(notarization(5))
    assert not store.is_durable(notarization(4))
    assert store.certified(View(4)) == BLOCKS[4].digest


def test_the_highest_view_is_of_any_kind() -> None:
    store = CertificateStore(View(0), None)
    store.add(notarization(2))
    store.add(nullification(6))
    assert store.highest_view == 6
    assert store.of_highest_view() == nullification(6)
    assert store.of(nullification(6).kind, View(6)) == nullification(6)
