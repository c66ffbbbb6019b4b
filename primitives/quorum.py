"""Quorum arithmetic: the one place where validators are counted.

With n validators f = (n-1)//3 may be faulty and q = n - f make a certificate, so that two quorums
share at least f+1 validators, one of them honest.
"""


def faulty_max(validators: int) -> int:
    """Return f, the number of faulty validators that n tolerate."""
    return (validators - 1) // 3


def quorum(validators: int) -> int:
    """Return q, the number of votes that make a certificate."""
    return validators - faulty_max(validators)


def one_honest(validators: int) -> int:
    """Return f+1, the number of validators of which at least one is honest."""
    return faulty_max(validators) + 1
