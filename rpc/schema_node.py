"""Shapes of what a node says about itself, its members and its parameters."""

from typing import Any, Literal

from moyai.rpc.schema_types import (
    AccountText,
    Base64,
    HeightNumber,
    HexDigest,
    NoParams,
    Params,
    Result,
    TimeText,
)


class StatusParams(NoParams):
    """Nothing to choose."""


class StatusShown(Result):
    """The node, its heights, its links, what waits and how full the disk is."""

    name: str
    version: str
    chain_id: str
    genesis: HexDigest
    mode: str
    ready: bool
    summary: str
    epoch: int
    view: int
    heights: dict[str, int]
    last_final_age_ms: int | None
    uptime_ms: int
    time: TimeText
    quorum: dict[str, Any]
    links: list[dict[str, Any]]
    pool: dict[str, int]
    disk: dict[str, Any]


class HealthShown(Result):
    """Whether the node can make transactions final, and in one line why not."""

    ready: bool
    summary: str
    quorum: str
    missing: list[str]
    height: HeightNumber


class MemberShown(Result):
    """A member organisation as genesis has it."""

    name: str
    validator: int
    validator_key: HexDigest
    network_key: HexDigest
    endpoint: str
    account: AccountText
    roles: list[str]


class MembersShown(Result):
    """The members by validator index, and the registered nodes that do not vote."""

    height: HeightNumber
    members: list[MemberShown]
    full_nodes: list[dict[str, str]]


class ParametersShown(Result):
    """The chain parameters that all nodes share."""

    height: HeightNumber
    parameters: dict[str, int]


class EvidenceItem(Result):
    """Canonical bytes of two messages that no honest validator signs both."""

    kind: str
    validator: int
    view: int
    evidence: Base64


class EvidenceShown(Result):
    """All evidence this node holds."""

    evidence: list[EvidenceItem]


class LogLevelParams(Params):
    """How much the node logs from now on."""

    level: Literal["debug", "info", "warning", "error"]


class Done(Result):
    """The operator's request was carried out."""

    done: bool = True
    note: str = ""
