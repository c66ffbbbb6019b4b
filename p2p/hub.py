"""The hub: dials, accepts and keeps one link to every peer of the directory, until it is cancelled.

Everything it learns leaves by three callbacks, called on the event loop and not allowed to raise.
Not here: what messages mean, and when anything is sent.
"""

import asyncio
import random
from collections import Counter
from contextlib import suppress

from moyai.consensus.messages import VoteMessage
from moyai.p2p import limits
from moyai.p2p.admission import Admission
from moyai.p2p.connection import WIRE_VERSION, Hello, Link, Opened, open_incoming, open_outgoing
from moyai.p2p.errors import LinkError, ListenError, RemoteFault
from moyai.p2p.handshake import Responder
from moyai.p2p.messages import KEEPALIVE, MessageClass, WireMessage, encode_message, wire_type
from moyai.p2p.peers import (
    Contact,
    Directory,
    LinkOrigin,
    backoff_ms,
    newer_survives,
    parse_endpoint,
)
from moyai.p2p.pipe import Pipe
from moyai.p2p.ports import Event, Handlers, HubConfig, Notice, PeerInfo
from moyai.p2p.queues import Outgoing, Queued
from moyai.primitives.ids import NetworkKey

TICK_MS = 1_000
_KEEPALIVE = Outgoing(KEEPALIVE, MessageClass.VOTES, b"")


class Hub:
    """All links of one node. `run` owns every task; `send` and `broadcast` never wait.

    `events` and `drops` count since the start, for the metrics.
    """

    def __init__(self, config: HubConfig, directory: Directory, handlers: Handlers) -> None:
        self.events: Counter[Event] = Counter()
        self.drops: Counter[str] = Counter()
        self.listening = asyncio.Event()
        self.listen_address: tuple[str, int] | None = None
        self._identity = config.identity
        self._config = config
        self._mono_ms = config.clocks.mono_ms
        self._directory = directory
        self._handlers = handlers
        self._links: dict[NetworkKey, Link] = {}  # in key order
        self._admission = Admission(directory)
        self._link_came_up = asyncio.Event()
        self._down: dict[NetworkKey, asyncio.Event] = {}
        self._dialling: dict[NetworkKey, tuple[Contact, asyncio.Task[None]]] = {}
        self._responder = Responder(
            static=self._identity.secret,
            prologue=self._identity.prologue,
            admit=lambda key: self._admission.admit(key, self._mono_ms()),
        )
        self._spread = random.Random(self._identity.public)  # noqa: S311 - spreads dials, no secret
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Listen, dial and serve until cancelled; all links are closed on the way out.

        Raises `OSError` when the listening address is not to be had.
        """
        listen = self._config.listen
        server = None if listen is None else await self._listen(*listen)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                self.listening.set()
                self._dial_directory()
                await self._tick_forever()
            finally:
                self._tasks = None
                if server is not None:
                    server.close()

    def send(self, to: NetworkKey, message: WireMessage) -> bool:
        """Queue `message` for one peer; return whether there is a link that took it.

        Raises `LinkError` when the message is over its type's cap.
        """
        link = self._links.get(to)
        return link is not None and self._push(link, _outgoing(message))

    def broadcast(self, message: WireMessage, *, validators_only: bool = False) -> int:
        """Queue `message` for every linked peer; return for how many. Encoded once.

        Raises `LinkError` when the message is over its type's cap.
        """
        item = _outgoing(message)
        contacts = self._directory.contacts
        chosen = [
            link
            for key, link in self._links.items()
            if not validators_only or contacts[key].validator is not None
        ]
        return sum(self._push(link, item) for link in chosen)

    def report(self, peer: NetworkKey, reason: str) -> None:
        """Count a fault that the rest of the node found in what `peer` sent; its link ends."""
        self._fault(peer, reason)
        link = self._links.get(peer)
        if link is not None:
            link.close(reason)

    @property
    def half_open(self) -> int:
        """Return how many connections have not authenticated yet."""
        return self._admission.half_open

    def connected(self) -> tuple[NetworkKey, ...]:
        """Return the peers with a live link, in key order."""
        return tuple(self._links)

    def peers(self) -> tuple[PeerInfo, ...]:
        """Return every contact but this node itself, in key order."""
        own = self._identity.public
        contacts = self._directory.contacts.values()
        return tuple(self._info(contact) for contact in contacts if contact.key != own)

    def update_directory(self, directory: Directory) -> None:
        """Follow a new registry: links to keys that left it end, new members are dialled."""
        self._directory = directory
        for key, link in list(self._links.items()):
            if key not in directory.contacts:
                link.close("left the registry")
                self._unlink(link, "left the registry")
        self._admission.follow(directory)
        if self._tasks is not None:
            self._dial_directory()

    async def _listen(self, host: str, port: int) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(lambda: Pipe(self._accepted), host, port)
        except OSError as error:
            raise ListenError(
                f"cannot be listened on: {error.strerror or error}",
                what=f"{host}:{port}",
                next="stop what uses it, or set another p2p.listen",
            ) from None
        name = server.sockets[0].getsockname()
        self.listen_address = (name[0], name[1])
        return server

    def _accepted(self, pipe: Pipe) -> None:
        if self._tasks is None:
            pipe.abort()
            return
        address = pipe.remote_address
        refusal = self._admission.knock(address, self._mono_ms())
        if refusal:
            self._say(Event.REFUSED, address, refusal)
            pipe.abort()
        else:
            answering = self._tasks.create_task(self._answer(pipe, address))
            # Cancelled before its first step, it would not close what it has not begun to use.
            answering.add_done_callback(lambda _: pipe.abort())

    async def _answer(self, pipe: Pipe, address: str) -> None:
        with pipe:
            try:
                async with asyncio.timeout(limits.HALF_OPEN_MS_MAX / 1_000):
                    opened = await open_incoming(pipe, self._responder, self._hello())
            except (RemoteFault, ConnectionError, TimeoutError) as error:
                self._say(Event.REFUSED, address, _reason(error))
                return
            finally:
                self._admission.done()
            await self._serve(pipe, opened, opened.channel.remote)

    def _dial_directory(self) -> None:
        assert self._tasks is not None
        own = self._identity.public
        wanted = {contact.key: contact for contact in self._directory.dialled_by(own)}
        for key, (contact, task) in list(self._dialling.items()):
            if wanted.get(key) != contact:
                task.cancel()
                del self._dialling[key]
        for key, contact in wanted.items():
            if key not in self._dialling:
                task = self._tasks.create_task(self._dial_forever(contact))
                self._dialling[key] = (contact, task)

    async def _dial_forever(self, contact: Contact) -> None:
        attempt = 0
        while True:
            await self._pause(backoff_ms(attempt, self._spread.random()))
            blocked_ms = self._admission.blocked_ms(contact.key, self._mono_ms())
            if blocked_ms:
                await asyncio.sleep(blocked_ms / 1_000)
                continue
            if contact.key in self._links:
                attempt = 0
                await self._down.setdefault(contact.key, asyncio.Event()).wait()
                continue
            started_ms = self._mono_ms()
            await self._dial(contact)
            lasted = self._mono_ms() - started_ms > limits.DIAL_BACKOFF_MS_MAX
            attempt = 0 if lasted else attempt + 1

    async def _pause(self, wait_ms: int) -> None:
        """Wait before a dial; a link that comes up ends every wait, the network may be back."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_ms / 1_000):
                await self._link_came_up.wait()

    async def _dial(self, contact: Contact) -> None:
        """Dial once, and serve the link that comes of it to its end."""
        endpoint = parse_endpoint(contact.endpoint)
        if endpoint is None:
            self._say(Event.DIAL_FAILED, contact.name, "the registered endpoint is no host:port")
            return
        with Pipe() as pipe:
            try:
                async with asyncio.timeout(limits.HALF_OPEN_MS_MAX / 1_000):
                    loop = asyncio.get_running_loop()
                    await loop.create_connection(lambda: pipe, *endpoint)
                    opened = await open_outgoing(pipe, self._identity, contact.key, self._hello())
            except (RemoteFault, OSError, TimeoutError) as error:
                self._say(Event.DIAL_FAILED, contact.name, _reason(error))
                return
            await self._serve(pipe, opened, self._identity.public)

    async def _serve(self, pipe: Pipe, opened: Opened, dialler: NetworkKey) -> None:
        """Carry one authenticated connection to its end, unless another one to the peer stays."""
        now_ms = self._mono_ms()
        link = Link(
            pipe,
            opened,
            origin=LinkOrigin(dialler, now_ms),
            clocks=self._config.clocks,
            drops=self.drops,
        )
        key = link.remote
        older = self._links.get(key)
        if older is not None:
            own = self._identity.public
            if not newer_survives(older.origin, link.origin, own=own, remote=key):
                return
            older.close("replaced by another connection")
            self._unlink(older, "replaced by another connection")
        self._links = dict(sorted([*self._links.items(), (key, link)]))
        self._link_came_up.set()
        self._link_came_up = asyncio.Event()
        self._say(Event.LINK_UP, self._name(key), "")
        self._warn_of_clock(link)
        self._handlers.on_link(key, True)
        ended = await link.run(self._deliver)
        if isinstance(ended, RemoteFault) and ended.scored:
            self._fault(key, str(ended))
        self._unlink(link, str(ended))

    def _unlink(self, link: Link, reason: str) -> None:
        """Forget a link once; a replaced one is forgotten when it is replaced."""
        key = link.remote
        if self._links.get(key) is not link:
            return
        del self._links[key]
        self._say(Event.LINK_DOWN, self._name(key), reason)
        self._handlers.on_link(key, False)
        down = self._down.pop(key, None)
        if down is not None:
            down.set()

    def _deliver(self, link: Link, message: WireMessage) -> None:
        self._handlers.on_message(link.remote, message)

    async def _tick_forever(self) -> None:
        due_ms = self._mono_ms() + TICK_MS
        while True:
            await asyncio.sleep(TICK_MS / 1_000)
            now_ms = self._mono_ms()
            # After a pause of the whole process the sockets are read before anybody is judged.
            if now_ms - due_ms <= TICK_MS:
                for link in list(self._links.values()):
                    self._keep_alive(link, now_ms)
            due_ms = now_ms + TICK_MS

    def _keep_alive(self, link: Link, now_ms: int) -> None:
        if now_ms - link.received_ms > limits.SILENCE_MS_MAX:
            link.close("silent for too long")
        elif now_ms - link.sent_ms >= limits.KEEPALIVE_MS and not link.queues.unsent_messages:
            link.push(_KEEPALIVE)

    def _push(self, link: Link, item: Outgoing) -> bool:
        return link.push(item) is Queued.QUEUED

    def _fault(self, key: NetworkKey, reason: str) -> None:
        self._admission.fault(key, self._mono_ms())
        self._say(Event.FAULT, self._name(key), reason)

    def _hello(self) -> Hello:
        return Hello(WIRE_VERSION, self._config.clocks.wall_ms(), self._config.software)

    def _warn_of_clock(self, link: Link) -> None:
        if abs(link.clock_ahead_ms) > limits.CLOCK_DIFFERENCE_MS_WARN:
            reason = f"its clock is {link.clock_ahead_ms} ms ahead of ours"
            self._say(Event.CLOCK_DIFFERS, self._name(link.remote), reason)

    def _name(self, key: NetworkKey) -> str:
        contact = self._directory.contacts.get(key)
        return key.hex() if contact is None else contact.name

    def _say(self, event: Event, peer: str, reason: str) -> None:
        self.events[event] += 1
        self._handlers.on_notice(Notice(event, peer, reason))

    def _info(self, contact: Contact) -> PeerInfo:
        link = self._links.get(contact.key)
        if link is None:
            return PeerInfo(contact, connected=False)
        return PeerInfo(
            contact,
            connected=True,
            dialled_by_us=link.origin.dialler == self._identity.public,
            since_ms=link.origin.since_ms,
            unsent_bytes=link.queues.unsent_bytes,
            clock_ahead_ms=link.clock_ahead_ms,
            software=link.hello.software,
        )


def _outgoing(message: WireMessage) -> Outgoing:
    row = wire_type(message)
    payload = encode_message(message)
    if len(payload) > row.payload_bytes_max:
        raise LinkError(
            f"a message of {len(payload)} bytes is over the cap of {row.payload_bytes_max}",
            what=type(message).__name__,
            next="split it before it is sent",
        )
    view = message.vote.view if isinstance(message, VoteMessage) else None
    return Outgoing(row.kind, row.queue, payload, view)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {limits.HALF_OPEN_MS_MAX} ms"
    return str(error) or type(error).__name__
