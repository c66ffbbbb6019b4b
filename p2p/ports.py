"""What the hub is given and what it gives: its configuration, its callbacks, its view of peers."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from moyai.p2p.connection import Clocks, Identity
from moyai.p2p.messages import WireMessage
from moyai.p2p.peers import Contact
from moyai.primitives.ids import NetworkKey


class Event(StrEnum):
    """What the hub counts, and says to `on_notice` together with the reason."""

    LINK_UP = "link_up"
    LINK_DOWN = "link_down"
    REFUSED = "refused"
    DIAL_FAILED = "dial_failed"
    FAULT = "fault"
    CLOCK_DIFFERS = "clock_differs"


class Notice(msgspec.Struct, frozen=True):
    """Something an operator may want to read: what, about whom (a name or an address), why."""

    event: Event
    peer: str
    reason: str


class Handlers(msgspec.Struct, frozen=True):
    """Where the hub's news goes. `on_link` says whether the link to a peer is now up."""

    on_message: Callable[[NetworkKey, WireMessage], None]
    on_link: Callable[[NetworkKey, bool], None]
    on_notice: Callable[[Notice], None]


class HubConfig(msgspec.Struct, frozen=True):
    """How this node speaks: `listen` is none for a node that only dials."""

    identity: Identity
    listen: tuple[str, int] | None
    software: str
    clocks: Clocks


class PeerInfo(msgspec.Struct, frozen=True):
    """What is known of one contact; the link's fields are zero when there is no link."""

    contact: Contact
    connected: bool
    dialled_by_us: bool = False
    since_ms: int = 0
    unsent_bytes: int = 0
    clock_ahead_ms: int = 0
    software: str = ""
