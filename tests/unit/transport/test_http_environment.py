"""The environment says nothing to us: not through whom to speak, and not who we are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from rpa_bridge.transport.base import Effect, Request

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Connect, Loopback, Serve


@pytest.fixture
async def proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loopback:
    """A proxy that the environment names, beside a file with passwords."""
    found = await serve(lambda exchange: exchange.reply(b'"by the proxy"'))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, found.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    passwords = tmp_path / "netrc"
    passwords.touch(mode=0o600)
    passwords.write_text("machine 127.0.0.1 login me password netrc-canary\ndefault login me password netrc-canary\n")
    monkeypatch.setenv("NETRC", str(passwords))
    return found


@pytest.mark.parametrize("effect", [Effect.READ, Effect.BLIND])
async def test_proxies_and_passwords_of_the_environment_are_not_used(
    serve: Serve, connect: Connect, proxy: Loopback, effect: Effect
) -> None:
    server = await serve(lambda exchange: exchange.reply())
    answer = await connect(server.url).send(Request("GET", "/", effect=effect, operation="t", signed=False))
    assert answer.body == b"{}"
    assert (len(server.seen), proxy.connections) == (1, 0)
    assert "authorization" not in server.seen[0].headers


async def test_control_a_client_that_trusts_the_environment_uses_both(serve: Serve, proxy: Loopback) -> None:
    server = await serve(lambda exchange: exchange.reply())
    async with aiohttp.ClientSession(trust_env=True) as session, session.get(server.url) as answer:
        assert await answer.read() == b'"by the proxy"'
    assert (len(server.seen), len(proxy.seen)) == (0, 1)
    assert "authorization" in proxy.seen[0].headers
