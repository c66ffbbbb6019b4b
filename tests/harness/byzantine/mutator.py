"""Changes one small thing in each message: a number by one, a bit, an entry of a list; sometimes it
signs the result.
"""

from enum import Enum
from random import Random

import msgspec

from harness.consensus.byzantine import proposal
from harness.consensus.shell import Node, WireMessage
from harness.consensus.world import World
from moyai.consensus.messages import Proposal, VoteMessage
from moyai.primitives.ids import NetworkKey


class Mutator:
    """Half of the messages are left as they are, so that it takes part; the seed is the world's."""

    def instead(
        self, world: World, node: Node, to: NetworkKey, message: WireMessage
    ) -> list[WireMessage]:
        random = world.random
        if not isinstance(message, msgspec.Struct) or random.random() < 0.5:
            return [message]
        changed = mutated(message, random)
        if random.random() < 0.5:
            changed = resigned(world, node, changed)
        return [changed]


def mutated(value: object, random: Random) -> object:
    """Return a neighbour of `value` of the same type."""
    match value:
        case msgspec.Struct():
            name = random.choice(value.__struct_fields__)
            return msgspec.structs.replace(value, **{name: mutated(getattr(value, name), random)})
        case Enum():
            return random.choice(list(type(value)))
        case bool():
            return not value
        case int():
            return max(0, value + random.choice((-1, 1)))
        case bytes() if value:
            place = random.randrange(len(value))
            flipped = bytes((value[place] ^ 1 << random.randrange(8),))
            return value[:place] + flipped + value[place + 1 :]
        case tuple() if value:
            place = random.randrange(len(value))
            changed = random.choice(((), value[place : place + 1] * 2))
            return (*value[:place], *changed, *value[place + 1 :])
        case _:
            return value


def resigned(world: World, node: Node, message: object) -> object:
    """Return the message with a true signature, where the vote in it is still this node's."""
    match message:
        case VoteMessage(vote=vote) if vote.signer == node.index:
            return VoteMessage(world.city.vote(vote))
        case Proposal(header=header, transaction_ids=ids):
            return proposal(world, node, header, ids)
        case _:
            return message
