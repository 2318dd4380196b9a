"""Where tokens are kept: what the settings may say of it, and the store that comes of that."""

from __future__ import annotations

import base64
import binascii
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from rpa_bridge.clock import Clock
from rpa_bridge.errors import ConfigError
from rpa_bridge.transport.addresses import is_loopback

from .file_store import FileStore
from .private_files import SECRET_LENGTH
from .redis_store import RedisStore, connect
from .sealing import KeyringKey
from .stores import MemoryStore, TokenStore

_PORT = 6379


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class RedisOptions(_Options):
    """A Redis that several machines share."""

    url: str
    """`rediss://host:6379/0`; `redis://` on this machine only."""
    user: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    """PEM file of the authority that signed the server's certificate."""
    encryption_key: SecretStr
    """32 random bytes in base64, the same on all machines; `openssl rand -base64 32` makes some."""

    @field_validator("url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        *_, tls = _address(url)
        if not tls and not is_loopback(urlsplit(url)):
            raise ValueError("must begin with rediss://, so that nobody on the way can read or change tokens")
        return url

    @field_validator("encryption_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr) -> SecretStr:
        if len(_bytes(key)) != SECRET_LENGTH:
            raise ValueError("must be 32 bytes in base64; openssl rand -base64 32 makes some")
        return key


class CacheOptions(_Options):
    """How tokens are kept."""

    encryption: Literal["auto", "required", "off", "memory"] = "auto"
    """Sealed files where the system has a keyring · sealed or in memory only · plain files · no files at all."""
    keyring: str | None = None
    """The class of the keyring for `auto` and `required`; None takes the system's."""
    redis: RedisOptions | None = None


def open_store(cache_dir: Path | None, clock: Clock, options: CacheOptions | None = None) -> TokenStore:
    """The store in a cache folder, which is made when first needed; None keeps everything in memory.

    With Redis among the options that store is only its spare. Raises ConfigError when a library is missing.
    """
    options = options or CacheOptions()
    spare = _on_this_machine(cache_dir, clock, options)
    if options.redis is None:
        return spare
    _require("redis", "cryptography", extra="redis", wanted="cache.redis")
    host, port, db, tls = _address(options.redis.url)
    password, ca_file = options.redis.password, options.redis.ca_file
    client = connect(
        host,
        port,
        db,
        tls=tls,
        user=options.redis.user,
        password=None if password is None else password.get_secret_value(),
        ca_file=None if ca_file is None else str(ca_file),
    )
    return RedisStore(client, _bytes(options.redis.encryption_key), spare, clock)


def _on_this_machine(cache_dir: Path | None, clock: Clock, options: CacheOptions) -> TokenStore:
    if cache_dir is None or options.encryption == "memory":
        return MemoryStore()
    if options.encryption == "off":
        return FileStore(cache_dir / "tokens", clock)
    sealed_only = options.encryption == "required"
    if sealed_only:
        _require("cryptography", "keyring", extra="sealed", wanted="cache.encryption 'required'")
    return FileStore(cache_dir / "tokens", clock, KeyringKey(options.keyring).seal, sealed_only=sealed_only)


def _require(*packages: str, extra: str, wanted: str) -> None:
    """Raises ConfigError when one of the packages is not installed."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise ConfigError(
            f"{wanted} in the settings needs the package {missing[0]}; run pip install 'rpa-bridge[{extra}]'"
        )


def _address(url: str) -> tuple[str, int, int, bool]:
    """Host, port, number of the database, and whether it is spoken to with TLS. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"rediss", "redis"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an address such as rediss://redis.acme.com:6379/0")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no user and no password; write them as cache.redis.user and cache.redis.password")
    db = parts.path.strip("/") or "0"
    if not (db.isascii() and db.isdigit()):
        raise ValueError("must end with the number of a database, such as /0")
    return parts.hostname, parts.port or _PORT, int(db), parts.scheme == "rediss"


def _bytes(key: SecretStr) -> bytes:
    try:
        return base64.b64decode(key.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        return b""
