"""Network keys that left the registry: for a while their nodes may link, and learn that they have.

A node that was away when its member left, or when its own key changed, has nobody else to ask. Not
here: the members and full nodes of today (`membership`).
"""

import msgspec

from moyai.ledger.changes import Consortium
from moyai.ledger.state import Overlay, ValueReader
from moyai.primitives.codec import encode
from moyai.primitives.ids import TimeMs
from moyai.primitives.state_keys import FORMER_KEYS
from moyai.primitives.state_values import FormerKey

FORMER_KEYS_MAX = 16
FORMER_KEY_MS = 30 * 86_400_000

_former = msgspec.msgpack.Decoder(tuple[FormerKey, ...])


def read_former_keys(reader: ValueReader) -> tuple[FormerKey, ...]:
    """Return the newest keys that left, those whose time is over included, oldest first."""
    value = reader.value(FORMER_KEYS)
    return () if value is None else _former.decode(value)


def write_former_keys(
    overlay: Overlay, before: Consortium, after: Consortium, time_ms: TimeMs
) -> None:
    """Note which keys of the registry `before` are no longer in the one `after`."""
    noted, current = read_former_keys(overlay), dict(after.network_keys())
    until_ms = TimeMs(time_ms + FORMER_KEY_MS)
    kept = [one for one in noted if one.network_key not in current]
    for key, name in before.network_keys():
        if key not in current:
            kept.append(FormerKey(name, key, until_ms))
    if tuple(kept) != noted:
        overlay.put(FORMER_KEYS, encode(kept[-FORMER_KEYS_MAX:]))
