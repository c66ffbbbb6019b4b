"""Finds ports of the loopback interface that nobody uses, for cities that live for minutes."""

import socket
from contextlib import ExitStack

from moyai.node.testnet import Ports

PORTS_PER_NODE = 3


def free_ports(nodes: int) -> tuple[Ports, ...]:
    """Return three free ports for each of `nodes`.

    All are held open until the last is found, so that no port comes twice. Another program may
    still take one before the node does; the node then says so by name.
    """
    with ExitStack() as held:
        numbers = [_free_port(held) for _ in range(nodes * PORTS_PER_NODE)]
    return tuple(
        Ports(*numbers[place : place + PORTS_PER_NODE])
        for place in range(0, len(numbers), PORTS_PER_NODE)
    )


def _free_port(held: ExitStack) -> int:
    probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    probe.bind(("127.0.0.1", 0))
    port: int = probe.getsockname()[1]
    return port
