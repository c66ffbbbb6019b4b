"""Two and more nodes over real sockets: links come up, carry messages, end, and come back."""

import asyncio

import pytest

from harness.peer_nodes import City, Node, Play, Stranger, contact, network_key
from moyai.consensus.messages import BlockRequest, VoteMessage
from moyai.p2p import hub, limits
from moyai.p2p.errors import LinkError, ListenError
from moyai.p2p.framing import HEAD, FrameWriter
from moyai.p2p.messages import PAYLOAD_BYTES_MAX, TransactionBatch
from moyai.p2p.peers import Directory
from moyai.p2p.pipe import Pipe
from moyai.p2p.ports import Event
from moyai.primitives.ids import Digest, Epoch, ValidatorIndex, View
from moyai.primitives.vote import Vote, VoteKind


def a_vote(view: int = 1) -> VoteMessage:
    digest = Digest(b"\x01" * 32)
    vote = Vote(Epoch(0), View(view), VoteKind.NOTARIZE, digest, ValidatorIndex(0), bytes(64))
    return VoteMessage(vote)


async def two_linked(city: City) -> tuple[Node, Node]:
    """Node 2 listens, node 1 dials it."""
    listener = await city.start(Node(2, Directory.of(contact(1), contact(2))))
    directory = Directory.of(contact(1), contact(2, listener.endpoint))
    dialler = await city.start(Node(1, directory, listen=None))
    await listener.until_linked(dialler)
    await dialler.until_linked(listener)
    return dialler, listener


def test_messages_go_both_ways(play: Play) -> None:
    async def scenario(city: City) -> None:
        dialler, listener = await two_linked(city)
        batch = TransactionBatch((b"a" * 60_000,) * 17)
        assert dialler.hub.send(listener.key, a_vote())
        assert dialler.hub.send(listener.key, batch)
        assert listener.hub.broadcast(BlockRequest(Digest(bytes(32)))) == 1
        await listener.until(lambda: len(listener.received) == 2)
        await dialler.until(lambda: len(dialler.received) == 1)
        assert listener.received == [(dialler.key, a_vote()), (dialler.key, batch)]
        assert dialler.messages() == [BlockRequest(Digest(bytes(32)))]

    play(scenario)


def test_a_vote_overtakes_the_batches_that_wait(play: Play) -> None:
    async def scenario(city: City) -> None:
        dialler, listener = await two_linked(city)
        batch = TransactionBatch((b"b" * 60_000,) * 4)
        for _ in range(8):
            dialler.hub.send(listener.key, batch)
        dialler.hub.send(listener.key, a_vote())
        await listener.until(lambda: len(listener.received) == 9)
        assert listener.messages()[0] == a_vote()

    play(scenario)


def test_both_dial_and_one_link_stays(play: Play) -> None:
    async def scenario(city: City) -> None:
        directory = Directory.of(contact(1), contact(2))
        first = await city.start(Node(1, directory))
        second = await city.start(Node(2, directory))
        both = Directory.of(contact(1, first.endpoint), contact(2, second.endpoint))
        first.hub.update_directory(both)
        second.hub.update_directory(both)
        await first.until_linked(second)
        await second.until_linked(first)
        for number in range(20):
            first.hub.send(second.key, a_vote(number))
        await second.until(lambda: a_vote(19) in second.messages() or not second.hub.connected())
        assert first.hub.connected() == (second.key,)
        assert second.hub.connected() == (first.key,)

    play(scenario)


def test_a_restarted_peer_is_linked_again(play: Play) -> None:
    async def scenario(city: City) -> None:
        dialler, listener = await two_linked(city)
        address = listener.address
        await city.stop(listener)
        await dialler.until(lambda: (listener.key, False) in dialler.links)
        again = await city.start(Node(2, Directory.of(contact(1), contact(2)), listen=address))
        await again.until_linked(dialler)
        await dialler.until_linked(again)
        assert dialler.links == [(again.key, True), (again.key, False), (again.key, True)]

    play(scenario)


def test_a_stranger_without_membership_is_refused_by_name(play: Play) -> None:
    async def scenario(city: City) -> None:
        node = await city.start(Node(2, Directory.of(contact(1), contact(2))))
        stranger = await Stranger.connect(node)
        stranger.say_first(9, node)
        await stranger.until_closed()
        notice = await node.until_noticed(Event.REFUSED, "no member")
        assert network_key(9).hex() in notice.reason
        assert node.hub.connected() == ()

    play(scenario)


def test_half_a_handshake_leads_to_nothing_and_its_place_is_free_again(play: Play) -> None:
    async def scenario(city: City) -> None:
        node = await city.start(Node(2, Directory.of(contact(1), contact(2))))
        for part in (b"", b"\x00", b"\x00\x64", b"\x00\x64" + bytes(50)):
            stranger = await Stranger.connect(node)
            stranger.say(part)
            stranger.writer.write_eof()
            await stranger.until_closed()
        await node.until(lambda: len(node.notices) == 4)
        assert node.hub.half_open == 0
        honest = await Stranger.connect(node)
        honest.confirm(await honest.shake(1, node))
        await node.until(lambda: node.hub.connected() == (network_key(1),))

    play(scenario)


def test_a_handshake_that_announces_too_much_is_refused_unread(play: Play) -> None:
    async def scenario(city: City) -> None:
        node = await city.start(Node(2, Directory.of(contact(1), contact(2))))
        stranger = await Stranger.connect(node)
        stranger.say(b"\xff\xff" + bytes(65_535))
        await stranger.until_closed()
        await node.until_noticed(Event.REFUSED, "65535 bytes")

    play(scenario)


def test_a_replayed_handshake_does_not_disturb_the_link(play: Play) -> None:
    async def scenario(city: City) -> None:
        node = await city.start(Node(2, Directory.of(contact(1), contact(2))))
        honest = await Stranger.connect(node)
        channel = await honest.shake(1, node)
        honest.confirm(channel)
        await node.until(lambda: node.hub.connected() == (network_key(1),))
        replayer = await Stranger.connect(node)
        replayer.say(honest.first)
        await replayer.until_closed()
        await node.until_noticed(Event.REFUSED, "answered it before")
        honest.send(channel, a_vote())
        await node.until(lambda: node.messages() == [a_vote()])
        assert node.links == [(network_key(1), True)]

    play(scenario)


def test_an_initiator_that_never_confirms_gets_no_link(play: Play) -> None:
    async def scenario(city: City) -> None:
        node = await city.start(Node(2, Directory.of(contact(1), contact(2))))
        stranger = await Stranger.connect(node)
        await stranger.shake(1, node)
        # As one who replays a first message and cannot read the answer would go on.
        stranger.say(bytes(21))
        await stranger.until_closed()
        await node.until_noticed(Event.REFUSED)
        assert node.links == []

    play(scenario)


def test_two_bad_frames_within_a_minute_block_the_key(play: Play) -> None:
    async def scenario(city: City) -> None:
        node = await city.start(Node(2, Directory.of(contact(1), contact(2))))
        for bad in (HEAD.pack(2**32 - 1, 20), HEAD.pack(100, 1) + bytes(100)):
            member = await Stranger.connect(node)
            member.confirm(await member.shake(1, node))
            await node.until(lambda: bool(node.hub.connected()))
            member.say(bad)
            await member.until_closed()
            await node.until(lambda: not node.hub.connected())
        assert node.hub.events[Event.FAULT] == 2
        again = await Stranger.connect(node)
        again.say_first(1, node)
        await again.until_closed()
        await node.until_noticed(Event.REFUSED, "blocked for")

    play(scenario)


def test_a_message_that_does_not_decode_closes_the_link_and_counts(play: Play) -> None:
    async def scenario(city: City) -> None:
        node = await city.start(Node(2, Directory.of(contact(1), contact(2))))
        member = await Stranger.connect(node)
        channel = await member.shake(1, node)
        member.confirm(channel)
        member.send(channel, a_vote())
        seal = FrameWriter(channel.sender, PAYLOAD_BYTES_MAX).seal
        member.say(seal(6, b"\x92\x06\xc4\x00"))
        member.send(channel, a_vote())
        await member.until_closed()
        fault = await node.until_noticed(Event.FAULT)
        assert "message type 6" in fault.reason
        assert node.messages() == [a_vote()], "what came before counts, what comes after does not"

    play(scenario)


def test_a_fault_found_later_is_reported_and_ends_the_link(play: Play) -> None:
    async def scenario(city: City) -> None:
        dialler, listener = await two_linked(city)
        listener.hub.report(dialler.key, "a bad signature in a batch")
        await dialler.until(lambda: (listener.key, False) in dialler.links)
        await listener.until_noticed(Event.FAULT, "bad signature")

    play(scenario)


def test_a_reader_that_takes_nothing_loses_bulk_first_and_then_its_link(play: Play) -> None:
    async def scenario(city: City) -> None:
        node = await city.start(Node(2, Directory.of(contact(1), contact(2))))
        stuck = await Stranger.connect(node)
        stuck.confirm(await stuck.shake(1, node))
        await node.until(lambda: bool(node.hub.connected()))
        stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]
        batch = TransactionBatch((bytes(60_000),) * 17)
        key = network_key(1)
        # Without a pause no byte leaves, so the outcome does not hang on socket buffers.
        sent = [node.hub.send(key, batch) for _ in range(6)]
        assert sent == [True, True, True, True, False, False]
        assert node.hub.drops["sending_transactions"] == 2
        while node.hub.send(key, a_vote(1)):
            pass
        await node.until(lambda: (key, False) in node.links)
        assert await node.until_noticed(Event.LINK_DOWN, "too slow")
        stuck.writer.transport.abort()

    play(scenario)


def test_requests_over_the_rate_are_dropped_and_counted(play: Play) -> None:
    async def scenario(city: City) -> None:
        dialler, listener = await two_linked(city)
        request = BlockRequest(Digest(bytes(32)))
        for _ in range(limits.REQUESTS_BURST):
            dialler.hub.send(listener.key, request)
        await listener.until(lambda: len(listener.received) >= limits.REQUESTS_BURST)
        for _ in range(limits.REQUESTS_BURST):
            dialler.hub.send(listener.key, request)
        dialler.hub.send(listener.key, TransactionBatch((b"last",)))
        await listener.until(lambda: TransactionBatch((b"last",)) in listener.messages())
        assert listener.hub.drops["received_request"] > 0
        assert listener.hub.connected() == (dialler.key,)

    play(scenario)


def test_a_message_over_its_cap_is_our_own_error(play: Play) -> None:
    async def scenario(city: City) -> None:
        node = await city.start(Node(2, Directory.of(contact(1), contact(2))))
        with pytest.raises(LinkError, match="TransactionBatch"):
            node.hub.broadcast(TransactionBatch((bytes(60_000),) * 20))

    play(scenario)


def test_a_broadcast_can_leave_full_nodes_out(play: Play) -> None:
    async def scenario(city: City) -> None:
        directory = Directory.of(contact(1), contact(2), contact(3, validator=False))
        node = await city.start(Node(2, directory))
        for number in (1, 3):
            peer = await Stranger.connect(node)
            peer.confirm(await peer.shake(number, node))
        await node.until(lambda: len(node.hub.connected()) == 2)
        assert node.hub.broadcast(a_vote()) == 2
        assert node.hub.broadcast(a_vote(), validators_only=True) == 1
        assert not node.hub.send(network_key(2), a_vote())

    play(scenario)


def test_a_clock_that_differs_is_a_warning(play: Play) -> None:
    async def scenario(city: City) -> None:
        directory = Directory.of(contact(1), contact(2))
        ahead = await city.start(Node(2, directory, wall_ms=1_010_000))
        both = Directory.of(contact(1), contact(2, ahead.endpoint))
        dialler = await city.start(Node(1, both, listen=None))
        await dialler.until_linked(ahead)
        await ahead.until_linked(dialler)
        assert "10000 ms ahead" in (await dialler.until_noticed(Event.CLOCK_DIFFERS)).reason
        (info,) = dialler.hub.peers()
        assert (info.connected, info.dialled_by_us, info.clock_ahead_ms) == (True, True, 10_000)
        assert info.software == "test"

    play(scenario)


def test_a_connection_that_comes_while_the_node_stops_is_closed(play: Play) -> None:
    """Who answers it is cancelled before it begins."""

    async def scenario(_: City) -> None:
        node = Node(2, Directory.of(contact(1), contact(2)))
        accepted = node.hub._accepted
        pipes: list[Pipe] = []
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(node.hub.run())

            def stopped_and_accepted(pipe: Pipe) -> None:
                running.cancel()
                accepted(pipe)
                pipes.append(pipe)

            node.hub._accepted = stopped_and_accepted  # type: ignore[method-assign]  # the moment
            await node.hub.listening.wait()
            stranger = await Stranger.connect(node)
        await stranger.until_closed()
        stranger.writer.close()
        assert [pipe.ended for pipe in pipes] == [True]

    play(scenario)


def test_a_key_that_leaves_the_registry_loses_its_link(play: Play) -> None:
    async def scenario(city: City) -> None:
        dialler, listener = await two_linked(city)
        listener.hub.update_directory(Directory.of(contact(2)))
        assert listener.hub.broadcast(a_vote(), validators_only=True) == 0
        await listener.until_noticed(Event.LINK_DOWN, "left the registry")
        await dialler.until_noticed(Event.DIAL_FAILED)
        assert listener.hub.peers() == ()

    play(scenario)


def test_a_wrong_key_behind_an_address_is_noticed(play: Play) -> None:
    async def scenario(city: City) -> None:
        listener = await city.start(Node(2, Directory.of(contact(1), contact(2), contact(3))))
        directory = Directory.of(contact(1), contact(3, listener.endpoint))
        dialler = await city.start(Node(1, directory, listen=None))
        await dialler.until_noticed(Event.DIAL_FAILED)
        await listener.until_noticed(Event.REFUSED, "another key")

    play(scenario)


@pytest.mark.parametrize("endpoint", ["nowhere", "127.0.0.1:1", "no-such-host.invalid:7000"])
def test_a_peer_that_is_not_to_be_had_is_dialled_again(play: Play, endpoint: str) -> None:
    async def scenario(city: City) -> None:
        directory = Directory.of(contact(1), contact(2, endpoint))
        node = await city.start(Node(1, directory, listen=None))
        await node.until(lambda: node.hub.events[Event.DIAL_FAILED] >= 2)
        (info,) = node.hub.peers()
        assert not info.connected

    play(scenario)


def test_a_port_in_use_is_an_error_at_once(play: Play) -> None:
    async def scenario(city: City) -> None:
        first = await city.start(Node(1, Directory.of(contact(1), contact(2))))
        second = Node(2, Directory.of(contact(1), contact(2)), listen=first.address)
        with pytest.raises(ListenError, match="in use"):
            await second.hub.run()

    play(scenario)


def test_stuck_connections_do_not_disturb_a_link(play: Play) -> None:
    async def scenario(city: City) -> None:
        dialler, listener = await two_linked(city)
        stuck = [await Stranger.connect(listener) for _ in range(150)]
        await listener.until_noticed(Event.REFUSED, "too many connections from this address")
        dialler.hub.send(listener.key, a_vote())
        await listener.until(lambda: listener.messages() == [a_vote()])
        for stranger in stuck:
            stranger.writer.transport.abort()

    play(scenario)


def test_a_connection_that_says_nothing_is_closed_in_time(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HALF_OPEN_MS_MAX", 50)

    async def scenario(city: City) -> None:
        node = await city.start(Node(2, Directory.of(contact(1), contact(2))))
        stranger = await Stranger.connect(node)
        await stranger.until_closed()
        await node.until_noticed(Event.REFUSED, "no answer within 50 ms")
        assert node.hub.half_open == 0

    play(scenario)


def test_a_silent_peer_is_cut_and_a_resting_one_kept_alive(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "TICK_MS", 20)
    monkeypatch.setattr(limits, "KEEPALIVE_MS", 50)
    monkeypatch.setattr(limits, "SILENCE_MS_MAX", 300)

    async def scenario(city: City) -> None:
        dialler, listener = await two_linked(city)
        silent = await Stranger.connect(listener)
        listener.hub.update_directory(Directory.of(contact(1), contact(2), contact(3)))
        silent.confirm(await silent.shake(3, listener))
        await listener.until(lambda: (network_key(3), False) in listener.links)
        await listener.until_noticed(Event.LINK_DOWN, "silent for too long")
        assert listener.hub.connected() == (dialler.key,)
        assert dialler.hub.connected() == (listener.key,)

    play(scenario)


def test_one_link_that_comes_up_ends_the_wait_for_the_others(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DIAL_BACKOFF_MS_MIN", 600_000)
    monkeypatch.setattr(limits, "DIAL_BACKOFF_MS_MAX", 600_000)

    async def scenario(city: City) -> None:
        three = await city.start(Node(3, Directory.of(contact(1), contact(3))))
        directory = Directory.of(contact(1), contact(2), contact(3, three.endpoint))
        waiting = await city.start(Node(1, directory))
        peer = await Stranger.connect(waiting)
        peer.confirm(await peer.shake(2, waiting))
        await waiting.until_linked(three)

    play(scenario)
