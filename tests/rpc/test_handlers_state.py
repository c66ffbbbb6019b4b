"""Any state key, now and as of a height."""

import base64

from harness.rpc_city import RpcCity
from moyai.primitives.ids import Digest
from moyai.primitives.operations_documents import RegisterDocument, ReplaceDocument
from moyai.primitives.state_keys import series_key

KEY = series_key("a").hex()


async def test_a_key_is_read_now_and_as_of_a_height(city: RpcCity) -> None:
    city.commit(city.sign(RegisterDocument("a", Digest(b"\x01" * 32), 1)))
    city.commit(city.sign(ReplaceDocument("a", Digest(b"\x02" * 32), 2, 1)))
    now = await city.call("state_get", key=KEY)
    then = await city.call("state_get", key=KEY, as_of=1)
    assert (now["version"], now["changed_height"], now["height"]) == (2, 2, 2)
    assert (then["version"], then["changed_height"], then["height"]) == (1, 1, 1)
    assert base64.b64decode(now["value"]) != base64.b64decode(then["value"])
    assert await city.call("state_get", key=KEY, as_of=0) == {
        "key": KEY,
        "height": 0,
        "value": None,
    }
    assert (await city.refusal("state_get", key=KEY, as_of=3))["code"] == "invalid_params"
