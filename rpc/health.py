"""`/health/live` and `/health/ready`: what a supervisor and an operator look at first."""

import msgspec
from aiohttp.web_response import Response

from moyai.rpc.handlers_node import health_of
from moyai.rpc.ports import NodePorts

JSON_TYPE = "application/json"


def live() -> Response:
    """Return 200: the process answers."""
    return Response(body=b'{"live":true}', content_type=JSON_TYPE)


def ready(node: NodePorts) -> Response:
    """Return 200 when the node can make transactions final, else 503; both say how it stands."""
    health = health_of(node.status())
    return Response(
        status=200 if health.ready else 503,
        body=msgspec.json.encode(health),
        content_type=JSON_TYPE,
    )
