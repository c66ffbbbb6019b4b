"""How commands show the proven receipt of a final transaction."""

from moyai.client.proofs import FinalReceipt
from moyai.node.cli_output import print_fields, print_json
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
        "events": [readable_event(event) for event in receipt.events],
    }
    print_json(fields) if as_json else print_fields(fields)
