"""Officers of a member: each acts alone in its affairs, none alone changes the account."""

import pytest

from harness.ledger_city import CITY_HALL, LedgerCity, key
from moyai.ledger.accounts import read_account, thresholds_reachable
from moyai.ledger.officers import with_officers


@pytest.mark.parametrize(("officers", "control"), [(1, 1), (2, 2), (3, 2), (16, 2)])
def test_two_officers_change_the_account_where_there_are_two(officers: int, control: int) -> None:
    account = read_account(LedgerCity().state, CITY_HALL)
    assert account is not None
    keys = tuple(key(60 + number) for number in range(officers))
    changed = with_officers(account, keys)
    assert tuple(one.public_key for one in changed.controllers) == keys
    assert (changed.thresholds.ordinary, changed.thresholds.control) == (1, control)
    assert thresholds_reachable(changed.controllers, changed.thresholds)
    assert (changed.roles, changed.member) == (account.roles, account.member)
