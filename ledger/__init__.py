"""The rules of the ledger: a block and a state in, receipts and a new state out; pure."""
