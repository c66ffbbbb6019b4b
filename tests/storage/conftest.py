"""A small genesis, and blocks over it that need no signatures."""
