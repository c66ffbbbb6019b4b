"""Every metric of a node by name: what an operator graphs and is woken by.

Reasons are labels, so that an operator sees *why* something was dropped or a view was given up.
The node sets what it knows; this file only names it. Not here: serving them (`metrics_server`).
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """All metrics, registered in one registry of their own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._of_chain(registry)
        self._of_consensus(registry)
        self._of_peers(registry)
        self._of_node(registry)
        self._of_door(registry)

    def _of_chain(self, registry: CollectorRegistry) -> None:
        self.final_height = Gauge(
            "moyai_final_height", "Height of the newest final block.", registry=registry
        )
        self.executed_height = Gauge(
            "moyai_executed_height", "Height of the newest executed block.", registry=registry
        )
        self.committed_height = Gauge(
            "moyai_committed_height", "Height of the newest block on disk.", registry=registry
        )
        self.transactions_final = Counter(
            "moyai_transactions_final", "Transactions in final blocks.", registry=registry
        )
        self.transactions_refused = Counter(
            "moyai_transactions_refused",
            "Final transactions that changed nothing, by the name of the receipt's code.",
            ["code"],
            registry=registry,
        )
        self.block_interval_seconds = Histogram(
            "moyai_block_interval_seconds",
            "Time between final blocks.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.finality_seconds = Histogram(
            "moyai_finality_seconds",
            "Time from a request's arrival here until its first transaction is final and on disk.",
            buckets=_SECONDS,
            registry=registry,
        )

    def _of_consensus(self, registry: CollectorRegistry) -> None:
        self.view = Gauge("moyai_view", "The view this node is in.", registry=registry)
        self.epoch = Gauge("moyai_epoch", "The epoch this node is in.", registry=registry)
        self.view_changes = Counter(
            "moyai_view_changes",
            "Views that ended without a block of their own, by reason.",
            ["reason"],
            registry=registry,
        )
        self.quorum_reached = Gauge(
            "moyai_quorum_reached", "Validators linked, this one included.", registry=registry
        )
        self.quorum_needed = Gauge(
            "moyai_quorum_needed", "Validators it takes to finalize.", registry=registry
        )
        self.empty_blocks = Counter(
            "moyai_empty_blocks",
            "Own blocks without transactions, by what they were made for.",
            ["ground"],
            registry=registry,
        )
        self.invalid_blocks = Counter(
            "moyai_invalid_blocks",
            "Blocks of others that break a rule, by rule.",
            ["reason"],
            registry=registry,
        )
        self.alarms = Counter(
            "moyai_alarms",
            "What an operator must look at; the log says more.",
            ["kind"],
            registry=registry,
        )
        self.bytes_reclaimed = Gauge(
            "moyai_pruned_bytes",
            "Bytes of old blocks and versions removed since the node started.",
            registry=registry,
        )
        self.evidence = Gauge(
            "moyai_evidence", "Proofs of misconduct this node holds.", registry=registry
        )
        self.is_abstaining = Gauge(
            "moyai_abstaining", "1 while this validator does not vote.", registry=registry
        )

    def _of_peers(self, registry: CollectorRegistry) -> None:
        self.link_up = Gauge(
            "moyai_link_up", "1 while the link to a member stands.", ["member"], registry=registry
        )
        self.messages_dropped = Counter(
            "moyai_messages_dropped",
            "Messages of peers that were not used, by class and reason.",
            ["kind", "reason"],
            registry=registry,
        )
        self.peer_faults = Counter(
            "moyai_peer_faults",
            "Breaches of the protocol by a peer; the log says which.",
            ["member"],
            registry=registry,
        )

    def _of_node(self, registry: CollectorRegistry) -> None:
        self.pool_transactions = Gauge(
            "moyai_pool_transactions", "Transactions that wait for a block.", registry=registry
        )
        self.pool_bytes = Gauge(
            "moyai_pool_bytes", "Size of the transactions that wait.", registry=registry
        )
        self.unchecked_transactions = Gauge(
            "moyai_unchecked_transactions",
            "Transactions that wait for their signatures to be checked.",
            registry=registry,
        )
        self.transactions_dropped = Counter(
            "moyai_transactions_dropped",
            "Transactions of applications not taken in, by the code of the refusal.",
            ["reason"],
            registry=registry,
        )
        self.stage_seconds = Counter(
            "moyai_stage_seconds",
            "Processor time by what it was spent on.",
            ["stage"],
            registry=registry,
        )
        self.loop_lag_seconds = Gauge(
            "moyai_loop_lag_seconds", "How late the event loop is.", registry=registry
        )
        self.disk_used_percent = Gauge(
            "moyai_disk_used_percent", "How full the chain store is.", registry=registry
        )
        self.journal_commit_seconds = Histogram(
            "moyai_journal_commit_seconds",
            "Time a commit of the journal takes.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.chain_commit_seconds = Histogram(
            "moyai_chain_commit_seconds",
            "Time a commit of the chain store takes.",
            buckets=_SECONDS,
            registry=registry,
        )

    def _of_door(self, registry: CollectorRegistry) -> None:
        self.rpc_calls = Counter(
            "moyai_rpc_calls", "Calls answered, by method.", ["method"], registry=registry
        )
        self.rpc_errors = Counter(
            "moyai_rpc_errors",
            "Calls answered with an error, by the error's name.",
            ["code"],
            registry=registry,
        )
        self.rpc_refused = Counter(
            "moyai_rpc_refused",
            "Requests and connections refused at the door, by reason.",
            ["reason"],
            registry=registry,
        )
        self.rpc_seconds = Histogram(
            "moyai_rpc_seconds", "Time a request takes.", buckets=_SECONDS, registry=registry
        )
        self.rpc_connections = Gauge(
            "moyai_rpc_connections", "Open connections of clients.", registry=registry
        )
        self.rpc_subscriptions = Gauge(
            "moyai_rpc_subscriptions", "Subscriptions over WebSocket.", registry=registry
        )
        self.rpc_waiters = Gauge(
            "moyai_rpc_waiters", "Requests that wait for a transaction.", registry=registry
        )


def metric_names() -> list[str]:
    """Return every name as Prometheus sees it: counters end in `_total`."""
    registry = CollectorRegistry()
    Metrics(registry)
    return sorted(
        family.name + "_total" if family.type == "counter" else family.name
        for family in registry.collect()
    )
