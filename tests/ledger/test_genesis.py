"""Scenarios of the first state: every member can act, and it is the same on every node."""

from harness.ledger_city import CITY_HALL, UTILITY, MemoryState, small_genesis
from moyai.ledger.accounts import read_account
from moyai.ledger.genesis import genesis_state
from moyai.primitives.genesis import Role
from moyai.primitives.operations_accounts import AccountKind, ControllerRole


def test_members_start_with_their_officers_and_roles() -> None:
    state = MemoryState(genesis_state(small_genesis()))
    city_hall, utility = (read_account(state, one) for one in (CITY_HALL, UTILITY))
    assert city_hall is not None
    assert utility is not None
    assert city_hall.kind is AccountKind.ORGANISATION
    assert city_hall.member
    assert [one.role for one in city_hall.controllers] == [ControllerRole.OWNER] * 2
    assert utility.roles == (Role.SPONSOR,)


def test_the_state_depends_on_the_document_alone() -> None:
    assert list(genesis_state(small_genesis()).items()) == list(
        genesis_state(small_genesis()).items()
    )
