"""Migrations: a step for each format below the present one, and none beyond (see also
test_environment, which runs steps)."""

from moyai.storage.migrate import FORMAT, MIGRATIONS


def test_there_is_a_step_from_every_released_format() -> None:
    assert sorted(MIGRATIONS) == list(range(1, FORMAT))
