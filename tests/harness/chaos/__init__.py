"""Faults of real processes: relays, a shim under the clock and the disk, nemeses, load, a judge."""
