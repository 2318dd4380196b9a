"""Addresses: what may be spoken to, and how a value gets into a path or a query. The one place that escapes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit

from rpa_bridge.errors import ConfigError, Delivery, InvalidError

_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
_NOT_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f\\]")


def path_segment(value: str) -> str:
    """The value as one part of a path: everything but letters, digits and `_.-~` is percent-encoded.

    Raises InvalidError for what would name another place: nothing, `.` and `..`.
    """
    if value in ("", ".", ".."):
        raise InvalidError(f"a name must not be {value!r}; check the name you gave", delivery=Delivery.NOT_SENT)
    return _quoted(value)


def query_string(params: Mapping[str, str]) -> str:
    """The parameters as a query; a space is %20, never a plus."""
    return "&".join([f"{_quoted_name(name)}={_quoted(value)}" for name, value in params.items()])


@lru_cache(maxsize=256)
def _quoted_name(name: str) -> str:
    return _quoted(name, safe="$@")


def _quoted(value: str, safe: str = "") -> str:
    if _PLAIN.fullmatch(value):
        return value
    with suppress(UnicodeEncodeError):  # it keeps the whole value: never a context of ours
        return quote(value, safe=safe)
    raise InvalidError("a text holds half of a character; check where it was cut", delivery=Delivery.NOT_SENT)


def origin(url: str) -> str:
    """Scheme, lower-case host and explicit port of an address: what credentials are bound to.

    Empty for a text that is not an address of a server.
    """
    parts = _split(url)
    if parts is None:
        return ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or _PORTS[parts.scheme]}"


def checked_base(url: str, setting: str) -> str:
    """The address of a server without a trailing slash.

    Raises ConfigError naming `setting` unless it is https, or http on this machine, without user, query or fragment.
    """
    parts = _checked(url, setting)
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ConfigError(f"{setting} must not hold a user, a query or a fragment; put credentials into their settings")
    return url.rstrip("/")


def check_absolute(url: str, setting: str) -> None:
    """Raises ConfigError naming `setting` unless the address is https, or http on this machine."""
    _checked(url, setting)


def names_user(url: str) -> bool:
    """Whether a user stands in the address, whom a client would log in as, and for whom a reader takes the host."""
    parts = _split(url)
    return parts is not None and "@" in parts.netloc


def _checked(url: str, setting: str) -> SplitResult:
    parts = _split(url)
    if parts is None or _NOT_IN_ADDRESS.search(url):
        raise ConfigError(f"{setting} is not an address; write it like https://host/path")
    if parts.scheme == "http" and not is_loopback(parts):
        raise ConfigError(f"{setting} must begin with https://; http:// is only for this machine's own addresses")
    return parts


def _split(url: str) -> SplitResult | None:
    """The parts of an address that names a server; None for any other text."""
    try:
        parts = urlsplit(url)
        names_a_server = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if names_a_server else None


def is_loopback(parts: SplitResult) -> bool:
    """Whether the host is this machine."""
    host = parts.hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
