"""All layers together, over real sockets; the server counts."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from rpa_bridge.auth.tokens import Token
from rpa_bridge.errors import (
    AuthError,
    BridgeError,
    ConfigError,
    Delivery,
    ProtocolError,
    RateLimitedError,
    RemoteError,
    UnavailableError,
)
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Transport
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.retry import PATIENCE
from rpa_bridge.transport.stack import Wiring, exchange, login, signed

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Exchange, Serve

CANARY = "t0ken-c4n4ry"
BORN = datetime(2030, 1, 1, tzinfo=UTC)
REPEATABLE = {Effect.READ, Effect.SET, Effect.KEYED}


class Issuer:
    """Gives a token that names how many were rejected before it."""

    def __init__(self) -> None:
        self.rejected = self.barred = 0
        self.closed = 0

    async def get(self) -> Token:
        return Token(SecretStr(f"{CANARY}-{self.rejected}"), BORN, BORN + timedelta(hours=1), 0.0)

    async def reject(self, token: Token) -> None:
        self.rejected += 1

    async def bar(self, token: Token) -> None:
        self.barred += 1

    async def aclose(self) -> None:
        self.closed += 1


def silent(_request: Request, _answer: object, _body: Any) -> None:
    return None


def sign(token: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.value.get_secret_value()}", "token": token.value.get_secret_value()}


def wiring_of(url: str, clock: ManualClock, options: Mapping[str, Any]) -> Wiring:
    return Wiring(
        connection="test",
        base_url=url,
        options=HttpOptions(**options),
        explain=silent,
        clock=clock,
        random=random.Random(1),  # noqa: S311 - pauses are no secret
        rate=None,
        cache_dir=None,
        token_store=None,
    )


Build = Callable[..., Transport]


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    """Puts a whole stack together: `build(url, clock, issuer, **options)`."""
    built: list[Transport] = []

    def make(url: str, clock: ManualClock, issuer: Issuer | None = None, **options: Any) -> Transport:
        wiring = wiring_of(url, clock, options)
        built.append(signed(exchange(wiring), wiring, issuer or Issuer(), sign))
        return built[-1]

    yield make
    for one in built:
        await one.aclose()


def asking(effect: Effect, method: str = "POST") -> Request:
    return Request(method, "/pull", effect=effect, operation="queues.take")


async def cut(exchange_: Exchange) -> None:
    exchange_.rst()


async def hang_up(exchange_: Exchange) -> None:
    exchange_.fin()


async def half(exchange_: Exchange) -> None:
    await exchange_.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    exchange_.fin()


async def silence(exchange_: Exchange) -> None:
    """Leaves the request without an answer."""


def status(number: int, content_type: str = "application/json") -> Callable[[Exchange], Awaitable[None]]:
    return lambda exchange_: exchange_.reply(b"{}", number, {"Content-Type": content_type})


MAYBE_APPLIED = {
    "cut": cut,
    "hung up": hang_up,
    "half an answer": half,
    "silence": silence,
    "500": status(500),
    "502 in HTML": status(502, "text/html"),
    "503": status(503),
    "504": status(504),
    "408": status(408),
}


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("answer", MAYBE_APPLIED.values(), ids=MAYBE_APPLIED.keys())
async def test_what_may_have_been_applied_is_repeated_only_where_that_does_no_harm(
    serve: Serve, build: Build, *, effect: Effect, method: str, answer: Callable[[Exchange], Awaitable[None]]
) -> None:
    server = await serve(answer)
    limit = {"timeout": 0.05, "effect_timeout": 0.05} if answer is silence else {}
    with pytest.raises(UnavailableError) as caught:
        await build(server.url, ManualClock(), **limit).send(asking(effect, method))
    executed = len(server.seen)
    assert executed == (PATIENCE[effect].attempts if effect in REPEATABLE else 1)
    assert caught.value.delivery is Delivery.MAYBE
    assert caught.value.attempts == executed


@pytest.mark.parametrize("effect", list(Effect))
async def test_what_was_not_sent_is_sent_again(serve: Serve, build: Build, effect: Effect) -> None:
    server = await serve(status(200))
    await server.stop()
    clock = ManualClock()
    with pytest.raises(UnavailableError) as caught:
        await build(server.url, clock).send(asking(effect))
    assert caught.value.delivery is Delivery.NOT_SENT
    assert caught.value.attempts == PATIENCE[effect].attempts
    assert len(clock.slept) == PATIENCE[effect].attempts - 1


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("number", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_error_and_its_target_sees_nothing(
    serve: Serve, build: Build, effect: Effect, number: int
) -> None:
    canary = await serve(status(200))
    server = await serve(lambda one: one.reply(b"", number, {"Location": f"{canary.url}/caught"}))
    with pytest.raises(ProtocolError, match="put the final address into the settings") as caught:
        await build(server.url, ManualClock()).send(asking(effect))
    assert caught.value.delivery is Delivery.MAYBE
    assert (len(server.seen), canary.connections, canary.bytes_received) == (1, 0, 0)


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("said", ["seconds", "date", "date of a server whose clock is ahead", "nothing"])
async def test_a_429_is_waited_out_and_then_sent_again(serve: Serve, build: Build, effect: Effect, said: str) -> None:
    clock = ManualClock()
    ahead = timedelta(minutes=10 if "ahead" in said else 0)
    date = format_datetime(clock.now() + ahead, usegmt=True)
    until = format_datetime(clock.now() + ahead + timedelta(seconds=12), usegmt=True)
    limited = {"seconds": {"Retry-After": "12"}, "nothing": {}}.get(said, {"Retry-After": until, "Date": date})

    async def answer(exchange_: Exchange) -> None:
        times.append(clock.monotonic())
        await exchange_.reply(b"{}", 429 if len(times) == 1 else 200, limited)

    times: list[float] = []
    server = await serve(answer)
    assert (await build(server.url, clock).send(asking(effect))).status == 200
    least, most = (1.0, 3.0) if said == "nothing" else (12.0, 12 * 1.2)
    assert least <= times[1] - times[0] <= most


async def test_a_day_of_rest_is_told_at_once_to_everyone(serve: Serve, build: Build) -> None:
    server = await serve(lambda one: one.reply(b"{}", 429, {"Retry-After": "86400"}))
    clock = ManualClock()
    transport = build(server.url, clock)
    for _ in range(3):
        with pytest.raises(RateLimitedError) as caught:
            await transport.send(asking(Effect.READ))
        assert caught.value.retry_after is not None
        assert caught.value.retry_after >= 86_400
    assert (len(server.seen), clock.slept) == (1, [])


@pytest.mark.parametrize("effect", list(Effect))
async def test_a_401_renews_once_and_a_second_is_an_auth_error(serve: Serve, build: Build, effect: Effect) -> None:
    server = await serve(status(401))
    issuer = Issuer()
    with pytest.raises(AuthError) as caught:
        await build(server.url, ManualClock(), issuer).send(asking(effect))
    assert [one.headers["token"] for one in server.seen] == [f"{CANARY}-0", f"{CANARY}-1"]
    assert (issuer.rejected, issuer.barred, caught.value.delivery) == (1, 1, Delivery.REFUSED)


async def test_a_token_that_expired_in_the_middle_is_not_noticed_by_the_caller(serve: Serve, build: Build) -> None:
    async def answer(exchange_: Exchange) -> None:
        await exchange_.reply(b"{}", 200 if exchange_.headers["token"] == f"{CANARY}-1" else 401)

    server = await serve(answer)
    assert (await build(server.url, ManualClock()).send(asking(Effect.BLIND))).status == 200
    assert len(server.seen) == 2


FAILING = {
    **MAYBE_APPLIED,
    "400": status(400),
    "401": status(401),
    "404": status(404),
    "429 for long": lambda one: one.reply(b"{}", 429, {"Retry-After": "86400"}),
    "redirect": status(302),
    "not HTTP": lambda one: one.raw(b"what?\r\n\r\n"),
}


@pytest.mark.parametrize("answer", FAILING.values(), ids=FAILING.keys())
async def test_no_failure_shows_the_token(
    serve: Serve,
    build: Build,
    shown: Callable[[BaseException], str],
    caplog: pytest.LogCaptureFixture,
    *,
    answer: Callable[[Exchange], Awaitable[None]],
) -> None:
    caplog.set_level(logging.DEBUG)
    server = await serve(answer)
    request = Request("POST", "/x", effect=Effect.BLIND, operation="t", json={"password": CANARY}, timeout=0.1)
    with pytest.raises(RemoteError) as caught:
        await build(server.url, ManualClock()).send(request)
    assert CANARY in server.seen[0].headers["authorization"]
    assert CANARY not in shown(caught.value)
    assert CANARY not in caplog.text
    assert "test t: POST /x -> " in caplog.text
    assert all(isinstance(one, BridgeError) for one in chain(caught.value))


def chain(error: BaseException | None) -> list[BaseException]:
    return [] if error is None else [error, *chain(error.__cause__), *chain(error.__context__)]


async def test_a_login_is_unsigned_and_tried_once(serve: Serve) -> None:
    server = await serve(status(503))
    wiring = wiring_of(server.url, ManualClock(), {})
    shared = exchange(wiring)
    request = Request("POST", "/token", effect=Effect.READ, operation="login", signed=False, form={"a": "b"})
    with pytest.raises(UnavailableError):
        await login(shared, wiring).send(request)
    assert len(server.seen) == 1
    assert not {"authorization", "token"} & set(server.seen[0].headers)
    await shared.aclose()


async def test_closing_ends_the_tokens_and_the_connections(serve: Serve, build: Build) -> None:
    server = await serve(status(200))
    issuer = Issuer()
    transport = build(server.url, ManualClock(), issuer)
    await transport.send(asking(Effect.READ))
    await transport.aclose()
    assert issuer.closed == 1
    with pytest.raises(RemoteError, match="closed"):
        await transport.send(asking(Effect.READ))


async def test_settings_of_the_network_that_are_wrong_are_told_as_such(build: Build) -> None:
    with pytest.raises(ConfigError, match=r"http\.ca_file"):
        await build("https://127.0.0.1:1", ManualClock(), ca_file="/nowhere/ca.pem").send(asking(Effect.READ))
