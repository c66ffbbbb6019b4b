"""Free ports: all different, all free."""

import socket

from moyai.node.free_ports import free_ports


def test_every_port_is_different_and_can_be_bound() -> None:
    numbers = [
        number for ports in free_ports(4) for number in (ports.p2p, ports.rpc, ports.metrics)
    ]
    assert len(set(numbers)) == 12
    for number in numbers:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", number))
