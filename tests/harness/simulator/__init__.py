"""The simulator: plans drawn from a seed, faults, levels that live them, shrinking."""
