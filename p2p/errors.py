"""What can be wrong with a peer, and what can be wrong with this node's own use of a peer.

A `RemoteFault` is something the other side did: it closes the connection and, where it cannot be an
accident of the network, counts against the peer's key. A `LinkError` is local and counts against
nobody.
"""

from typing import ClassVar

from moyai.primitives.errors import MoyaiError


class RemoteFault(MoyaiError):
    """The other side broke a rule of the wire; the connection ends."""

    code = "peer_fault"
    scored: ClassVar[bool] = True


class HandshakeError(RemoteFault):
    """A handshake message that does not lead to a channel.

    Not scored: before a handshake ends nobody has proven to own any key.
    """

    code = "handshake_failed"
    scored = False


class UnknownPeerError(HandshakeError):
    """The initiator's network key belongs to no member and no registered full node."""

    code = "unknown_peer"


class BlockedPeerError(HandshakeError):
    """The peer is blocked for a while because of its faults."""

    code = "blocked_peer"


class WeakKeyError(HandshakeError):
    """A public key of low order, whose shared secret would be all zero."""

    code = "weak_key"


class ReplayError(HandshakeError):
    """A handshake message that was seen before, or that this node sent itself."""

    code = "replayed_handshake"


class FrameError(RemoteFault):
    """A frame of unknown type, of a wrong length or that does not authenticate."""

    code = "bad_frame"


class MessageError(RemoteFault):
    """A frame that authenticates and holds no message this protocol knows."""

    code = "bad_message"


class SyncFault(RemoteFault):
    """An answer to a sync request that contradicts the certificate it was asked for."""

    code = "bad_sync_answer"


class LinkError(MoyaiError):
    """This node cannot use a link: too large a message, a spent channel, a closed connection."""

    code = "link_error"


class ListenError(MoyaiError):
    """The address for peers cannot be listened on: taken, or not of this machine."""

    code = "cannot_listen"
