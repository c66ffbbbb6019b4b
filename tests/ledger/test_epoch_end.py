"""Scenarios of an epoch's end: the change its block names comes into force, and nothing else."""

from harness.governed_city import (
    CITY_HALL_VALIDATOR,
    HOSPITAL_VALIDATOR,
    UTILITY_VALIDATOR,
    GovernedCity,
)
from harness.ledger_city import CITY_HALL, OFFICER, SECOND_OFFICER, UTILITY, UTILITY_KEY, key, owner
from moyai.ledger.accounts import read_account
from moyai.ledger.codes import Code
from moyai.ledger.membership import (
    next_validators,
    read_full_nodes,
    read_governance,
    read_members,
    read_parameters,
    read_pending_set,
    read_proposal,
    read_registry,
    read_validators,
)
from moyai.primitives.genesis import Role
from moyai.primitives.ids import Digest, Epoch, NetworkKey
from moyai.primitives.operations_accounts import AddController, FreezeAccount, RotateController
from moyai.primitives.operations_governance import (
    AddFullNode,
    ParameterSetting,
    RecoverOfficers,
    RemoveFullNode,
    RemoveMember,
    RotateNetworkKey,
    RotateValidatorKey,
    SetEndpoint,
    SetParameters,
)
from moyai.primitives.state_keys import member_key
from moyai.primitives.state_values import ProposalStage
from moyai.primitives.transaction import Scheme


def test_a_member_joins() -> None:
    city = GovernedCity()
    before = read_validators(city.state, Epoch(0))
    city.accept(city.joining(Role.SPONSOR))
    city.ready(CITY_HALL_VALIDATOR, UTILITY_VALIDATOR, HOSPITAL_VALIDATOR)
    pending = read_pending_set(city.state)
    city.end_epoch()
    governance = read_governance(city.state)
    assert (governance.epoch, governance.under_way) == (1, None)
    after = read_validators(city.state, Epoch(1))
    assert pending is not None
    assert after.digest == pending.digest
    assert HOSPITAL_VALIDATOR in after.keys
    assert read_validators(city.state, Epoch(0)).digest == before.digest, "kept for ever"
    joined = read_registry(city.state)[-1]
    assert (joined.name, joined.account, joined.roles) == (
        "hospital",
        city.hospital,
        (Role.SPONSOR,),
    )
    assert read_pending_set(city.state) is next_validators(city.state) is None
    proposal = read_proposal(city.state, governance.proposals)
    assert proposal is not None
    assert proposal.stage is ProposalStage.IN_FORCE


def test_a_member_leaves_and_its_account_keeps_none_of_its_roles() -> None:
    city = GovernedCity()
    city.enforce(RemoveMember(UTILITY))
    assert [entry.account for entry in read_members(city.state)] == [CITY_HALL]
    assert city.state.value(member_key(1)) is None
    account = read_account(city.state, UTILITY)
    assert account is not None
    assert (account.member, account.roles) == (False, ())
    assert read_validators(city.state, Epoch(1)).keys == (CITY_HALL_VALIDATOR,)


def test_keys_and_addresses_change_in_place() -> None:
    city = GovernedCity()
    network = NetworkKey(b"\x0b" * 32)
    city.enforce(RotateValidatorKey(CITY_HALL, key(14)))
    city.enforce(RotateNetworkKey(CITY_HALL, network))
    city.enforce(SetEndpoint(CITY_HALL, "hall.example:9"))
    first = next(read_members(city.state))
    assert (first.validator_key, first.network_key, first.endpoint) == (
        key(14),
        network,
        "hall.example:9",
    )
    sets = [read_validators(city.state, Epoch(epoch)) for epoch in range(4)]
    assert len({one.digest for one in sets}) == 4, "an epoch's set has a digest of its own"
    assert sets[1].keys == sets[2].keys == sets[3].keys


def test_parameters_change_at_the_end_of_an_epoch_alone() -> None:
    city = GovernedCity()
    city.accept(SetParameters((ParameterSetting("delta_ms", 300),)))
    city.ready(CITY_HALL_VALIDATOR, UTILITY_VALIDATOR)
    assert read_parameters(city.state).delta_ms == 250
    city.end_epoch()
    assert read_parameters(city.state).delta_ms == 300


def test_a_block_that_names_another_set_changes_nothing() -> None:
    city = GovernedCity()
    city.accept(city.joining())
    next_set = next_validators(city.state)
    assert next_set is not None
    for digest in (next_set.digest, Digest(b"\x01" * 32)):
        assert city.block(epoch_end=digest).changes == {}, "nobody is ready"
    city.ready(CITY_HALL_VALIDATOR, UTILITY_VALIDATOR, HOSPITAL_VALIDATOR)
    assert city.block(epoch_end=Digest(b"\x01" * 32)).changes == {}
    city.end_epoch()
    assert read_governance(city.state).epoch == 1


def test_the_transactions_of_the_last_block_still_belong_to_the_old_epoch() -> None:
    city = GovernedCity()
    city.accept(RemoveMember(UTILITY))
    city.ready(CITY_HALL_VALIDATOR)
    pending = read_pending_set(city.state)
    assert pending is not None
    freezing = city.transaction(CITY_HALL, (FreezeAccount(UTILITY),), (OFFICER,))
    outcome = city.block(freezing, epoch_end=pending.digest)
    assert outcome.receipts[0].code == 0
    account = read_account(city.state, UTILITY)
    assert account is not None
    assert (account.frozen, account.member) == (True, False)


def test_nodes_without_a_vote_come_and_go() -> None:
    city = GovernedCity()
    keys = [NetworkKey(bytes([number]) * 32) for number in (9, 10)]
    for name, network in zip(("library", "museum"), keys, strict=True):
        city.enforce(AddFullNode(name, network, f"{name}.example:7000"))
    assert [one.name for one in read_full_nodes(city.state)] == ["library", "museum"]
    city.enforce(RemoveFullNode("library"))
    (left,) = read_full_nodes(city.state)
    assert (left.name, left.network_key, left.endpoint) == (
        "museum",
        keys[1],
        "museum.example:7000",
    )
    assert len(list(read_members(city.state))) == 2
    assert read_validators(city.state, Epoch(3)).keys == read_validators(city.state, Epoch(0)).keys


def test_a_member_whose_officers_lost_a_key_gets_new_ones() -> None:
    """Of two officers one cannot change the account; the other members can."""
    city = GovernedCity()
    lost_one_key = RotateController(SECOND_OFFICER, Scheme.ED25519, key(51), None)
    assert city.code(CITY_HALL, lost_one_key, by=(OFFICER,)) is Code.SIGNATURES_INSUFFICIENT
    city.enforce(RecoverOfficers(CITY_HALL, (key(51), key(52))))
    assert (
        city.code(CITY_HALL, FreezeAccount(UTILITY), by=(OFFICER,)) is Code.SIGNATURES_INSUFFICIENT
    )
    city.must(CITY_HALL, AddController(owner(key(53))), by=(key(51), key(52)))
    account = read_account(city.state, CITY_HALL)
    assert account is not None
    assert account.roles == tuple(Role), "the account stays what it was but for its keys"
    assert account.member


def test_officers_that_change_their_keys_meanwhile_stop_nothing() -> None:
    city = GovernedCity()
    new = (key(51),)
    city.accept(RecoverOfficers(UTILITY, new))
    rotation = RotateController(UTILITY_KEY, Scheme.ED25519, new[0], None)
    city.must(UTILITY, rotation, by=(UTILITY_KEY,))
    city.ready(CITY_HALL_VALIDATOR, UTILITY_VALIDATOR)
    city.end_epoch()
    account = read_account(city.state, UTILITY)
    assert account is not None
    assert [one.public_key for one in account.controllers] == [*new]
