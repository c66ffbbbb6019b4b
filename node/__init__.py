"""The composition of a node: configuration, daemon and command line."""
