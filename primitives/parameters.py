"""Chain parameters: what a city may choose, each with a domain in which the chain cannot stop."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Parameters(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """Parameters that all nodes share; times in milliseconds, sizes in bytes."""

    delta_ms: Annotated[int, Meta(ge=10, le=10_000)] = 250
    delta_max_ms: Annotated[int, Meta(ge=10, le=60_000)] = 1_000
    block_interval_min_ms: Annotated[int, Meta(ge=1, le=1_000)] = 10
    block_interval_max_ms: Annotated[int, Meta(ge=10, le=10_000)] = 250
    idle_block_interval_ms: Annotated[int, Meta(ge=1_000, le=86_400_000)] = 600_000
    rebroadcast_ms: Annotated[int, Meta(ge=50, le=10_000)] = 500
    status_ms: Annotated[int, Meta(ge=100, le=60_000)] = 1_000
    execution_lag_max: Annotated[int, Meta(ge=1, le=256)] = 16
    tx_window_ms: Annotated[int, Meta(ge=10_000, le=3_600_000)] = 120_000
    block_bytes_max: Annotated[int, Meta(ge=128 * 1024, le=1024 * 1024)] = 1024 * 1024
    block_transactions_max: Annotated[int, Meta(ge=1, le=4096)] = 4096
    block_signatures_max: Annotated[int, Meta(ge=16, le=8192)] = 8192
    block_cost_max: Annotated[int, Meta(ge=10_000, le=100_000_000)] = 1_000_000
    account_pending_max: Annotated[int, Meta(ge=1, le=100_000)] = 4_096
    change_notice_ms: Annotated[int, Meta(ge=60_000, le=7_776_000_000)] = 604_800_000
