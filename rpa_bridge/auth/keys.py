"""What tells one log-in from every other."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr

from rpa_bridge.errors import ConfigError

from .token import NeverPickled

_FORMAT = "1"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey(NeverPickled):
    """Who asks whom for what. Two log-ins share a token only when all of it is the same, the secret included."""

    adapter: str
    token_url: str
    secret: SecretStr = field(repr=False)
    tenant: str = ""
    organization: str = ""
    user: str = ""
    client_id: str = ""
    grant_type: str = ""
    scopes: tuple[str, ...] = ()
    audience: str = ""
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)

    def digest(self, installation_key: bytes) -> str:
        """64 hexadecimal digits that stand for this key, on this installation only.

        Each field goes in behind its length, so that no two keys read the same. A changed secret is another key; the
        secret itself goes in as a keyed fingerprint. Raises ConfigError when `token_url` is no address.
        """
        secret = self.secret.get_secret_value().encode("utf-8", "surrogatepass")
        fields: tuple[bytes, ...] = (
            _text(_FORMAT),
            _text(self.adapter),
            _text(_canonical(self.token_url)),
            _text(self.tenant),
            _text(self.organization),
            _text(self.user),
            _text(self.client_id),
            _text(self.grant_type),
            _list(_text(scope) for scope in sorted(set(self.scopes))),
            _text(self.audience),
            _list(_text(name) + _text(value) for name, value in sorted(self.extra.items())),
            _sized(hmac.digest(installation_key, secret, "sha256")[:16]),
        )
        return hashlib.sha256(b"".join(fields)).hexdigest()


def _sized(raw: bytes) -> bytes:
    return len(raw).to_bytes(8, "big") + raw


def _text(text: str) -> bytes:
    return _sized(text.encode("utf-8", "surrogatepass"))


def _list(members: Iterable[bytes]) -> bytes:
    return _sized(b"".join(members))


def _canonical(url: str) -> str:
    """Scheme, host, port and path: what decides who is asked."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in _PORTS:
        raise ConfigError("the log-in's address in the settings is not an http(s) address; correct it")
    return f"{parts.scheme}://{host}:{port or _PORTS[parts.scheme]}{parts.path}"
