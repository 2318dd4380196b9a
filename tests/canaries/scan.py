"""Secrets, and all forms in which they may come out. Made without the redactor: it is what is to be checked."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 8
"""Shorter values occur by chance."""
AROUND = 60
"""Characters that are shown before a find."""


def forms(secret: str) -> dict[str, str]:
    """The secret as it may look after passing through something, and what that is."""
    raw = secret.encode("utf-8", "surrogatepass")
    found = {raw.hex(): "in hex", raw.hex().upper(): "in hex"}
    for before in range(3):
        found |= dict.fromkeys(_in_base64(raw, before), "in base64")
    found |= dict.fromkeys((quote(raw), quote(raw, safe=""), quote_plus(raw)), "in a URL")
    found |= dict.fromkeys((json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]), "in JSON")
    return found | {secret: "in clear"}


def finds(text: str, secrets: Iterable[str]) -> Iterator[str]:
    """A sentence for each secret in the text, with what stands before it, and without any secret."""
    known = {form: how for secret in secrets for form, how in forms(secret).items()}
    for form, how in known.items():
        at = text.find(form)
        if at < 0:
            continue
        before = text[:at]
        for other in known:
            before = before.replace(other, "***")
        yield f"a secret of {len(form)} characters {how} behind {before[-AROUND:]!r}"


def _in_base64(raw: bytes, before: int) -> Iterator[str]:
    """What is sure to stand there when `before` bytes of something else come first, as in `user:secret`."""
    encoded = base64.b64encode(bytes(before) + raw + bytes(-(before + len(raw)) % 3)).decode()
    start, end = -(-before * 4 // 3), (before + len(raw)) * 4 // 3
    yield encoded[start:end]
    yield encoded[start:end].translate(str.maketrans("+/", "-_"))
