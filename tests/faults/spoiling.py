"""Ways to spoil an answer: in its bytes, in its JSON, and in how it is laid out."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rpa_bridge.transport.base import Response

_DEEP: Any = "bottom"
for _ in range(150):
    _DEEP = [_DEEP]
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**40, -(10**40), 1e308, [], {}, [None], [[]], [{}], {"": None}, {"Id": None}),
    *("", " ", "0", "null", "\0", "\x1b[31m", "ä" * 3000, "\u2028", _DEEP),
    *("9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00", "2030-02-30", "-62135596801"),
)
ODD_TEXTS = (
    "NaN",
    "-Infinity",
    "1e999",
    "01",
    "'x'",
    "undefined",
    '"\\ud800"',
    '"\\udfff\\ud800"',
    "1" * 5000,
    "/*1*/",
)
"""What a number or a text may be written as that JSON or Python cannot hold."""
_HOLE = "a hole for what is no JSON"


def spoilt(answer: Response, rng: random.Random) -> Response:
    """The answer with one thing wrong in it."""
    if rng.random() < 0.05:
        return replace(answer, status=rng.choice((200, 201, 202, 204, 206, 299)), body=b"")
    if rng.random() < 0.3 or not answer.body:
        return replace(answer, body=_bytes_spoilt(answer.body, rng))
    return replace(answer, body=_json_spoilt(answer.body, rng))


def _bytes_spoilt(body: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(body) + 1)
    end = min(len(body), start + rng.randrange(1, 40))
    how = rng.randrange(5)
    if how == 0:
        return body[:start]
    if how == 1:
        return body[:start] + body[end:]
    if how == 2:
        return body[:end] + body[start:]
    noise = rng.randbytes(rng.randrange(1, 5))
    return body[:start] + noise + body[start if how == 3 else end :]


def _json_spoilt(body: bytes, rng: random.Random) -> bytes:
    try:
        document = json.loads(body)
    except ValueError:
        return _bytes_spoilt(body, rng)
    text = rng.choice(ODD_TEXTS) if rng.random() < 0.2 else None
    odd = _HOLE if text else rng.choice(ODD_VALUES)
    places = list(_places(document))
    if not places or rng.random() < 0.05:
        document = odd
    else:
        _change(*rng.choice(places), odd, rng)
    return json.dumps(document).replace(json.dumps(_HOLE), text or "").encode()


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Each container below with each of its keys."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    found = [(node, key) for key in keys]
    for key in keys:
        found += _places(node[key])
    return found


def _change(container: Any, key: Any, odd: Any, rng: random.Random) -> None:
    how = rng.randrange(6)
    if how == 0:
        del container[key]
    elif how == 1 and isinstance(container, dict):
        container[key.swapcase()] = container.pop(key)
    elif how == 2:
        container[key] = [container[key]]
    elif how == 3 and isinstance(container, list):
        container *= 3
    else:
        container[key] = odd


Layout = Callable[[bytes], tuple[dict[str, str], bytes]]
"""The headers and the bytes of a body on the wire."""


def _chunked(body: bytes) -> tuple[dict[str, str], bytes]:
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    return {"Transfer-Encoding": "chunked"}, b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in (*pieces, b""))


def _plain(encode: Callable[[bytes], bytes]) -> Layout:
    return lambda body: ({}, encode(body))


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


LAYOUTS: dict[str, Layout] = {
    "as it is": _plain(bytes),
    "in chunks": _chunked,
    "gzip": lambda body: ({"Content-Encoding": "gzip"}, gzip.compress(body, 1)),
    "deflate": lambda body: ({"Content-Encoding": "deflate"}, zlib.compress(body, 1)),
    "half a gzip": lambda body: ({"Content-Encoding": "gzip"}, gzip.compress(body, 1)[:-6]),
    "with a mark of its order": _plain(lambda body: b"\xef\xbb\xbf" + body),
    "in UTF-16": _plain(lambda body: _text(body).encode("utf-16")),
    "in UTF-32": _plain(lambda body: _text(body).encode("utf-32")),
    "in Latin-1": _plain(lambda body: _text(body).encode("latin-1", "replace")),
    "in a function": _plain(lambda body: b"callback(" + body + b");"),
    "behind a guard": _plain(lambda body: b")]}',\n" + body),
    "a line each": _plain(lambda body: body + b"\n" + body),
    "as text of a page": lambda body: ({"Content-Type": "text/html"}, b"<pre>" + body + b"</pre>"),
}
"""The 13 ways in which a server, or what stands before it, lays out JSON."""
