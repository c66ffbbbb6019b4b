"""Who may come in: limits before a peer has authenticated, membership, and blocks for faults. Pure.

Not here: the handshake itself (`handshake`) and the links of those who came in (`hub`).
"""

from moyai.p2p import limits
from moyai.p2p.errors import BlockedPeerError, UnknownPeerError
from moyai.p2p.peers import Conduct, Directory
from moyai.p2p.rates import AddressRates
from moyai.primitives.ids import NetworkKey


class Admission:
    """The door of one node."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._conduct: dict[NetworkKey, Conduct] = {}
        self.half_open = 0
        self._addresses = AddressRates(
            limits.ACCEPTS_PER_ADDRESS_PER_S,
            limits.ACCEPTS_PER_ADDRESS_BURST,
            limits.ADDRESSES_REMEMBERED_MAX,
        )

    def follow(self, directory: Directory) -> None:
        """Follow a new registry; the faults of keys that left it are forgotten."""
        self._directory = directory
        self._conduct = {
            key: conduct for key, conduct in self._conduct.items() if key in directory.contacts
        }

    def knock(self, address: str, now_ms: int) -> str:
        """Count a new connection as half-open; return why it is refused, or nothing.

        Call `done` once when a connection that was not refused is authenticated or gone.
        """
        if self.half_open >= limits.HALF_OPEN_MAX:
            return "too many connections that have not authenticated"
        if not self._addresses.take(address, now_ms):
            return "too many connections from this address"
        self.half_open += 1
        return ""

    def done(self) -> None:
        """A half-open connection is no longer half-open."""
        assert self.half_open > 0
        self.half_open -= 1

    def admit(self, key: NetworkKey, now_ms: int) -> None:
        """Return when the owner of `key` may have a link.

        Raises `UnknownPeerError` or `BlockedPeerError`.
        """
        if key not in self._directory.contacts:
            raise UnknownPeerError(
                "its network key belongs to no member and no registered full node",
                what=f"peer {key.hex()}",
                next="register the network key of that node, or correct its key file",
            )
        blocked_ms = self.blocked_ms(key, now_ms)
        if blocked_ms:
            raise BlockedPeerError(
                f"blocked for {blocked_ms} ms more because of its faults",
                what=f"peer {self._directory.contacts[key].name}",
                next="look for the fault in the log of that node",
            )

    def fault(self, key: NetworkKey, now_ms: int) -> None:
        """Count one fault of an authenticated peer."""
        if key in self._directory.contacts:
            self._conduct.setdefault(key, Conduct()).fault(now_ms)

    def blocked_ms(self, key: NetworkKey, now_ms: int) -> int:
        """Return for how long `key` is blocked; 0 when it is not."""
        conduct = self._conduct.get(key)
        return 0 if conduct is None else conduct.blocked_ms(now_ms)
