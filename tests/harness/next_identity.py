"""Keys that lie beside those of a node in memory, and what `node.next_keys` does with them.

Not here: key files; those are in the scenarios of `next_keys` and of real processes.
"""

from pathlib import Path

from moyai.consensus.config import MachineConfig
from moyai.node.identity import OwnIdentity
from moyai.primitives.genesis import Genesis, genesis_digest
from moyai.storage.journal import Journal


class NextIdentity:
    """The identity that a node changes to; a new validator key has an unused journal."""

    def __init__(
        self,
        identity: OwnIdentity,
        folder: Path,
        genesis: Genesis,
        *,
        old: OwnIdentity,
        map_bytes: int,
    ) -> None:
        self.identity = identity
        self._is_validator = identity.signing != old.signing
        self._folder = folder
        if self._is_validator:
            network = genesis_digest(genesis)
            place = folder / "journal.next"
            Journal.create(place, identity.journal_key, network, map_bytes=map_bytes).close()

    def is_in_force(self, config: MachineConfig) -> bool:
        """Return whether the epoch of `config` knows the new key."""
        if self._is_validator:
            return self.identity.journal_key in config.validators.keys
        return self.identity.network_key in config.network_keys

    def take(self) -> OwnIdentity:
        """Put the new journal in the place of the old one, and return the new identity."""
        if self._is_validator:
            (self._folder / "journal").rename(self._folder / "journal.retired")
            (self._folder / "journal.next").rename(self._folder / "journal")
        return self.identity
