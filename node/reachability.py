"""Whether an address answers: one connection, opened and closed. Says nothing about who answers."""

import socket

from moyai.node.config import address_parts

CONNECT_SECONDS_MAX = 2.0


def why_unreachable(address: str) -> str:
    """Return why no connection to `host:port` can be opened from here; an empty text if one can.

    Raises `ConfigError` for what is no address.
    """
    try:
        with socket.create_connection(address_parts(address), CONNECT_SECONDS_MAX):
            return ""
    except OSError as error:
        return str(error)
