"""Storage errors: one stable code each, so that an operator can look it up."""

import inspect

from moyai.primitives.errors import MoyaiError
from moyai.storage import errors


def test_codes_are_distinct() -> None:
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.StorageError)
    ]
    assert all(issubclass(kind, MoyaiError) for kind in kinds)
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes) >= 12


def test_a_full_store_is_a_failed_commit() -> None:
    assert issubclass(errors.StorageFull, errors.CommitFailed)
