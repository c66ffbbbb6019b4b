"""Every method of the door: the index of the API.

Costs are in units of about 50 µs of the node's time; a client has `rpc.cost_per_second` of them.
"""

from typing import Any

import msgspec

from moyai.rpc import handlers_accounts as accounts
from moyai.rpc import handlers_chain as chain
from moyai.rpc import handlers_documents as documents
from moyai.rpc import handlers_events as events
from moyai.rpc import handlers_governance as governance
from moyai.rpc import handlers_node as node
from moyai.rpc import handlers_proofs as proofs
from moyai.rpc import handlers_records as records
from moyai.rpc import handlers_state as state
from moyai.rpc import handlers_transactions as transactions
from moyai.rpc import schema_accounts as of_accounts
from moyai.rpc import schema_chain as of_chain
from moyai.rpc import schema_events as of_events
from moyai.rpc import schema_governance as of_governance
from moyai.rpc import schema_node as of_node
from moyai.rpc import schema_records as of_records
from moyai.rpc import schema_state as of_state
from moyai.rpc import schema_transactions as of_transactions
from moyai.rpc import submits, subscriptions, waits
from moyai.rpc.methods import Method, Turn
from moyai.rpc.schema_types import NoParams, Params


def discover() -> dict[str, Any]:
    """This list: the OpenRPC document of every method with its shapes."""
    raise AssertionError("the server answers with the document it made when it started")


def _read(handler: Any, params: type[Params], result: type, cost: int = 1) -> Method:
    return Method(turn=Turn.READ, params=params, result=result, handler=handler, cost=cost)


def _pages(handler: Any, params: type[Params], result: type, page_cost: int) -> Method:
    row = _read(handler, params, result, 2)
    return msgspec.structs.replace(row, page_cost=page_cost)


METHODS: dict[str, Method] = {
    "tx_submit": Method(
        turn=Turn.SUBMIT,
        params=of_transactions.SubmitParams,
        result=of_transactions.SubmitAnswer,
        handler=submits.tx_submit,
        cost=2,
    ),
    "tx_status": _read(
        transactions.tx_status,
        of_transactions.TransactionParams,
        of_transactions.TransactionStatus,
    ),
    "tx_wait": Method(
        turn=Turn.WAIT,
        params=of_transactions.WaitParams,
        result=of_transactions.TransactionStatus,
        handler=waits.tx_wait,
        cost=2,
    ),
    "tx_get": _read(
        transactions.tx_get,
        of_transactions.TransactionParams,
        of_transactions.TransactionShown,
        2,
    ),
    "chain_head": _read(chain.chain_head, of_chain.HeadParams, of_chain.HeadShown),
    "chain_block": _read(chain.chain_block, of_chain.BlockParams, of_chain.BlockShown, 20),
    "chain_certificate": _read(
        proofs.chain_certificate, of_chain.CertificateParams, of_chain.CertificateShown, 2
    ),
    "chain_prove": Method(
        turn=Turn.WAIT,
        params=of_chain.ProveParams,
        result=of_chain.ProofShown,
        handler=waits.chain_prove,
        cost=5,
    ),
    "chain_genesis": _read(chain.chain_genesis, NoParams, of_chain.GenesisShown),
    "validators_get": _read(
        chain.validators_get, of_chain.ValidatorsParams, of_chain.ValidatorsShown
    ),
    "state_get": _read(state.state_get, of_state.StateParams, of_state.StateShown),
    "state_prove": _read(
        proofs.state_prove, of_state.StateProveParams, of_state.StateProofShown, 10
    ),
    "account_get": _read(
        accounts.account_get, of_accounts.AccountParams, of_accounts.AccountShown, 2
    ),
    "account_history": _pages(
        accounts.account_history,
        of_accounts.AccountHistoryParams,
        of_accounts.AccountHistoryShown,
        400,
    ),
    "identity_get": _read(
        accounts.identity_get, of_accounts.AccountParams, of_accounts.IdentityShown, 2
    ),
    "token_get": _read(accounts.token_get, of_accounts.TokenParams, of_accounts.TokenShown, 2),
    "token_balance": _read(
        accounts.token_balance, of_accounts.BalanceParams, of_accounts.BalanceShown
    ),
    "collection_get": _read(
        records.collection_get, of_records.CollectionParams, of_records.CollectionShown, 2
    ),
    "records_get": _read(records.records_get, of_records.RecordParams, of_records.RecordFound),
    "records_query": _pages(
        records.records_query, of_records.RecordsParams, of_records.RecordsShown, 500
    ),
    "records_history": _pages(
        records.records_history,
        of_records.RecordHistoryParams,
        of_records.RecordHistoryShown,
        500,
    ),
    "documents_get": _read(
        documents.documents_get, of_records.DocumentParams, of_records.DocumentShown, 5
    ),
    "events_list": _pages(events.events_list, of_events.EventsParams, of_events.EventsShown, 150),
    "subscribe": Method(
        turn=Turn.SOCKET,
        params=of_events.SubscribeParams,
        result=of_events.SubscribeAnswer,
        handler=subscriptions.subscribe,
        cost=5,
    ),
    "unsubscribe": Method(
        turn=Turn.SOCKET,
        params=of_events.UnsubscribeParams,
        result=of_events.UnsubscribeAnswer,
        handler=subscriptions.unsubscribe,
    ),
    "node_status": _read(node.node_status, of_node.StatusParams, of_node.StatusShown, 2),
    "node_health": _read(node.node_health, NoParams, of_node.HealthShown),
    "members_list": _read(node.members_list, NoParams, of_node.MembersShown, 2),
    "changes_list": _read(
        governance.changes_list, of_governance.ChangesParams, of_governance.ChangesShown, 50
    ),
    "params_get": _read(node.params_get, NoParams, of_node.ParametersShown),
    "evidence_list": _read(node.evidence_list, NoParams, of_node.EvidenceShown, 5),
    "rpc.discover": Method(
        turn=Turn.DISCOVER,
        params=NoParams,
        result=dict[str, Any],
        handler=discover,
        cost=5,
    ),
}
"""Method by name, as everyone may call it."""

ADMIN_METHODS: dict[str, Method] = {
    "admin_stop": Method(
        turn=Turn.ADMIN, params=NoParams, result=of_node.Done, handler=node.admin_stop
    ),
    "admin_log_level": Method(
        turn=Turn.ADMIN,
        params=of_node.LogLevelParams,
        result=of_node.Done,
        handler=node.admin_log_level,
    ),
}
"""What is served on the operator's own socket alone, beside all the others."""
