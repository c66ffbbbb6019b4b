"""Answers about the node, the members and the parameters; and what only the operator may ask."""

import msgspec

from moyai.ledger.membership import (
    read_full_nodes,
    read_governance,
    read_parameters,
    read_registry,
    read_validators,
)
from moyai.ledger.misconduct import read_misconduct
from moyai.primitives.genesis import Member, genesis_digest
from moyai.primitives.operations_evidence import SubmitEvidence
from moyai.primitives.validators import ValidatorSet
from moyai.rpc.ports import EvidenceFound, NodePorts, NodeStatus
from moyai.rpc.readable import readable_operation
from moyai.rpc.reads import Reads
from moyai.rpc.schema_node import (
    Done,
    EvidenceItem,
    EvidenceShown,
    HealthShown,
    LogLevelParams,
    MemberShown,
    MembersShown,
    ParametersShown,
    StatusParams,
    StatusShown,
)
from moyai.rpc.schema_types import NoParams
from moyai.rpc.texts import account_text, base64_text, time_text


def node_status(reads: Reads, _params: StatusParams) -> StatusShown:
    """How this node stands: heights, links, quorum, pool, disk."""
    node = reads.node
    status = node.status()
    return StatusShown(
        name=status.name,
        version=status.version,
        chain_id=node.genesis.chain_id,
        genesis=genesis_digest(node.genesis).hex(),
        mode=status.mode,
        ready=status.is_ready,
        summary=summary_of(status),
        waits_for=status.waits_for,
        epoch=status.epoch,
        view=status.view,
        heights={
            "final": status.final,
            "executed": status.executed,
            "committed": status.committed,
        },
        base=reads.snapshot.base,
        retention=status.retention,
        last_final_age_ms=status.final_age_ms,
        uptime_ms=status.uptime_ms,
        time=time_text(node.now_ms()),
        quorum=msgspec.to_builtins(status.quorum),
        links=[msgspec.to_builtins(link) for link in status.links],
        pool=msgspec.to_builtins(status.pool),
        disk=msgspec.to_builtins(status.disk),
    )


def node_health(reads: Reads, _params: NoParams) -> HealthShown:
    """Whether this node can make transactions final, and why not."""
    return health_of(reads.node.status())


def members_list(reads: Reads, _params: NoParams) -> MembersShown:
    """The organisations of the consortium, by validator index, and registered full nodes."""
    epoch = read_governance(reads).epoch
    validators = read_validators(reads, epoch)
    members = [_member(reads, member, validators) for member in read_registry(reads)]
    return MembersShown(
        height=reads.height,
        epoch=epoch,
        members=sorted(members, key=lambda member: member.validator),
        full_nodes=[
            {"name": one.name, "network_key": one.network_key.hex(), "endpoint": one.endpoint}
            for one in read_full_nodes(reads)
        ],
    )


def _member(reads: Reads, member: Member, validators: ValidatorSet) -> MemberShown:
    misconduct = read_misconduct(reads, member.validator_key)
    return MemberShown(
        name=member.name,
        validator=validators.keys.index(member.validator_key),
        validator_key=member.validator_key.hex(),
        network_key=member.network_key.hex(),
        endpoint=member.endpoint,
        account=account_text(member.account),
        roles=[role.name.lower() for role in member.roles],
        evidence_height=None if misconduct is None else misconduct.height,
    )


def params_get(reads: Reads, _params: NoParams) -> ParametersShown:
    """The chain parameters, as the newest state has them."""
    parameters = read_parameters(reads)
    names = parameters.__struct_fields__
    return ParametersShown(
        height=reads.height, parameters={name: getattr(parameters, name) for name in names}
    )


def evidence_list(reads: Reads, _params: NoParams) -> EvidenceShown:
    """Proofs that a validator broke the protocol, as far as this node holds any."""
    return EvidenceShown(evidence=[_evidence(reads, one) for one in reads.node.evidence()])


def _evidence(reads: Reads, found: EvidenceFound) -> EvidenceItem:
    first, second = found.first, found.second
    key = None
    if first.epoch <= read_governance(reads).epoch:
        keys = read_validators(reads, first.epoch).keys
        key = keys[first.signer] if first.signer < len(keys) else None
    return EvidenceItem(
        kind=f"{first.kind.name} and {second.kind.name}".lower(),
        epoch=first.epoch,
        view=first.view,
        validator=first.signer,
        validator_key=None if key is None else key.hex(),
        recorded=key is not None and read_misconduct(reads, key) is not None,
        evidence=base64_text(found.evidence),
        operation=readable_operation(SubmitEvidence(first, second)),
    )


def admin_stop(node: NodePorts, _params: NoParams) -> Done:
    """Stop the node cleanly; it answers before it does."""
    node.admin.stop()
    return Done(done=True, note="the node stops")


def admin_log_level(node: NodePorts, params: LogLevelParams) -> Done:
    """Log more or less, until the next start."""
    node.admin.set_log_level(params.level)
    return Done(done=True, note=f"logging from {params.level} on")


def health_of(status: NodeStatus) -> HealthShown:
    """Return what `/health/ready` says."""
    quorum = status.quorum
    return HealthShown(
        ready=status.is_ready,
        summary=summary_of(status),
        quorum=f"{quorum.reached}/{quorum.validators}",
        missing=list(quorum.missing),
        height=status.committed,
    )


def summary_of(status: NodeStatus) -> str:
    """Return one line: `quorum 3/4, missing hospital`, and why the node is not ready."""
    quorum = status.quorum
    line = f"quorum {quorum.reached}/{quorum.validators}"
    if quorum.missing:
        line += f", missing {', '.join(quorum.missing)}"
    if status.mode in {"abstaining", "catching up", "no vote"}:
        line += f", {status.mode}"
    reason = status.not_ready_because
    return f"{line}, {reason}" if reason and reason not in line else line
