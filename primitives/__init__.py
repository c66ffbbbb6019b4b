"""The values every part shares: identifiers, codec, hashes, signatures, Merkle trees; pure."""
