"""Writes a plan as the Python that makes it again, to paste into a test."""

from enum import Enum

import msgspec


def spelled(value: object) -> str:
    """Return an expression that makes an equal value."""
    match value:
        case msgspec.Struct():
            fields = msgspec.structs.fields(type(value))
            said = [(each, getattr(value, each.name)) for each in fields]
            parts = [
                f"{field.name}={spelled(content)}"
                for field, content in said
                if content != field.default
            ]
            return f"{type(value).__name__}({', '.join(parts)})"
        case Enum():
            return f"{type(value).__name__}.{value.name}"
        case tuple():
            inside = ", ".join(spelled(each) for each in value)
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        case _:
            return repr(value)


def regression_test(level: str, plan: object, kind: str) -> str:
    """Return a test that lives a plan for ever."""
    body = f'    LEVELS["{level}"].history({spelled(plan)}).run()'
    return f'def test_once_failed() -> None:\n    """{kind}."""\n{body}\n'
