"""Writes docs/rpc.md from the method table, the shapes, the limits, the errors and the metrics.

Run it with the Python of `.venv` after a change of the door; `--check` only says whether the page
is current, as the test of the documents does.
"""

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from moyai.rpc import limits
from moyai.rpc.discovery import openrpc
from moyai.rpc.errors import CATALOGUE
from moyai.rpc.methods import Method, Turn
from moyai.rpc.metrics import Metrics
from moyai.rpc.routes import ADMIN_METHODS, METHODS
from moyai.rpc.settings import RpcConfig

PAGE = Path(__file__).resolve().parent.parent / "docs" / "rpc.md"
TOPICS = {
    "tx": "Transactions",
    "chain": "The chain and its proofs",
    "validators": "Validators",
    "state": "State by key",
    "account": "Accounts",
    "identity": "Identity",
    "token": "Tokens",
    "collection": "Collections",
    "records": "Records",
    "documents": "Documents",
    "events": "Events by page",
    "subscribe": "Subscriptions, over WebSocket",
    "unsubscribe": "",
    "node": "The node",
    "members": "Members",
    "changes": "Changes of members and parameters",
    "params": "Parameters",
    "evidence": "Evidence of misconduct",
    "rpc.discover": "Discovery",
    "admin": "The operator's orders, on the operator's socket alone",
}
INTRODUCTION = f"""\
# JSON-RPC reference

Written by `scripts/generate_rpc_docs.py` from the code. The same as data: `rpc.discover` (OpenRPC).
How applications use it, step by step: [for-app-developers.md](for-app-developers.md).

JSON-RPC 2.0 over HTTP `POST /` and over WebSocket `/ws`, the same methods on both.

    curl -s http://127.0.0.1:8545 -H 'Content-Type: application/json' \\
      -d '{{"jsonrpc":"2.0","id":1,"method":"chain_head"}}'

## Values
| value | form |
|---|---|
| ids, digests, keys | hexadecimal, lower case |
| accounts | bech32m, `moyai1…`: a typing error is caught |
| heights, versions, counts | integers |
| amounts | decimal texts: they go beyond what JSON numbers hold everywhere |
| times | RFC 3339 in UTC with milliseconds |
| what is signed or hashed | base64 of its canonical bytes, see [wire.md](wire.md) |
| Merkle paths | lists of hexadecimal, nearest sibling first |
| cursors | opaque texts; each belongs to the question that gave it out |

Parameters are given by name; an unknown one is an error. Members of a result that do not apply are
left out. Every read is of one committed block and says its height; nothing read as final is ever
taken back, and "not_found" is never said of what this node called final.

## The door
- `Content-Type: application/json`, no `Content-Encoding`. A request has at most
  {limits.REQUEST_BYTES_MAX:,} bytes, an answer {limits.ANSWER_BYTES_MAX:,}, a batch
  {limits.BATCH_CALLS_MAX} calls, JSON {limits.NESTING_MAX} levels.
- JSON is read strictly: a key twice in an object, NaN, fractions, half surrogate pairs and integers
  beyond ±{limits.INTEGER_MAX} are parse errors.
- A request has {limits.REQUEST_SECONDS_MAX:.0f} s, from its first byte to its answer. An idle
  connection is closed after {limits.KEEP_ALIVE_SECONDS_MAX:.0f} s.
- `Host` is the address listened on, a name of loopback, or listed in `rpc.hosts`; web pages of
  other origins are refused unless listed in `rpc.origins`. There are no cookies.
- In a batch all `tx_submit` go to the node as one list, then reads are answered, then calls that
  wait, side by side.
- Costs: each call costs units of about 50 µs of the node's time, each request one more for every
  {limits.BODY_BYTES_PER_COST:,} bytes it has. A client (an address, an IPv6 /64, or an API key) has
  `rpc.cost_per_second` of them and may save up `rpc.cost_burst`, with an API key
  `rpc.key_cost_per_second` and `rpc.key_cost_burst`; beyond that the whole request is answered with
  `too_many_requests` and HTTP status 429, and nothing of it is done.
- `scripts/bench_rpc` measures what calls cost on a machine: a submit in a batch of 50 about 5 µs, a
  head 40 µs, the first proof in a block of 500 about 3 ms, each further one 0.07 ms.
- Where the operator gave out API keys, submitting needs `Authorization: Bearer <key>`.
- `GET /health/live` says that the process answers; `GET /health/ready` answers 200 or 503 with one
  line like `quorum 3/4, missing hospital`.

## Subscriptions
`subscribe` over `/ws` follows blocks or events, from a cursor or from now on. News come as

    {{"jsonrpc":"2.0","method":"subscription","params":{{"subscription":1,"items":[…],"cursor":"…"}}}}

Every item has a `cursor` of its own. Whoever subscribes again from the cursor of the last item it
used, on this node or on another, gets what follows: nothing is lost and nothing comes twice. A
reader that takes nothing for {limits.SOCKET_STALLED_SECONDS_MAX:.0f} s is cut (close code 4008). A
connection has at most {limits.SOCKET_SUBSCRIPTIONS_MAX} subscriptions and
{limits.SOCKET_CALLS_MAX} calls at a time.

## Methods
"""

ERRORS = """\
An error has a JSON-RPC `code`, a `message`, and `data` with `code` (a stable name), `reason`,
`what` (about which object), `next` (what to do) and, where the same request may pass later,
`retry_after_ms`. Refusals of a transaction have the number of `refused` or of `busy` and a name of
their own: all names are in [errors.md](errors.md).
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Write docs/rpc.md, or check it")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it differs")
    arguments = parser.parse_args()
    page = rendered()
    if not arguments.check:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        print("docs/rpc.md is not current: run scripts/generate_rpc_docs.py", file=sys.stderr)
        return 1
    return 0


def rendered() -> str:
    """Return the whole page."""
    document = openrpc()
    shapes = document["components"]["schemas"]
    parts = [INTRODUCTION, *_methods(shapes), *_shared_shapes(shapes)]
    parts += [*_errors(), *_settings(), *_metrics()]
    return "\n".join(parts).rstrip() + "\n"


def _methods(shapes: dict[str, Any]) -> Iterator[str]:
    topic = ""
    for name, method in {**METHODS, **ADMIN_METHODS}.items():
        own = name if name in TOPICS else name.partition("_")[0]
        if own != topic and TOPICS[own]:
            yield f"### {TOPICS[own]}\n"
        topic = own
        yield from _method(name, method, shapes)


def _method(name: str, method: Method, shapes: dict[str, Any]) -> Iterator[str]:
    where = " · WebSocket only" if method.turn is Turn.SOCKET else ""
    page = f", a page of the largest size {method.page_cost} more" if method.page_cost else ""
    yield f"#### `{name}`\n\n{method.summary} (cost {method.cost}{page}{where})\n"
    yield from _parameters(method)
    if isinstance(method.result, type) and issubclass(method.result, msgspec.Struct):
        yield f"Result: {_sentence(method.result)}\n"
        yield from _fields(shapes.get(method.result.__name__) or _shape(method.result))
    else:
        yield "Result: the document.\n"


def _parameters(method: Method) -> Iterator[str]:
    shape = _shape(method.params)
    if not shape.get("properties"):
        yield "No parameters.\n"
        return
    yield f"{_sentence(method.params)}\n"
    yield "| parameter | type | |\n|---|---|---|"
    required = shape.get("required", ())
    for field, schema in shape["properties"].items():
        if field in required:
            need = "required"
        else:
            default = schema.get("default")
            need = "" if default in (None, [], {}) else f"default `{_json(default)}`"
        yield f"| `{field}` | {_type(schema)} | {need} |"
    yield ""


def _fields(shape: dict[str, Any]) -> Iterator[str]:
    yield "| member | type | |\n|---|---|---|"
    required = shape.get("required", ())
    for field, schema in shape.get("properties", {}).items():
        yield f"| `{field}` | {_type(schema)} | {'' if field in required else 'when it applies'} |"
    yield ""


def _shared_shapes(shapes: dict[str, Any]) -> Iterator[str]:
    own = {method.result.__name__ for method in METHODS.values() if isinstance(method.result, type)}
    own |= {method.params.__name__ for method in METHODS.values()}
    yield "## Shapes inside results\n"
    for name, shape in sorted(shapes.items()):
        if name not in own and shape.get("type") == "object":
            yield f"### {name}\n\n{' '.join(shape.get('description', '').split())}\n"
            yield from _fields(shape)


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    yield ERRORS
    yield "| number | `data.code` | when | try again |\n|---|---|---|---|"
    for error in CATALOGUE:
        again = f"after {error.retry_after_ms} ms" if error.retry_after_ms else ""
        yield f"| {error.number} | `{error.code}` | {_sentence(error)} | {again} |"
    yield ""


def _settings() -> Iterator[str]:
    yield "## Settings\n"
    yield f"The section `rpc` of a node's configuration. {_sentence(RpcConfig)}\n"
    yield "| key | default |\n|---|---|"
    for field in msgspec.structs.fields(RpcConfig):
        yield f"| `rpc.{field.name}` | `{_json(field.default)}` |"
    yield ""


def _metrics() -> Iterator[str]:
    yield "## Metrics\n\nOn their own address (`metrics.listen`), at `/metrics`.\n"
    yield "| metric | kind | labels | |\n|---|---|---|---|"
    metrics = Metrics(CollectorRegistry())
    for metric in vars(metrics).values():
        if isinstance(metric, CollectorRegistry):
            continue
        family = metric.describe()[0]
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ", ".join(metric._labelnames)  # noqa: SLF001 - the library tells them nowhere else
        yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |"
    yield ""


def _shape(kind: type[msgspec.Struct]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([kind])
    shape: dict[str, Any] = components[kind.__name__]
    return shape


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = str(schema.get("description") or schema.get("type", "any value"))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "integer" and "maximum" in schema and "description" not in schema:
        return f"integer from {schema.get('minimum', 0)} to {schema['maximum']}"
    return kind


def _sentence(thing: Any) -> str:
    return " ".join((inspect.getdoc(thing) or "").split())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


if __name__ == "__main__":
    sys.exit(main())
