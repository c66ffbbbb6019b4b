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


class StatusParams(NoParams, frozen=True, kw_only=True):
    """Nothing to choose."""


class StatusShown(Result, frozen=True, kw_only=True):
    """The node, its heights, its links, what waits and how full the disk is.

    Blocks below `base` are not here: `retention` says how long they stay.
    """

    name: str
    version: str
    chain_id: str
    genesis: HexDigest
    mode: str
    ready: bool
    summary: str
    waits_for: str
    epoch: int
    view: int
    heights: dict[str, int]
    base: HeightNumber
    retention: str
    last_final_age_ms: int | None
    uptime_ms: int
    time: TimeText
    quorum: dict[str, Any]
    links: list[dict[str, Any]]
    pool: dict[str, int]
    disk: dict[str, Any]


class HealthShown(Result, frozen=True, kw_only=True):
    """Whether the node can make transactions final, and in one line why not."""

    ready: bool
    summary: str
    quorum: str
    missing: list[str]
    height: HeightNumber


class MemberShown(Result, frozen=True, kw_only=True):
    """A member organisation and its place among the validators of the epoch.

    `evidence_height` is the block that put evidence against its validator key on record, if any.
    """

    name: str
    validator: int
    validator_key: HexDigest
    network_key: HexDigest
    endpoint: str
    account: AccountText
    roles: list[str]
    evidence_height: HeightNumber | None


class MembersShown(Result, frozen=True, kw_only=True):
    """The members by validator index, and the registered nodes that do not vote."""

    height: HeightNumber
    epoch: int
    members: list[MemberShown]
    full_nodes: list[dict[str, str]]


class ParametersShown(Result, frozen=True, kw_only=True):
    """The chain parameters that all nodes share."""

    height: HeightNumber
    parameters: dict[str, int]


class EvidenceItem(Result, frozen=True, kw_only=True):
    """Two votes that no honest validator signs both: canonical bytes, and what puts them on record.

    `validator_key` is none when the epoch is not known here; `recorded` says that evidence against
    this key is on record already.
    """

    kind: str
    epoch: int
    view: int
    validator: int
    validator_key: HexDigest | None
    recorded: bool
    evidence: Base64
    operation: dict[str, Any]


class EvidenceShown(Result, frozen=True, kw_only=True):
    """All evidence this node holds."""

    evidence: list[EvidenceItem]


class LogLevelParams(Params, frozen=True, kw_only=True):
    """How much the node logs from now on."""

    level: Literal["debug", "info", "warning", "error"]


class Done(Result, frozen=True, kw_only=True):
    """The operator's request was carried out."""

    done: bool
    note: str
