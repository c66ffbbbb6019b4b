"""Peer to peer: bytes from sockets become typed, checked messages, and messages become bytes."""
