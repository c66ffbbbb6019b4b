"""Watches for new keys of this node: says that it is ready for them, and notices when they count.

The files may appear while the node runs. Not here: making them and changing to them (`next_keys`).
"""

import os
from pathlib import Path

import structlog

from moyai.consensus.config import MachineConfig
from moyai.ledger.state import ValueReader
from moyai.node.config import NodeConfig
from moyai.node.errors import KeyFileError
from moyai.node.key_file import KeyKind, load_signing_key
from moyai.node.next_keys import NextKeys, next_path, read_next
from moyai.node.passphrase import VARIABLE
from moyai.node.readiness import Readiness

NO_KEYS = NextKeys(None, None)


class FollowKeys:
    """The keys that lie beside those of a running node; a look at them costs two file lookups."""

    def __init__(self, config: NodeConfig, chain_id: str) -> None:
        self._config = config
        self._chain_id = chain_id
        self._keys = NO_KEYS
        self._seen: tuple[int, int] = (0, 0)
        self._readiness: Readiness | None = None
        self._log = structlog.get_logger()

    def is_due(self, machine: MachineConfig) -> bool:
        """Return whether a key that lies ready is in force in the epoch of `machine`."""
        self._look()
        return self._keys.is_in_force(machine.validators.keys, machine.network_keys)

    def readiness(self, reader: ValueReader, now_ms: int) -> bytes | None:
        """Return the transaction by which the next validator key says that it is ready, if due."""
        return None if self._readiness is None else self._readiness.transaction(reader, now_ms)

    def _look(self) -> None:
        """Read the files anew when they are others; what cannot be used is told once."""
        validator = next_path(self._config.key_file)
        seen = (_changed_ns(validator), _changed_ns(next_path(self._config.network_key_file)))
        if seen == self._seen or self._config.mode == "full":
            return
        self._seen, self._keys, self._readiness = seen, NO_KEYS, None
        try:
            keys = read_next(self._config)
            if keys.validator is not None:
                passphrase = os.environ.get(VARIABLE)
                signing = load_signing_key(validator, KeyKind.VALIDATOR, passphrase)
                self._readiness = Readiness(self._chain_id, signing)
            self._keys = keys
        except KeyFileError as error:
            self._log.warning("next_key_unusable", reason=str(error))


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
