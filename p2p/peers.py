"""Who the peers are, how they behave, and which of two links to one peer stays. Pure.

Not here: links themselves (`connection`) and dialling (`hub`).
"""

from collections import deque
from collections.abc import Mapping

import msgspec

from moyai.p2p import limits
from moyai.primitives.ids import NetworkKey, ValidatorIndex


class Contact(msgspec.Struct, frozen=True):
    """What the registry says of a node; `endpoint` is host:port and only a hint, or empty.

    `validator` is none for a full node.
    """

    key: NetworkKey
    name: str
    endpoint: str
    validator: ValidatorIndex | None


class Directory(msgspec.Struct, frozen=True):
    """The members and registered full nodes of the moment, by network key, in key order."""

    contacts: Mapping[NetworkKey, Contact]

    @staticmethod
    def of(*contacts: Contact) -> "Directory":
        """Return the directory of these contacts."""
        ordered = sorted(contacts, key=lambda contact: contact.key)
        return Directory({contact.key: contact for contact in ordered})

    def dialled_by(self, own: NetworkKey) -> tuple[Contact, ...]:
        """Return whom the node with key `own` dials: every other validator with an endpoint."""
        return tuple(
            contact
            for contact in self.contacts.values()
            if contact.validator is not None and contact.endpoint and contact.key != own
        )


def parse_endpoint(endpoint: str) -> tuple[str, int] | None:
    """Return host and port of `host:port` or `[IPv6]:port`; none when it is neither."""
    host, _, port = endpoint.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not port.isdecimal() or not port.isascii() or not 0 < int(port) < 65_536:
        return None
    return host, int(port)


class Conduct:
    """The faults of one key: two within a minute block it, each time twice as long, for an hour
    at most. Nobody is blocked for good.
    """

    def __init__(self) -> None:
        self._faults_ms: deque[int] = deque(maxlen=limits.FAULTS_TO_BLOCK)
        self._block_ms = limits.BLOCK_MS_MIN
        self._blocked_until_ms = 0

    def fault(self, now_ms: int) -> None:
        """Count one fault."""
        faults = self._faults_ms
        if now_ms - self._blocked_until_ms > limits.BLOCK_MS_MAX:
            self._block_ms = limits.BLOCK_MS_MIN
        faults.append(now_ms)
        if len(faults) == limits.FAULTS_TO_BLOCK and now_ms - faults[0] <= limits.FAULT_WINDOW_MS:
            self._blocked_until_ms = now_ms + self._block_ms
            self._block_ms = min(2 * self._block_ms, limits.BLOCK_MS_MAX)
            faults.clear()

    def blocked_ms(self, now_ms: int) -> int:
        """Return for how long nothing is accepted from this key; 0 when it is not blocked."""
        return max(0, self._blocked_until_ms - now_ms)


class LinkOrigin(msgspec.Struct, frozen=True):
    """Who dialled a link and since when it is authenticated."""

    dialler: NetworkKey
    since_ms: int


def newer_survives(
    older: LinkOrigin, newer: LinkOrigin, *, own: NetworkKey, remote: NetworkKey
) -> bool:
    """Return whether the newer of two links between `own` and `remote` is the one to keep.

    When both nodes dialled at about the same time, both keep the link that the smaller key dialled.
    Otherwise the peer dials because its end of the older link is gone, and the newer one stays.
    """
    simultaneous = newer.since_ms - older.since_ms <= limits.SIMULTANEOUS_DIAL_MS
    if simultaneous and newer.dialler != older.dialler:
        return newer.dialler == min(own, remote)
    return True


def backoff_ms(attempt: int, chance: float) -> int:
    """Return the wait before dial `attempt` (from 0); `chance` in [0, 1) spreads it."""
    longest = min(limits.DIAL_BACKOFF_MS_MAX, limits.DIAL_BACKOFF_MS_MIN << min(attempt, 16))
    return int(longest * (0.5 + chance / 2))
