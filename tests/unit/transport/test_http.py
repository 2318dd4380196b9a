"""What leaves, how often, and where to."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import aiohttp
import pytest
from pydantic import SecretStr

from rpa_bridge.errors import ConfigError, Delivery, InvalidError, UnavailableError
from rpa_bridge.transport.base import Effect, Request
from tests.ports import free_port

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Connect, Exchange, Serve

STRAY = b'{"owner": "somebody else"}'


def read(path: str = "/", *, method: str = "GET", effect: Effect = Effect.READ) -> Request:
    return Request(method, path, effect=effect, operation="test.read", signed=False)


def breaking(how: str) -> Callable[[Exchange], Awaitable[None]]:
    """Answers on /warm; cuts the connection on any other path, after the request has arrived whole."""

    async def answer(exchange: Exchange) -> None:
        if exchange.target == "/warm":
            await exchange.reply()
        elif how == "rst":
            exchange.rst()
        else:
            exchange.fin()

    return answer


@pytest.mark.parametrize(("method", "how"), list(itertools.product(["GET", "PUT", "DELETE"], ["rst", "fin"])))
@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("warm", [False, True], ids=["fresh", "pooled"])
async def test_a_cut_connection_leaves_one_execution(
    serve: Serve, connect: Connect, *, method: str, how: str, effect: Effect, warm: bool
) -> None:
    server = await serve(breaking(how))
    http = connect(server.url)
    if warm:
        await http.send(read("/warm", effect=effect))
    with pytest.raises(UnavailableError, match=r"cut the connection") as caught:
        await http.send(read("/pull", method=method, effect=effect))
    executed = [one for one in server.seen if one.target == "/pull"]
    assert len(executed) == 1
    assert executed[0].connection == (1 if not warm or effect is Effect.READ else 2)
    assert caught.value.delivery is Delivery.MAYBE


async def test_control_aiohttp_alone_executes_twice(serve: Serve) -> None:
    server = await serve(breaking("fin"))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{server.url}/pull")
    assert len(server.seen) == 2


async def doubling(exchange: Exchange) -> None:
    """Two answers at once; the second is somebody else's."""
    own = f'{{"asked": "{exchange.target}"}}'.encode()
    length = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    await exchange.raw(b"".join((length % len(body)).encode() + body for body in (own, STRAY)))


async def test_a_doubled_answer_is_not_taken_as_the_next_ones(serve: Serve, connect: Connect) -> None:
    server = await serve(doubling)
    http = connect(server.url)
    for number in range(5):
        assert (await http.send(read(f"/{number}"))).body == f'{{"asked": "/{number}"}}'.encode()
    assert [one.target for one in server.seen] == ["/0", "/1", "/2", "/3", "/4"]


@pytest.mark.parametrize("rounds", [0, 5], ids=["just before the call", "while idle"])
async def test_an_answer_that_nobody_asked_for_is_not_taken(serve: Serve, connect: Connect, rounds: int) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(exchange.target.encode())

    server = await serve(answer)
    http = connect(server.url)
    assert (await http.send(read("/first"))).body == b"/first"
    await server.seen[0].reply(STRAY)
    for _ in range(rounds):
        await asyncio.sleep(0)
    assert (await http.send(read("/second"))).body == b"/second"
    assert [one.connection for one in server.seen] == [1, 2]


async def test_control_aiohttp_alone_takes_an_answer_that_nobody_asked_for(serve: Serve) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(exchange.target.encode())

    server = await serve(answer)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{server.url}/first") as first:
            assert await first.read() == b"/first"
        await server.seen[0].reply(STRAY)
        async with session.get(f"{server.url}/second") as second:
            assert await second.read() == STRAY


async def test_reads_share_a_connection_and_effects_get_their_own(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply())
    http = connect(server.url)
    for effect in (Effect.READ, Effect.READ, Effect.BLIND, Effect.SET):
        await http.send(read(effect=effect))
    assert [one.connection for one in server.seen] == [1, 1, 2, 3]


async def test_a_call_cancelled_while_its_connection_is_looked_at_gives_it_back(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply())
    http = connect(server.url)
    await http.send(read())
    for rounds in range(8):  # wherever the cancellation strikes, nothing is left for the garbage collector to warn of
        task = asyncio.ensure_future(http.send(read()))
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await http.send(read())).status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_redirect_is_followed(serve: Serve, connect: Connect, status: int, method: str) -> None:
    canary = await serve(lambda exchange: exchange.reply())
    server = await serve(lambda exchange: exchange.reply(status=status, headers={"Location": f"{canary.url}/caught"}))
    request = read("/moved", method=method).with_headers({"token": "tok-canary", "Authorization": "Bearer canary"})
    assert (await connect(server.url).send(request)).status == status
    assert (len(server.seen), canary.connections) == (1, 0)


async def test_what_is_sent_arrives_as_it_was_meant(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply())
    http = connect(f"{server.url}/base/")
    value = "a b/c?d#e%f&g=ü"
    await http.send(
        Request(
            "POST",
            "/q('x')",
            effect=Effect.BLIND,
            operation="t",
            params={"$filter": value},
            headers={"X-Folder": "Finance"},
            json={"name": value, "n": [1, None, True]},
        )
    )
    await http.send(
        Request("POST", "/token?a=1", effect=Effect.READ, operation="t", params={"b": "2"}, form={"secret": value})
    )
    first, second = server.seen
    assert first.target == "/base/q('x')?$filter=a%20b%2Fc%3Fd%23e%25f%26g%3D%C3%BC"
    assert first.headers["x-folder"] == "Finance"
    assert first.headers["content-type"] == "application/json"
    assert first.body == f'{{"name": "{value}", "n": [1, null, true]}}'.encode()
    assert second.target == "/base/token?a=1&b=2"
    assert second.headers["content-type"] == "application/x-www-form-urlencoded"
    assert second.body == b"secret=a+b%2Fc%3Fd%23e%25f%26g%3D%C3%BC"


CANARY = "s3cr3t-canary"
UNSENDABLE = {
    "header with a line break": {"headers": {"X-A": f"{CANARY}\r\nX-B: 1"}},
    "header with NUL": {"headers": {"X-A": f"{CANARY}\0"}},
    "header with half a character": {"headers": {"X-A": f"{CANARY}\ud800"}},
    "header name with a space": {"headers": {"X A": CANARY}},
    "header name that is empty": {"headers": {"": CANARY}},
    "path with a space": {"path": "/a b"},
    "path with a line break": {"path": "/a\r\nX-B:1"},
    "path that is not ASCII": {"path": "/ä"},
    "query with half a character": {"params": {"a": f"{CANARY}\ud800"}},
    "form with half a character": {"form": {"a": f"{CANARY}\ud800"}},
    "JSON with half a character": {"json": f"{CANARY}\ud800"},
    "JSON with not a number": {"json": [CANARY, float("nan")]},
    "JSON with an object": {"json": {CANARY: SecretStr(CANARY)}},
    "JSON with bytes": {"json": CANARY.encode()},
}


@pytest.mark.parametrize("parts", UNSENDABLE.values(), ids=UNSENDABLE.keys())
async def test_what_cannot_be_sent_is_refused_before_the_wire(
    serve: Serve, connect: Connect, parts: dict[str, object]
) -> None:
    server = await serve(lambda exchange: exchange.reply())
    request = Request(**{"method": "POST", "path": "/", "effect": Effect.BLIND, "operation": "t", **parts})  # type: ignore[arg-type]  # parts vary by case
    with pytest.raises(InvalidError) as caught:
        await connect(server.url).send(request)
    assert caught.value.delivery is Delivery.NOT_SENT
    assert CANARY not in repr(caught.value)
    assert caught.value.__context__ is None
    assert server.connections == 0


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/x",
        "ftp://127.0.0.1/x",
        "http://[",
        "https://h:99999/",
        "file:///etc/passwd",
        "nowhere",
        "https://me@h/",
    ],
)
async def test_an_absolute_address_must_be_https_or_loopback(connect: Connect, address: str) -> None:
    with pytest.raises(ConfigError):
        await connect("http://127.0.0.1:1").send(read(address))


async def test_a_signed_request_never_leaves_for_an_absolute_address(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply())
    request = Request("GET", f"{server.url}/x", effect=Effect.READ, operation="t")
    with pytest.raises(ConfigError, match="own address"):
        await connect("https://elsewhere.invalid").send(request)
    assert server.connections == 0


async def test_a_proxy_gets_the_request_and_its_own_credentials(serve: Serve, connect: Connect) -> None:
    proxy = await serve(lambda exchange: exchange.reply(b'"by proxy"'))
    address = proxy.url.replace("http://", "http://user:pass-canary@")
    answer = await connect("http://127.0.0.1:1", proxy=address).send(read("/x"))
    assert answer.body == b'"by proxy"'
    assert proxy.seen[0].target == "http://127.0.0.1:1/x"
    assert "proxy-authorization" in proxy.seen[0].headers


async def test_a_proxy_that_is_down_is_named_without_its_credentials(connect: Connect) -> None:
    http = connect("http://127.0.0.1:1", proxy=f"http://user:pass-canary@127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match=r"http\.proxy") as caught:
        await http.send(read())
    assert caught.value.delivery is Delivery.NOT_SENT
    assert "pass-canary" not in repr(caught.value)


async def test_a_server_that_is_down_is_not_sent(connect: Connect) -> None:
    port = free_port()
    with pytest.raises(UnavailableError, match=rf"127\.0\.0\.1:{port} does not accept connections") as caught:
        await connect(f"http://127.0.0.1:{port}").send(read(effect=Effect.BLIND))
    assert caught.value.delivery is Delivery.NOT_SENT
    assert caught.value.operation == "test.read"


async def test_an_unknown_name_is_not_sent(connect: Connect) -> None:
    with pytest.raises(UnavailableError, match=r"no-such-host\.invalid is not known") as caught:
        await connect("https://no-such-host.invalid").send(read(effect=Effect.BLIND))
    assert caught.value.delivery is Delivery.NOT_SENT


async def test_cookies_are_not_kept(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply(headers={"Set-Cookie": "session=abc; Path=/"}))
    http = connect(server.url)
    await http.send(read())
    await http.send(read())
    assert "cookie" not in server.seen[1].headers


async def test_a_closed_connection_opens_nothing_again(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply())
    http = connect(server.url)
    await http.send(read())
    await http.aclose()
    with pytest.raises(InvalidError, match="closed"):
        await http.send(read())
    assert len(server.seen) == 1


async def test_header_names_come_back_in_lower_case(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply(headers={"X-Request-ID": "r-1"}))
    answer = await connect(server.url).send(read())
    assert answer.headers["x-request-id"] == "r-1"
    assert answer.media_type == "application/json"
    assert "r-1" not in repr(answer)
