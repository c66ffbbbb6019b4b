"""The officers of a member organisation: one acts in its affairs, two change its account.

Not here: which members there are (`membership`), and operations on controllers (`rules_accounts`).
"""

import msgspec

from moyai.ledger.identity import OFFICERS_FOR_PREMIUM
from moyai.primitives.ids import PublicKey
from moyai.primitives.operations_accounts import Controller, ControllerRole, Thresholds
from moyai.primitives.state_values import Account
from moyai.primitives.transaction import Scheme


def with_officers(account: Account, keys: tuple[PublicKey, ...]) -> Account:
    """Return the account with these officers and no other controllers."""
    # One officer alone could add a key of their own and sign as two.
    control = min(OFFICERS_FOR_PREMIUM, len(keys))
    return msgspec.structs.replace(
        account,
        controllers=tuple(
            Controller(Scheme.ED25519, key, ControllerRole.OWNER, 1, None) for key in keys
        ),
        thresholds=Thresholds(1, 1, control),
    )
