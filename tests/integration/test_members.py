"""Members of a running city decide: one leaves, one joins, parameters change; blocks go on."""

import asyncio
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.real_city import CallFailed, RealCity, until
from moyai.client import Client, load_key_file
from moyai.node.config import load_config
from moyai.node.founding import join, make_full_node_folder, make_node_folder
from moyai.node.free_ports import free_ports
from moyai.node.genesis_file import read_genesis
from moyai.node.key_file import KeyKind, read_key_file
from moyai.node.next_keys import prepare_next
from moyai.node.processes import NodeProcess
from moyai.node.testnet import CONFIG_NAME, KEY_NAME, NETWORK_KEY_NAME, CityNode
from moyai.primitives.ids import NetworkKey, PublicKey
from moyai.primitives.operations_accounts import (
    AccountKind,
    Controller,
    ControllerRole,
    OpenAccount,
    Thresholds,
)
from moyai.primitives.operations_governance import (
    AddFullNode,
    AddMember,
    ApproveChange,
    Change,
    ParameterSetting,
    ProposeChange,
    RemoveFullNode,
    RemoveMember,
    RotateNetworkKey,
    RotateValidatorKey,
    SetParameters,
)
from moyai.primitives.quorum import quorum
from moyai.primitives.transaction import Scheme, opened_account

IN_FORCE_SECONDS_MAX = 20.0


def decide(city: RealCity, change: Change, *, agreeing: int = 3) -> None:
    """Let city hall propose and others approve; the receipts are proven."""

    async def session() -> None:
        urls = [node.url for node in city.city.nodes[:3]]
        genesis = read_genesis(city.city.genesis_file)
        async with Client.connect(urls, trust=genesis) as client:
            hall, *others = city.city.nodes[:agreeing]
            proposed = await client.submit(
                [ProposeChange(change)],
                account=hall.account,
                signer=[load_key_file(path) for path in hall.officer_files],
            )
            number = dict(proposed.receipt.events[0].fields)["proposal"]
            assert isinstance(number, int)
            for member in others:
                await client.submit(
                    [ApproveChange(number)],
                    account=member.account,
                    signer=[load_key_file(path) for path in member.officer_files],
                )

    asyncio.run(session())


def in_epoch(city: RealCity, epoch: int) -> Any:
    """Wait until every remaining node is in an epoch, and return the members it tells."""

    def there() -> Any:
        told = [city.call(node, "members_list") for node in city.city.nodes[:3]]
        return told[0] if all(one["epoch"] == epoch for one in told) else None

    return until(there, IN_FORCE_SECONDS_MAX, what=f"epoch {epoch}")


def test_a_member_leaves_and_the_others_go_on(own_city: RealCity) -> None:
    city, leaving = own_city, own_city.city.nodes[3]
    city.make_final(city.nodes[0].node, "before")
    city.nodes[3].kill()
    decide(city, RemoveMember(leaving.account))
    listed = in_epoch(city, 1)
    assert leaving.name not in [one["name"] for one in listed["members"]]
    city.nodes[3].start()
    until(
        lambda: mode_of(city, 3) == "no vote", IN_FORCE_SECONDS_MAX, what="it learns that it left"
    )
    city.nodes[3].kill()
    for place in range(3):
        city.make_final(city.nodes[place].node, f"after {place}")
    decide(city, SetParameters((ParameterSetting("delta_ms", 300),)))
    in_epoch(city, 2)
    for place in range(3):
        parameters = city.call(city.city.nodes[place], "params_get")["parameters"]
        assert parameters["delta_ms"] == 300
    city.make_final(city.nodes[1].node, "in the third epoch")


def test_a_node_that_was_away_finds_the_new_epoch(own_city: RealCity) -> None:
    city, away = own_city, own_city.nodes[3]
    away.kill()
    decide(city, SetParameters((ParameterSetting("delta_ms", 300),)))
    in_epoch(city, 1)
    last = city.make_final(city.nodes[0].node, "while it was away")
    away.start()
    assert city.wait_final(away.node, last, IN_FORCE_SECONDS_MAX)["status"] == "final"
    assert city.call(away.node, "members_list")["epoch"] == 1
    head = city.wait_equal_heads(IN_FORCE_SECONDS_MAX)
    assert head["height"] > 0


def test_a_member_joins_and_its_vote_is_needed(own_city: RealCity, tmp_path: Path) -> None:
    """Under load, and one validator dies while the change comes into force."""
    city = own_city
    bank, member = prepared(city, tmp_path / "bank")
    with load(city), running(bank):
        decide(city, member)
        city.nodes[2].kill()
        city.nodes[2].start()
        in_epoch(city, 1)
        city.nodes[3].kill()
        document = city.make_final(city.nodes[0].node, "by four of five, the bank among them")
        assert city.wait_final(bank, document, IN_FORCE_SECONDS_MAX)["status"] == "final"
        assert city.call(bank, "node_status")["quorum"]["validators"] == 5
        assert_one_history(city, (*city.city.nodes[:3], bank))


def assert_one_history(city: RealCity, nodes: tuple[CityNode, ...]) -> None:
    """Check that all nodes tell the same blocks, and the same validators at each height."""
    lowest = min(city.head(node) for node in nodes)
    epochs = set()
    for height in range(1, lowest + 1):
        told = [city.call(node, "chain_block", height=height) for node in nodes]
        assert len({(one["digest"], one["epoch"]) for one in told}) == 1, height
        epochs.add(told[0]["epoch"])
    for epoch in sorted(epochs):
        sets = [city.call(node, "validators_get", epoch=epoch)["keys"] for node in nodes]
        assert all(one == sets[0] for one in sets), epoch


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(3))
def test_every_kind_of_change_under_load_and_kills(
    own_city: RealCity, tmp_path: Path, seed: int
) -> None:
    """Validators die and come back, one at a time, all through five changes in a row."""
    city, chance = own_city, Random(seed)
    bank, joining = prepared(city, tmp_path / "bank")
    with load(city), running(bank):
        changes: list[Change] = [
            joining,
            RotateValidatorKey(city.city.nodes[1].account, make_next(city, 1, KeyKind.VALIDATOR)),
            RotateNetworkKey(
                city.city.nodes[2].account, NetworkKey(make_next(city, 2, KeyKind.NETWORK))
            ),
            SetParameters((ParameterSetting("block_interval_max_ms", 300),)),
            RemoveMember(city.city.nodes[3].account),
        ]
        for epoch, change in enumerate(changes, start=1):
            decide(city, change, agreeing=quorum(4 if epoch == 1 else 5))
            for _ in range(3):
                victim = chance.choice(city.nodes[:3])
                victim.kill()
                time.sleep(chance.random())  # how long it is away is the scenario
                victim.start()
                until(partial(city.head, victim.node), IN_FORCE_SECONDS_MAX, what="its answer")
            in_epoch(city, epoch)
            city.make_final(city.nodes[0].node, f"in epoch {epoch}", IN_FORCE_SECONDS_MAX)
        until(
            lambda: city.head(bank) >= city.head(city.nodes[0].node) - 2,
            IN_FORCE_SECONDS_MAX,
            what="the bank at the tip",
        )
        assert_one_history(city, (*city.city.nodes[:3], bank))


def test_a_node_without_a_vote_comes_and_goes(own_city: RealCity, tmp_path: Path) -> None:
    city = own_city
    (ports,) = free_ports(1)
    folder = tmp_path / "library"
    entry = make_full_node_folder(folder, "library", f"127.0.0.1:{ports.p2p}")
    config = load_config(folder / CONFIG_NAME, {})
    shutil.copy(city.city.genesis_file, config.genesis_file)
    join(config, city.city.genesis, joining=True)
    library = CityNode("library", "library", folder, ports, city.city.nodes[0].account, ())
    with running(library):
        key = NetworkKey(bytes.fromhex(entry.network_key))
        decide(city, AddFullNode("library", key, entry.endpoint))
        told = in_epoch(city, 1)
        assert [one["name"] for one in told["full_nodes"]] == ["library"]
        document = city.make_final(city.nodes[0].node, "for the library")
        assert city.wait_final(library, document, IN_FORCE_SECONDS_MAX)["status"] == "final"
        decide(city, RemoveFullNode("library"))
        in_epoch(city, 2)
        until(
            lambda: city.call(library, "members_list")["full_nodes"] == [],
            IN_FORCE_SECONDS_MAX,
            what="the library learns that it left",
        )


def make_next(city: RealCity, place: int, kind: KeyKind) -> PublicKey:
    """Lay the next key of a running node beside its present one; return its public half."""
    config = load_config(city.city.nodes[place].config_file, {})
    made = prepare_next(config, city.city.genesis, kind, None)
    return PublicKey(bytes.fromhex(made.public_key))


def validator_key(city: RealCity, place: int) -> str:
    return read_key_file(city.city.nodes[place].folder / KEY_NAME).public_key


def mode_of(city: RealCity, place: int) -> str:
    return str(city.call(city.city.nodes[place], "node_status")["mode"])


def votes(city: RealCity, place: int) -> bool:
    return mode_of(city, place) == "validator"


@pytest.mark.nightly
def test_who_was_away_while_all_others_changed_network_keys_is_told_one(
    own_city: RealCity,
) -> None:
    city, away = own_city, own_city.nodes[3]
    away.kill()
    for place in range(3):
        key = NetworkKey(make_next(city, place, KeyKind.NETWORK))
        decide(city, RotateNetworkKey(city.city.nodes[place].account, key))
        in_epoch(city, place + 1)
    last = city.make_final(city.nodes[0].node, "while it was away", IN_FORCE_SECONDS_MAX)
    config = away.node.config_file
    told = f'peer_keys = {{ "{city.city.nodes[0].name}" = "{network_key(city, 0)}" }}'
    config.write_text(config.read_text().replace("[p2p]", f"[p2p]\n{told}"))
    away.start()
    assert city.wait_final(away.node, last, IN_FORCE_SECONDS_MAX)["status"] == "final"
    until(lambda: votes(city, 3), IN_FORCE_SECONDS_MAX, what="its vote")
    city.nodes[1].kill()
    city.make_final(away.node, "with its vote", IN_FORCE_SECONDS_MAX)


def network_key(city: RealCity, place: int) -> str:
    return read_key_file(city.city.nodes[place].folder / NETWORK_KEY_NAME).public_key


def test_running_nodes_change_their_keys_when_the_members_agree(own_city: RealCity) -> None:
    """With the new keys they vote: the city goes on without the one that kept its keys."""
    city = own_city
    with load(city):
        old = validator_key(city, 1)
        first = make_next(city, 1, KeyKind.VALIDATOR)
        decide(city, RotateValidatorKey(city.city.nodes[1].account, first))
        in_epoch(city, 1)
        second = NetworkKey(make_next(city, 2, KeyKind.NETWORK))
        decide(city, RotateNetworkKey(city.city.nodes[2].account, second))
        city.nodes[2].kill()
        until(
            lambda: city.call(city.city.nodes[0], "members_list")["epoch"] == 2,
            IN_FORCE_SECONDS_MAX,
            what="the epoch that the node with a new key misses",
        )
        city.nodes[2].start()
        told = in_epoch(city, 2)
        keys = {one["name"]: one for one in told["members"]}
        assert keys[city.city.nodes[1].name]["validator_key"] == first.hex()
        assert keys[city.city.nodes[2].name]["network_key"] == second.hex()
        for place in (1, 2):
            until(partial(votes, city, place), IN_FORCE_SECONDS_MAX, what="a vote by the new key")
        city.nodes[3].kill()
        city.make_final(city.nodes[0].node, "with both new keys", IN_FORCE_SECONDS_MAX)
    assert validator_key(city, 1) == first.hex()
    assert list(city.city.nodes[1].folder.glob(f"{KEY_NAME}.retired-{old[:8]}"))
    assert not list(city.city.nodes[1].folder.glob("*.next"))
    city.nodes[1].kill()
    city.nodes[1].start()
    city.make_final(city.nodes[0].node, "after a restart with the new key", IN_FORCE_SECONDS_MAX)


@contextmanager
def load(city: RealCity) -> Iterator[None]:
    """Let documents stream into the first node while the block runs."""
    stop = threading.Event()

    def stream() -> None:
        number = 0
        while not stop.wait(0.02):
            number += 1
            with suppress(CallFailed):
                city.submit(city.nodes[0].node, city.document(f"load {number}")[1])

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def prepared(city: RealCity, folder: Path) -> tuple[CityNode, AddMember]:
    """Make the node of a bank, open its account, and return what lets it in."""
    (ports,) = free_ports(1)
    text = make_node_folder(folder, "bank", f"127.0.0.1:{ports.p2p}", ())
    config = load_config(folder / CONFIG_NAME, {})
    shutil.copy(city.city.genesis_file, config.genesis_file)
    join(config, city.city.genesis, joining=True)
    owners = tuple(
        Controller(Scheme.ED25519, bytes.fromhex(key), ControllerRole.OWNER, 1, None)
        for key in text.officer_keys
    )
    opening = OpenAccount(AccountKind.ORGANISATION, owners, Thresholds(1, 1, 1))
    transaction, raw = city.sign((opening,))
    city.submit(city.nodes[0].node, raw)
    assert city.wait_final(city.nodes[0].node, transaction, 10.0)["status"] == "final"
    member = AddMember(
        name="bank",
        account=opened_account(transaction, 0),
        validator_key=PublicKey(bytes.fromhex(text.validator_key)),
        network_key=NetworkKey(bytes.fromhex(text.network_key)),
        endpoint=text.endpoint,
        roles=(),
    )
    return CityNode("bank", "bank", folder, ports, member.account, ()), member


@contextmanager
def running(node: CityNode) -> Iterator[None]:
    """Run one more node; its process has ended when the block ends."""
    listening = {
        "MOYAI_P2P_LISTEN": f"127.0.0.1:{node.ports.p2p}",
        "MOYAI_RPC_LISTEN": f"127.0.0.1:{node.ports.rpc}",
        "MOYAI_METRICS_LISTEN": "",
    }
    process = NodeProcess(node, listening)
    process.start()
    try:
        yield
    finally:
        process.kill()
