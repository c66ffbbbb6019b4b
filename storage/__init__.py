"""What a node keeps on disk: the journal of consensus and the chain with its state."""
