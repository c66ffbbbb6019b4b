"""Shapes of what members propose, and how far it has come."""

from typing import Annotated, Any

from msgspec import Meta

from moyai.rpc.schema_types import AccountText, HeightNumber, HexDigest, Params, Result, TimeText

ChangesLimit = Annotated[int, Meta(ge=1, le=100, description="the most proposals in the answer")]
ProposalBound = Annotated[int, Meta(ge=1, le=2**31, description="the number of a proposal")]


class ChangesParams(Params, frozen=True, kw_only=True):
    """The newest proposals, or those up to a number."""

    up_to: ProposalBound | None = None
    limit: ChangesLimit = 20


class NextMember(Result, frozen=True, kw_only=True):
    """A member as it would be, and whether its validator has said that it is ready."""

    name: str
    account: AccountText
    validator_key: HexDigest
    endpoint: str
    is_ready: bool


class ChangeShown(Result, frozen=True, kw_only=True):
    """A proposal: what it asks for, who approved, and what is still needed.

    `next_set` and `next_members` are told while the change could come into force as things stand.
    """

    proposal: int
    stage: str
    change: dict[str, Any]
    proposer: AccountText
    approvals: list[AccountText]
    approvals_needed: int
    until: TimeText
    next_set: HexDigest | None
    next_members: list[NextMember]
    ready_needed: int


class ChangesShown(Result, frozen=True, kw_only=True):
    """Proposals, newest first; `under_way` is the approved one, if there is one."""

    height: HeightNumber
    epoch: int
    under_way: int | None
    changes: list[ChangeShown]
