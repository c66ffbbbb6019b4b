"""Two and more nodes over real sockets: links come up, carry messages, end, and come back."""

from harness.peer_nodes import City, Node, Play, contact
from moyai.consensus.messages import BlockRequest, VoteMessage
from moyai.p2p.messages import TransactionBatch
from moyai.p2p.peers import Directory
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
