"""The settings' `cache`: what may stand there, and which store comes of it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge.auth import caching
from rpa_bridge.auth.caching import CacheOptions, open_store
from rpa_bridge.auth.redis_store import RedisStore
from rpa_bridge.bridge import Bridge
from rpa_bridge.errors import ConfigError
from rpa_bridge.settings import Settings
from rpa_bridge.testing import ManualClock

KEY = base64.b64encode(b"a key that nobody may see, ever!").decode()
CONNECTIONS: dict[str, Any] = {"local": {"adapter": "local"}}


def document(**cache: Any) -> dict[str, Any]:
    return {"connections": CONNECTIONS, "cache": cache}


def options(**cache: Any) -> CacheOptions:
    return Settings.of(document(**cache)).cache.validated()


def on_redis(**redis: Any) -> CacheOptions:
    return options(redis={"url": "rediss://redis.acme.com/2", "encryption_key": KEY, **redis})


def test_without_a_word_files_are_sealed_where_that_is_possible() -> None:
    assert Settings.of({"connections": CONNECTIONS}).cache.validated() == CacheOptions(encryption="auto")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://redis.acme.com:6379/0", "must begin with rediss://"),
        ("redis://10.0.0.1", "must begin with rediss://"),
        ("redis://127.0.0.1.acme.com", "must begin with rediss://"),
        ("https://redis.acme.com", "must be an address such as"),
        ("unix:///run/redis.sock", "must be an address such as"),
        ("rediss://", "must be an address such as"),
        ("rediss://redis.acme.com?ssl_cert_reqs=none", "must be an address such as"),
        ("rediss://me:hunter22@redis.acme.com", "cache.redis.user and cache.redis.password"),
        ("rediss://redis.acme.com/main", "number of a database"),
        ("rediss://redis.acme.com:99999", "cache.redis.url"),
    ],
)
def test_an_address_that_is_not_safe_is_refused_without_showing_a_value(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        on_redis(url=url)

    assert "cache.redis.url" in str(caught.value)
    assert said in str(caught.value)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "redis://localhost", "redis://[::1]:1/0", "rediss://a"])
def test_without_tls_only_this_machine_is_spoken_to(url: str) -> None:
    assert on_redis(url=url).redis is not None


@pytest.mark.parametrize("key", ["", "short", base64.b64encode(b"x" * 31).decode(), KEY[:-1] + "*", "ä" * 44])
def test_a_key_that_is_none_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(
        ConfigError, match=r"cache\.redis\.encryption_key is wrong: must be 32 bytes in base64"
    ) as caught:
        on_redis(encryption_key=key)

    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    ("cache", "said"),
    [
        ({"encryptoin": "off"}, "did you mean 'encryption'"),
        ({"encryption": "of"}, "did you mean 'off'"),
        ({"redis": {"url": "rediss://a"}}, r"cache\.redis\.encryption_key is missing"),
    ],
)
def test_a_wrong_word_is_refused_when_the_first_connection_is_opened(cache: dict[str, Any], said: str) -> None:
    bridge = Bridge(document(**cache))

    with pytest.raises(ConfigError, match=said):
        bridge["local"]


def test_the_cache_must_be_an_object() -> None:
    with pytest.raises(ConfigError, match="cache must be an object"):
        Settings.of({"connections": CONNECTIONS, "cache": "off"})


def test_secrets_are_hidden_when_settings_are_shown() -> None:
    redis = {"url": "rediss://a", "password": "hunter22", "encryption_key": "${env:CACHE_KEY}"}

    shown = Settings.of(document(encryption="required", redis=redis)).masked()

    hidden = {"url": "rediss://a", "password": "***", "encryption_key": "${env:CACHE_KEY}"}
    assert shown["cache"] == {"encryption": "required", "redis": hidden}
    assert "cache" not in Settings.of({"connections": CONNECTIONS}).masked()


def test_a_library_that_is_missing_is_named_with_its_extra(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "find_spec", lambda name: None if name in {"redis", "keyring"} else name)

    with pytest.raises(ConfigError, match=r"package redis; run pip install 'rpa-bridge\[redis\]'"):
        open_store(tmp_path, clock, on_redis())
    with pytest.raises(ConfigError, match=r"package keyring; run pip install 'rpa-bridge\[sealed\]'"):
        open_store(tmp_path, clock, options(encryption="required"))


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the redis package's client is made with."""
    made: list[dict[str, Any]] = []
    monkeypatch.setattr("redis.asyncio.Redis", lambda **given: made.append(given))
    return made


def test_redis_is_spoken_to_with_verified_tls_and_nothing_is_repeated(
    asked_for: list[dict[str, Any]], tmp_path: Path, clock: ManualClock
) -> None:
    store = open_store(tmp_path, clock, on_redis(user="bridge", password="hunter22", ca_file="/etc/ca.pem"))

    assert isinstance(store, RedisStore)
    assert asked_for[0].pop("retry").get_retries() == 0
    assert asked_for == [
        {
            "host": "redis.acme.com",
            "port": 6379,
            "db": 2,
            "username": "bridge",
            "password": "hunter22",
            "protocol": 2,
            "socket_connect_timeout": 2.0,
            "socket_timeout": 2.0,
            "ssl": True,
            "ssl_ca_certs": "/etc/ca.pem",
            "ssl_check_hostname": True,
            "ssl_cert_reqs": "required",
            "ssl_min_version": asked_for[0]["ssl_min_version"],
        }
    ]
    assert asked_for[0]["ssl_min_version"].name == "TLSv1_2"


async def test_a_bridge_opens_one_store_for_all_connections_and_closes_it(tmp_path: Path) -> None:
    two = {name: {"adapter": "local", "path": str(tmp_path / name)} for name in ("a", "b")}
    bridge = Bridge({"connections": two, "cache": {"encryption": "memory"}}, cache_dir=tmp_path / "cache")
    closed: list[str] = []

    assert len({bridge[name] for name in two}) == 2
    store = bridge._token_store
    assert store is not None

    async def close() -> None:
        closed.append("store")

    store.aclose = close  # type: ignore[method-assign]
    await bridge.aclose()
    assert closed == ["store"]
