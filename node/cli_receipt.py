"""How commands show the proven receipt of a final transaction."""

from typing import Any

from moyai.client.proofs import FinalReceipt
from moyai.node.cli_output import pairs, print_fields, print_json
from moyai.node.times import format_time
from moyai.rpc.readable import readable_event


def print_receipt(receipt: FinalReceipt, *, as_json: bool) -> None:
    """Print where a transaction stands and what it did."""
    fields = {
        "id": receipt.transaction.hex(),
        "status": "final",
        "height": receipt.height,
        "index": receipt.index,
        "time": format_time(receipt.time_ms),
        "certified_height": receipt.certified_height,
    }
    events = [readable_event(event) for event in receipt.events]
    if as_json:
        print_json({**fields, "events": events})
    else:
        print_fields({**fields, "events": [_event_line(event) for event in events]})


def _event_line(event: dict[str, Any]) -> str:
    """Return `change.proposed: proposal 7 (moyai1…)`."""
    told = f"{event['kind']}: {pairs(event['fields'])}" if event["fields"] else event["kind"]
    return f"{told} ({', '.join(event['accounts'])})" if event["accounts"] else told
