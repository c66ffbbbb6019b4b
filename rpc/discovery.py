"""The OpenRPC document: every method with its shapes, made from the structs themselves."""

import inspect
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from moyai.rpc.errors import CATALOGUE
from moyai.rpc.methods import Method, Turn
from moyai.rpc.routes import METHODS

OPENRPC_VERSION = "1.3.2"
_REFERENCE = "#/components/schemas/{name}"


@cache
def openrpc() -> dict[str, Any]:
    """Return the document as plain data."""
    kinds = [kind for method in METHODS.values() for kind in (method.params, method.result)]
    shapes, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    pairs = [(shapes[place], shapes[place + 1]) for place in range(0, len(shapes), 2)]
    return {
        "openrpc": OPENRPC_VERSION,
        "info": {"title": "Moyai", "version": package_version(), "license": {"name": "Apache-2.0"}},
        "methods": [
            _method(name, method, result, components)
            for (name, method), (_, result) in zip(METHODS.items(), pairs, strict=True)
        ],
        "components": {"schemas": components, "errors": _errors()},
    }


def package_version() -> str:
    """Return the version of the installed package."""
    try:
        return version("moyai")
    except PackageNotFoundError:
        return "0"


def _method(
    name: str, method: Method, result: dict[str, Any], components: dict[str, Any]
) -> dict[str, Any]:
    shape = components[method.params.__name__]
    required = set(shape.get("required", ()))
    return {
        "name": name,
        "summary": method.summary,
        "paramStructure": "by-name",
        "params": [
            {"name": field, "required": field in required, "schema": schema}
            for field, schema in shape.get("properties", {}).items()
        ],
        "result": {"name": "result", "schema": result},
        "x-cost": method.cost,
        "x-page-cost": method.page_cost,
        "x-websocket-only": method.turn is Turn.SOCKET,
    }


def _errors() -> dict[str, Any]:
    return {
        error.code: {"code": error.number, "message": (inspect.getdoc(error) or "").split("\n")[0]}
        for error in CATALOGUE
    }
