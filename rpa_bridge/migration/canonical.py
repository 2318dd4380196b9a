"""What content is compared by: one form of JSON for equal values, and sums that know no order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

_ALL = 1 << 256
_JSON = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def canonical(value: Any) -> str:
    """The value as JSON, the same text for equal values: names in order, 12.0 like 12, times in UTC."""
    return _JSON.encode(_plain(value))


def hash_of(value: Any) -> str:
    """SHA-256 of the canonical form, in hex."""
    return sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def add_up(total: str, hashes: Iterable[str]) -> str:
    """The sum of hashes modulo 2^256, in hex: equal for the same things in any order, unlike for doubled ones."""
    number = int(total or "0", 16)
    for one in hashes:
        number = (number + int(one, 16)) % _ALL
    return f"{number:064x}"


def _plain(value: Any) -> Any:
    """The likeliest types come first, and dict before the slow Mapping: this is done several times for each item."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, (dict, Mapping)):
        return {str(name): _plain(one) for name, one in value.items()}
    return value
