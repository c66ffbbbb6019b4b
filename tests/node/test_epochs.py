"""Members and parameters change while the city works: real cores, stores and keys."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from random import Random
from typing import NamedTuple

import msgspec
import pytest

from harness.core_city import (
    GENESIS,
    KEYS,
    CoreCity,
    CoreNode,
    CrashAt,
    Weather,
    document,
    fast_folder,
    identity_of,
    network_key,
)
from harness.council import Council, epoch_of, reach_epoch
from harness.rpc_city import HandAdmin
from moyai.client.trust import EpochEnd, TrustedChain
from moyai.consensus.messages import Proposal, VoteMessage
from moyai.ledger.membership import read_parameters, read_registry, read_validators
from moyai.ledger.state import Values
from moyai.node.ingest import Submitted
from moyai.node.queries import NodeQueries
from moyai.node.queries import Reports as NodeReports
from moyai.p2p.messages import WireMessage
from moyai.primitives.block import header_digest
from moyai.primitives.codec import encode
from moyai.primitives.ids import Digest, Epoch, PublicKey, TransactionId
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations_governance import (
    ParameterSetting,
    RemoveMember,
    RotateNetworkKey,
    RotateValidatorKey,
    SetParameters,
)
from moyai.primitives.vote import VoteKind
from moyai.rpc.block_trees import TreeKeeper
from moyai.rpc.handlers_chain import validators_get
from moyai.rpc.reads import Reads
from moyai.rpc.schema_chain import ValidatorsParams
from moyai.rpc.waiters import FinalityWaiters


@pytest.fixture
def city() -> Iterator[CoreCity]:
    with fast_folder() as folder:
        made = CoreCity(folder)
        made.start()
        yield made
        made.close()


def make_final(city: CoreCity, number: int) -> None:
    raw = document(number, valid_until_ms=city.wall_ms + 60_000)
    (outcome,) = city.running[-1].submit(raw)
    assert outcome.refusal is None
    city.run(lambda: all(node.is_final(outcome) for node in city.running))


def assert_same(city: CoreCity) -> None:
    histories = [node.history() for node in city.running]
    shortest = min(len(history) for history in histories)
    assert all(history[:shortest] == histories[0][:shortest] for history in histories)


def test_parameters_change_at_the_end_of_an_epoch(city: CoreCity) -> None:
    council = Council(city)
    council.decide(SetParameters((ParameterSetting("block_interval_max_ms", 300),)))
    reach_epoch(city, 1)
    make_final(city, 1)
    for node in city.running:
        assert node.core is not None
        assert node.core.config.parameters.block_interval_max_ms == 300
        assert read_parameters(Values(node.chain.states)).block_interval_max_ms == 300
    assert_same(city)


def voters(city: CoreCity) -> list[int | None]:
    return [node.core.config.index for node in city.nodes if node.core is not None]


def test_a_removed_member_follows_and_votes_no_more(city: CoreCity) -> None:
    council = Council(city)
    council.decide(RemoveMember(GENESIS.members[3].account))
    reach_epoch(city, 1)
    make_final(city, 1)
    validators = read_validators(Values(city.nodes[0].chain.states), Epoch(1))
    assert validators.keys == tuple(sorted(key.public for key in KEYS[:3]))
    assert voters(city)[3] is None
    assert len(read_registry(Values(city.nodes[0].chain.states))) == 3
    city.nodes[3].kill()
    make_final(city, 2)
    assert_same(city)


def test_a_new_member_follows_from_genesis_and_votes_when_its_epoch_begins(city: CoreCity) -> None:
    council = Council(city)
    make_final(city, 1)
    council.add(4)
    joining = city.join(4)
    assert joining.core is not None
    assert joining.core.config.index is None
    reach_epoch(city, 1)
    assert all(index is not None for index in voters(city))
    city.nodes[0].kill()
    make_final(city, 2)
    assert_same(city)


def test_who_slept_through_changes_is_led_from_epoch_to_epoch(city: CoreCity) -> None:
    council = Council(city)
    asleep = city.nodes[3]
    asleep.kill()
    for number, interval_ms in enumerate((300, 350, 400), start=1):
        council.decide(SetParameters((ParameterSetting("block_interval_max_ms", interval_ms),)))
        reach_epoch(city, number)
        make_final(city, number)
    asleep.restart()
    city.run(lambda: epoch_of(asleep) == 3)
    make_final(city, 9)
    assert_same(city)
    assert asleep.core is not None
    assert asleep.core.config.index is not None


def test_a_node_started_anew_knows_its_epoch(city: CoreCity) -> None:
    council = Council(city)
    council.decide(SetParameters((ParameterSetting("block_interval_max_ms", 300),)))
    reach_epoch(city, 1)
    for node in city.nodes:
        node.kill()
    for node in city.nodes:
        node.restart()
    assert [epoch_of(node) for node in city.nodes] == [1, 1, 1, 1]
    make_final(city, 1)
    assert_same(city)


def test_a_member_gets_a_new_network_key(city: CoreCity) -> None:
    council = Council(city)
    account = GENESIS.members[2].account
    council.decide(RotateNetworkKey(account, network_key(5)))
    reach_epoch(city, 1)
    registry = read_registry(Values(city.nodes[0].chain.states))
    assert registry[2].network_key == network_key(5)
    city.nodes[2].kill()
    make_final(city, 1)
    assert_same(city)


def withhold_finality_of_last_blocks(city: CoreCity) -> None:
    """Let no finalize vote for a block that ends an epoch arrive: a filler must make it final."""
    last: set[Digest] = set()

    def falsify(message: WireMessage) -> WireMessage | None:
        if isinstance(message, Proposal) and message.header.epoch_end is not None:
            last.add(header_digest(message.header))
        withheld = isinstance(message, VoteMessage) and message.vote.kind is VoteKind.FINALIZE
        return None if withheld and message.vote.digest in last else message

    for node in city.nodes:
        node.falsify = falsify


class NoWrites:
    """The way in of a door that is only read from."""

    async def submit(self, raws: Sequence[bytes]) -> Sequence[Submitted]:
        raise AssertionError(raws)

    def is_pending(self, transaction: TransactionId) -> bool:
        raise AssertionError(transaction)


def proven_by(node: CoreNode, epoch: int) -> EpochEnd:
    """Return what the node's door tells a light client about the end of the epoch before."""
    queries = NodeQueries(
        genesis=GENESIS,
        chain=node.chain,
        writes=NoWrites(),
        admin=HandAdmin(),
        reports=NodeReports(node.status.status, node.status.evidence),
    )
    with queries.snapshot() as snapshot:
        reads = Reads(snapshot, queries, FinalityWaiters(), TreeKeeper())
        shown = validators_get(reads, ValidatorsParams(epoch=epoch))
    end = shown.epoch_end
    assert end is not None
    return EpochEnd(
        b64decode(end.header),
        tuple(b64decode(filler) for filler in end.fillers),
        b64decode(end.certificate),
        tuple(PublicKey(bytes.fromhex(key)) for key in shown.keys),
    )


@pytest.mark.parametrize("by_filler", [False, True])
def test_a_light_client_follows_the_validators_through_the_ends_of_epochs(
    city: CoreCity, *, by_filler: bool
) -> None:
    council = Council(city)
    asleep = city.nodes[3]
    council.decide(RemoveMember(GENESIS.members[3].account))
    asleep.kill()
    if by_filler:
        withhold_finality_of_last_blocks(city)
    reach_epoch(city, 1)
    make_final(city, 1)
    asleep.restart()
    city.run(lambda: epoch_of(asleep) == 1)
    make_final(city, 2)
    for node in city.running:
        end = proven_by(node, 1)
        assert bool(end.fillers) == by_filler
        trusted = TrustedChain(GENESIS)
        trusted.add_epoch(end)
        assert (
            trusted.validators(1).keys == read_validators(Values(node.chain.states), Epoch(1)).keys
        )
        with node.chain.snapshot() as snapshot:
            found = snapshot.certificate_above(snapshot.height)
            assert found is not None
            header = snapshot.require_header(found[0])
        certified = trusted.verify(encode(header), encode(found[1]))
        assert certified.header.epoch == 1
    assert_same(city)


class ChangeOfMembers(NamedTuple):
    """A change, how its nodes take part in it, and who votes when it is in force."""

    decide: Callable[[Council], None]
    voters: tuple[SigningKey, ...]


def new_key_for(place: int, signing: SigningKey) -> Callable[[Council], None]:
    """Return the change by which a member votes with another key, which lies ready at its node."""

    def decided(council: Council) -> None:
        council.city.nodes[place].lay_ready(
            msgspec.structs.replace(identity_of(place), signing=signing)
        )
        council.decide(RotateValidatorKey(GENESIS.members[place].account, signing.public))

    return decided


def new_link_for(place: int) -> Callable[[Council], None]:
    """Return the change by which a member's node is known by another key, which lies ready."""

    def decided(council: Council) -> None:
        other = identity_of(5)
        council.city.nodes[place].lay_ready(
            msgspec.structs.replace(other, signing=identity_of(place).signing)
        )
        council.decide(RotateNetworkKey(GENESIS.members[place].account, other.network_key))

    return decided


def joined_by(place: int) -> Callable[[Council], None]:
    """Return the change by which an organisation joins; its node follows from genesis on."""

    def decided(council: Council) -> None:
        council.add(place)
        council.city.join(place)

    return decided


KINDS = {
    "add": ChangeOfMembers(joined_by(4), tuple(KEYS[:5])),
    "remove": ChangeOfMembers(
        lambda council: council.decide(RemoveMember(GENESIS.members[1].account)),
        (KEYS[0], *KEYS[2:4]),
    ),
    "rotate validator key": ChangeOfMembers(
        new_key_for(1, KEYS[5]), (KEYS[0], KEYS[5], *KEYS[2:4])
    ),
    "rotate network key": ChangeOfMembers(new_link_for(1), tuple(KEYS[:4])),
    "parameters": ChangeOfMembers(
        lambda council: council.decide(
            SetParameters((ParameterSetting("block_interval_max_ms", 300),))
        ),
        tuple(KEYS[:4]),
    ),
}


@pytest.mark.parametrize("where", list(CrashAt))
@pytest.mark.parametrize(
    ("skipped", "by_filler"),
    [
        (0, False),
        (3, True),
        (7, False),
        *(
            pytest.param(skipped, by_filler, marks=pytest.mark.nightly)
            for skipped, by_filler in product(range(9), (False, True))
        ),
    ],
)
@pytest.mark.parametrize("kind", list(KINDS))
def test_x8_a_crash_at_any_step_of_a_change_loses_nothing(
    city: CoreCity, kind: str, where: CrashAt, skipped: int, *, by_filler: bool
) -> None:
    """The journal that a restart finds may hold votes and floors of the epoch before.

    Messages are lost as well with every other place of the crash.
    """
    change = KINDS[kind]
    council = Council(city)
    change.decide(council)
    if by_filler:
        withhold_finality_of_last_blocks(city)
    if skipped % 2:
        city.weather = Weather(delay_ms_max=20, lost_percent=5)
    for node in city.nodes[:2]:
        node.crash(where, skipped=skipped)
    died = live_on(city)
    for node in city.nodes:
        node.crash_at = node.watched.crash_at = None
    reach_epoch(city, 1)
    live_on(city)
    make_final(city, 2)
    assert_same(city)
    keys = tuple(sorted(key.public for key in change.voters))
    for node in city.running:
        assert read_validators(Values(node.chain.states), Epoch(1)).keys == keys
    assert sorted(voters(city), key=str)[: len(keys)] == list(range(len(keys)))
    assert died or where in (CrashAt.BEFORE_PRUNE, CrashAt.AFTER_PRUNE)


def live_on(city: CoreCity) -> int:
    """Let seconds pass in which who died comes back; return how many died."""
    died = 0
    for _ in range(12):
        city.keep_house()
        city.run_for(700)
        for node in city.nodes:
            if node.core is None:
                died += 1
                node.restart()
    return died


CHANGES = 4


@pytest.mark.parametrize("seed", range(6))
def test_members_come_and_go_under_load_loss_and_kills(city: CoreCity, seed: int) -> None:
    """After each change all nodes agree on every block and on the validators at every height."""
    random = Random(seed)
    council = Council(city)
    city.weather = Weather(delay_ms_max=random.choice((1, 20)), lost_percent=random.choice((0, 5)))
    council.add(4)
    city.join(4)
    reach_epoch_in_trouble(city, 1, random)
    council.decide(RemoveMember(GENESIS.members[random.randrange(1, 4)].account))
    reach_epoch_in_trouble(city, 2, random)
    new_key_for(0, KEYS[5])(council)
    reach_epoch_in_trouble(city, 3, random)
    council.decide(SetParameters((ParameterSetting("delta_ms", 200),)))
    reach_epoch_in_trouble(city, CHANGES, random)
    make_final(city, 9_999)
    assert_same(city)
    for epoch in range(CHANGES + 1):
        sets = {read_validators(Values(n.chain.states), Epoch(epoch)).keys for n in city.running}
        assert len(sets) == 1


def reach_epoch_in_trouble(city: CoreCity, epoch: int, random: Random) -> None:
    """Go on under load, while one node after the other dies somewhere and comes back."""
    for turn in range(6):
        victim = random.choice(city.nodes)
        if victim.core is not None:
            victim.crash(random.choice(list(CrashAt)), skipped=random.randrange(8))
        for node in city.running[:1]:
            number = 1_000 * epoch + turn
            node.submit(document(number, valid_until_ms=city.wall_ms + 60_000))
        city.keep_house()
        city.run_for(random.randrange(100, 1_500))
        for node in city.nodes:
            if node.core is None:
                node.restart()
            node.crash_at = node.watched.crash_at = None
    reach_epoch(city, epoch)
