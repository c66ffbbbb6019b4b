"""Scenarios of deciding: propose, approve, be ready; what is under way, pending, lapsed."""

import msgspec
import pytest

from harness.governed_city import (
    CITY_HALL_VALIDATOR,
    HOSPITAL_KEY,
    HOSPITAL_VALIDATOR,
    OFFICERS,
    UTILITY_VALIDATOR,
    GovernedCity,
)
from harness.ledger_city import (
    CITY_HALL,
    DAY_MS,
    NOBODY,
    OFFICER,
    STRANGER,
    UTILITY,
    UTILITY_KEY,
    key,
    owner,
    small_genesis,
)
from moyai.ledger.accounts import read_account
from moyai.ledger.codes import Code
from moyai.ledger.membership import (
    next_validators,
    read_governance,
    read_members,
    read_parameters,
    read_pending_set,
    read_proposal,
)
from moyai.primitives.codec import encode
from moyai.primitives.genesis import FullNode, Role
from moyai.primitives.ids import AccountId, Digest, NetworkKey, PublicKey, TimeMs
from moyai.primitives.limits import FULL_NODES_MAX, VALIDATORS_MAX
from moyai.primitives.operations_governance import (
    AddFullNode,
    AddMember,
    ApproveChange,
    Change,
    MembersReady,
    ParameterSetting,
    ProposeChange,
    RecoverOfficers,
    RemoveFullNode,
    RemoveMember,
    RotateNetworkKey,
    RotateValidatorKey,
    SetEndpoint,
    SetParameters,
)
from moyai.primitives.state_keys import full_node_key, member_key
from moyai.primitives.state_values import MemberEntry, ProposalStage

MOVE = SetEndpoint(UTILITY, "utility.example:7001")


def set_parameter(name: str, number: int) -> SetParameters:
    return SetParameters((ParameterSetting(name, number),))


def refused(city: GovernedCity, change: Change) -> Code:
    return city.code(CITY_HALL, ProposeChange(change), by=OFFICERS)


def test_a_quorum_of_members_accepts_a_change() -> None:
    city = GovernedCity()
    number = city.propose(city.joining())
    proposal = read_proposal(city.state, number)
    assert proposal is not None
    assert proposal.approvals == (CITY_HALL,)
    assert next_validators(city.state) is None, "half of the members decide nothing"
    receipt = city.must(UTILITY, ApproveChange(number), by=(UTILITY_KEY,))
    assert [event.kind for event in receipt.events] == ["change.approved", "change.accepted"]
    next_set = next_validators(city.state)
    assert next_set is not None
    assert next_set.epoch == 1
    assert HOSPITAL_VALIDATOR in next_set.keys
    assert read_pending_set(city.state) is None, "nobody of the next set is ready yet"


def test_a_change_is_pending_when_a_quorum_of_the_next_set_is_ready() -> None:
    city = GovernedCity()
    number = city.accept(city.joining())
    assert city.ready(CITY_HALL_VALIDATOR).events[0].kind == "members.ready"
    assert read_pending_set(city.state) is None
    receipt = city.ready(HOSPITAL_VALIDATOR, UTILITY_VALIDATOR)
    assert [event.kind for event in receipt.events] == [
        "members.ready",
        "members.ready",
        "change.pending",
    ]
    pending = read_pending_set(city.state)
    assert pending is not None
    assert pending.digest == city_digest(city, number)
    assert city.code(CITY_HALL, MembersReady(pending.digest), by=(HOSPITAL_VALIDATOR,)) is (
        Code.ALREADY_READY
    )


def city_digest(city: GovernedCity, number: int) -> Digest:
    proposal, next_set = read_proposal(city.state, number), next_validators(city.state)
    assert proposal is not None
    assert proposal.stage is ProposalStage.PENDING
    assert next_set is not None
    return next_set.digest


def test_only_validators_of_the_next_set_say_that_they_are_ready() -> None:
    city = GovernedCity()
    city.accept(RotateValidatorKey(UTILITY, HOSPITAL_VALIDATOR))
    ready = city.readiness()
    for signer in (OFFICER, STRANGER, UTILITY_VALIDATOR):
        assert city.code(CITY_HALL, ready, by=(signer,)) is Code.SIGNATURES_INSUFFICIENT
    assert city.code(UTILITY, ready, by=(HOSPITAL_VALIDATOR,)) is Code.OK
    assert city.code(UTILITY, ready, by=(HOSPITAL_VALIDATOR,)) is Code.ALREADY_READY


def test_readiness_is_for_one_set_alone() -> None:
    city = GovernedCity()
    wrong = MembersReady(Digest(b"\x01" * 32))
    assert city.code(CITY_HALL, wrong, by=(CITY_HALL_VALIDATOR,)) is Code.NO_SUCH_CHANGE
    city.accept(MOVE)
    assert city.code(CITY_HALL, wrong, by=(CITY_HALL_VALIDATOR,)) is Code.NO_SUCH_CHANGE


def test_a_member_approves_once_and_only_what_is_open() -> None:
    city = GovernedCity()
    number = city.propose(MOVE)
    approval = ApproveChange(number)
    assert city.code(CITY_HALL, approval, by=OFFICERS) is Code.ALREADY_APPROVED
    unknown = ApproveChange(number + 1)
    assert city.code(UTILITY, unknown, by=(UTILITY_KEY,)) is Code.PROPOSAL_UNKNOWN
    city.must(UTILITY, approval, by=(UTILITY_KEY,))
    assert city.code(UTILITY, approval, by=(UTILITY_KEY,)) is Code.PROPOSAL_CLOSED


def test_only_members_decide() -> None:
    city = GovernedCity()
    number = city.propose(city.joining())
    for operation in (ProposeChange(MOVE), ApproveChange(number)):
        assert city.code(city.hospital, operation, by=(HOSPITAL_KEY,)) is Code.NOT_A_MEMBER


def test_a_proposal_that_is_not_approved_in_time_is_closed() -> None:
    city = GovernedCity()
    number = city.propose(MOVE)
    wait(city)
    assert city.code(UTILITY, ApproveChange(number), by=(UTILITY_KEY,)) is Code.PROPOSAL_CLOSED


def test_one_accepted_change_at_a_time() -> None:
    city = GovernedCity()
    first = city.accept(city.joining())
    second = city.propose(MOVE)
    approval = ApproveChange(second)
    assert city.code(UTILITY, approval, by=(UTILITY_KEY,)) is Code.CHANGE_UNDER_WAY
    under_way = read_governance(city.state).under_way
    assert under_way is not None
    assert under_way.proposal == first
    city.ready(CITY_HALL_VALIDATOR, UTILITY_VALIDATOR, HOSPITAL_VALIDATOR)
    wait(city)
    second = city.propose(MOVE)
    approval = ApproveChange(second)
    assert city.code(UTILITY, approval, by=(UTILITY_KEY,)) is Code.CHANGE_UNDER_WAY
    city.end_epoch()
    city.must(UTILITY, approval, by=(UTILITY_KEY,))
    after = read_governance(city.state).under_way
    assert after is None, "of three members two are no quorum"
    city.must(city.hospital, approval, by=(HOSPITAL_KEY,))
    after = read_governance(city.state).under_way
    assert after is not None
    assert after.proposal == second


def test_a_change_whose_set_is_not_ready_in_time_lapses_when_somebody_asks() -> None:
    city = GovernedCity()
    number = city.accept(city.joining())
    city.ready(CITY_HALL_VALIDATOR)
    wait(city)
    receipt = city.ready(HOSPITAL_VALIDATOR)
    assert [event.kind for event in receipt.events] == ["change.lapsed"]
    proposal = read_proposal(city.state, number)
    assert proposal is not None
    assert proposal.stage is ProposalStage.LAPSED
    assert next_validators(city.state) is None
    assert (
        city.code(CITY_HALL, MembersReady(Digest(bytes(32))), by=(HOSPITAL_VALIDATOR,))
        is Code.NO_SUCH_CHANGE
    )


def test_a_lapsed_change_gives_way_to_the_next_one() -> None:
    city = GovernedCity()
    lapsing = city.accept(city.joining())
    wait(city)
    number = city.propose(MOVE)
    receipt = city.must(UTILITY, ApproveChange(number), by=(UTILITY_KEY,))
    assert [event.kind for event in receipt.events] == [
        "change.approved",
        "change.lapsed",
        "change.accepted",
    ]
    lapsed = read_proposal(city.state, lapsing)
    assert lapsed is not None
    assert lapsed.stage is ProposalStage.LAPSED


def test_what_was_possible_when_proposed_must_be_possible_when_accepted() -> None:
    city = GovernedCity()
    other = city.propose(city.joining())
    city.enforce(city.joining())
    assert city.code(UTILITY, ApproveChange(other), by=(UTILITY_KEY,)) is Code.OK
    assert city.code(city.hospital, ApproveChange(other), by=(HOSPITAL_KEY,)) is Code.MEMBER_EXISTS


def test_the_approval_of_a_member_that_left_does_not_count() -> None:
    city = GovernedCity()
    city.enforce(city.joining(Role.SPONSOR, Role.REGISTRAR))
    city.must(city.hospital, ProposeChange(MOVE), by=(HOSPITAL_KEY,))
    number = read_governance(city.state).proposals
    leaving = ProposeChange(RemoveMember(city.hospital))
    city.must(CITY_HALL, leaving, by=OFFICERS)
    removal = ApproveChange(number + 1)
    city.must(UTILITY, removal, by=(UTILITY_KEY,))
    city.must(city.hospital, removal, by=(HOSPITAL_KEY,))
    city.ready(CITY_HALL_VALIDATOR, UTILITY_VALIDATOR)
    city.end_epoch()
    city.must(UTILITY, ApproveChange(number), by=(UTILITY_KEY,))
    assert read_governance(city.state).under_way is None
    city.must(CITY_HALL, ApproveChange(number), by=OFFICERS)
    assert read_governance(city.state).under_way is not None


def test_members_that_cannot_be_added() -> None:
    city = GovernedCity()
    person = city.open(owner(key(31)))
    good = city.joining()

    def joining(**fields: object) -> Code:
        return refused(city, msgspec.structs.replace(good, **fields))

    assert joining(account=NOBODY) is Code.ACCOUNT_UNKNOWN
    assert joining(account=person) is Code.NOT_AN_ORGANISATION
    assert joining(account=UTILITY) is Code.MEMBER_EXISTS
    assert joining(name="utility") is Code.MEMBER_NOT_DISTINCT
    assert joining(validator_key=UTILITY_VALIDATOR) is Code.MEMBER_NOT_DISTINCT
    assert joining(network_key=NetworkKey(b"\x06" * 32)) is Code.MEMBER_NOT_DISTINCT
    assert joining(validator_key=PublicKey(bytes(32))) is Code.KEY_INVALID
    assert joining(network_key=NetworkKey(bytes(32))) is Code.KEY_INVALID
    assert joining(name="hos\npital") is Code.TEXT_INVALID


def test_a_consortium_has_an_end() -> None:
    city = GovernedCity()
    many: dict[bytes, bytes | None] = {
        member_key(place): encode(
            MemberEntry(
                name=f"member {place}",
                account=UTILITY,
                validator_key=key(100 + place),
                network_key=NetworkKey(bytes([place]) * 32),
                endpoint="127.0.0.1:1",
            )
        )
        for place in range(VALIDATORS_MAX)
    }
    city.state.apply(city.height, many)
    assert refused(city, city.joining()) is Code.MEMBERS_TOO_MANY


def library(name: str = "library", number: int = 9) -> AddFullNode:
    return AddFullNode(name, NetworkKey(bytes([number]) * 32), "library.example:7000")


def test_nodes_without_a_vote_that_cannot_come_or_go() -> None:
    city = GovernedCity()
    city.enforce(library())
    assert refused(city, library(number=10)) is Code.MEMBER_NOT_DISTINCT
    assert refused(city, library("museum")) is Code.MEMBER_NOT_DISTINCT
    assert refused(city, library("utility", 10)) is Code.MEMBER_NOT_DISTINCT
    assert refused(city, library("museum", 6)) is Code.MEMBER_NOT_DISTINCT, "key of the utility"
    assert refused(city, library("museum", 0)) is Code.KEY_INVALID
    assert refused(city, library("mu\nseum", 10)) is Code.TEXT_INVALID
    assert refused(city, RemoveFullNode("museum")) is Code.FULL_NODE_UNKNOWN
    many: dict[bytes, bytes | None] = {
        full_node_key(place): encode(FullNode(f"node {place}", NetworkKey(bytes(32)), "a:1"))
        for place in range(FULL_NODES_MAX)
    }
    city.state.apply(city.height, many)
    assert refused(city, library("museum", 10)) is Code.FULL_NODES_TOO_MANY


def test_officers_that_cannot_be() -> None:
    city = GovernedCity()
    good = key(51)
    assert refused(city, RecoverOfficers(city.hospital, (good,))) is Code.MEMBER_UNKNOWN
    assert refused(city, RecoverOfficers(UTILITY, (good, good))) is Code.CONTROLLER_EXISTS
    assert refused(city, RecoverOfficers(UTILITY, (PublicKey(bytes(32)),))) is Code.KEY_INVALID


def test_members_that_cannot_leave_or_change() -> None:
    city = GovernedCity()
    assert refused(city, RemoveMember(NOBODY)) is Code.MEMBER_UNKNOWN
    assert refused(city, RemoveMember(CITY_HALL)) is Code.LAST_OF_ITS_ROLE
    assert refused(city, SetEndpoint(NOBODY, "a:1")) is Code.MEMBER_UNKNOWN
    assert refused(city, SetEndpoint(UTILITY, "127.0.0.1:7001")) is Code.CHANGE_EMPTY
    taken = RotateValidatorKey(UTILITY, CITY_HALL_VALIDATOR)
    assert refused(city, taken) is Code.MEMBER_NOT_DISTINCT
    null = RotateNetworkKey(UTILITY, NetworkKey(bytes(32)))
    assert refused(city, null) is Code.KEY_INVALID


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("nothing", 1),
        ("delta_ms", 1),
        ("delta_ms", 2_000),
        ("block_interval_min_ms", 300),
        ("tx_window_ms", 119_999),
        ("change_notice_ms", 0),
        ("block_bytes_max", 2**40),
    ],
)
def test_parameters_stay_where_the_chain_goes_on(name: str, number: int) -> None:
    assert refused(GovernedCity(), set_parameter(name, number)) is Code.PARAMETER_INVALID


def test_a_notice_counts_from_the_parameter_in_force() -> None:
    city = GovernedCity()
    city.enforce(set_parameter("change_notice_ms", 60_000))
    number = city.propose(MOVE)
    city.time_ms = TimeMs(city.time_ms + 61_000)
    assert city.code(UTILITY, ApproveChange(number), by=(UTILITY_KEY,)) is Code.PROPOSAL_CLOSED


def test_a_city_of_one_decides_alone() -> None:
    city = GovernedCity()
    city.enforce(RemoveMember(UTILITY))
    receipt = city.must(CITY_HALL, ProposeChange(city.joining()), by=OFFICERS)
    assert [event.kind for event in receipt.events] == ["change.proposed", "change.accepted"]
    assert [entry.account for entry in read_members(city.state)] == [CITY_HALL]


def wait(city: GovernedCity) -> None:
    """Let the notice of everything that was decided until now pass."""
    assert read_parameters(city.state) == small_genesis().parameters
    city.time_ms = TimeMs(city.time_ms + 8 * DAY_MS)


def test_the_account_of_a_member_is_marked() -> None:
    city = GovernedCity()
    city.enforce(city.joining(Role.ISSUER, Role.ISSUER))
    joined = read_account(city.state, city.hospital)
    assert joined is not None
    assert (joined.member, joined.roles) == (True, (Role.ISSUER,))


def test_accounts_that_do_not_exist_decide_nothing() -> None:
    city = GovernedCity()
    nobody = AccountId(b"\x0a" * 20)
    assert city.code(nobody, ProposeChange(MOVE), by=OFFICERS) is Code.ACCOUNT_UNKNOWN
    adding = AddMember("a", nobody, HOSPITAL_VALIDATOR, NetworkKey(b"\x08" * 32), "127.0.0.1:1", ())
    assert refused(city, adding) is Code.ACCOUNT_UNKNOWN
