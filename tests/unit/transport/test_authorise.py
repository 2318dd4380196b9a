"""Who gets a token, and what happens when it is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from rpa_bridge.auth.tokens import Token
from rpa_bridge.errors import AuthError, ConfigError, Delivery, RateLimitedError, RemoteError, UnavailableError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.authorise import Authorise
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.retry import may_repeat

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Connect, Script, Serve

BORN = datetime(2030, 1, 1, tzinfo=UTC)
SIGNED = Request("POST", "/jobs", effect=Effect.BLIND, operation="jobs.start", headers={"X-Folder": "1"})
UNSIGNED = Request("POST", "/token", effect=Effect.READ, operation="login", signed=False)
OK, WHO = Response(200, {}, b"{}"), Response(401, {}, b"")


def token(number: int) -> Token:
    return Token(SecretStr(f"token-number-{number}"), BORN, BORN + timedelta(hours=1), ManualClock().monotonic())


def sign(given: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {given.value.get_secret_value()}"}


class Issuer:
    """Gives tokens 1, 2, 3: a new one after each that is rejected. Remembers what it was asked."""

    def __init__(self, *, failure: Exception | None = None, stubborn: bool = False) -> None:
        self.failure, self.stubborn = failure, stubborn
        self.number = 1
        self.asked = 0
        self.rejected: list[Token] = []
        self.barred: list[Token] = []
        self.closed = False

    async def get(self) -> Token:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return token(self.number)

    async def reject(self, given: Token) -> None:
        self.rejected.append(given)
        if not self.stubborn and given.value == token(self.number).value:
            self.number += 1

    async def bar(self, token: Token) -> None:
        self.barred.append(token)

    async def aclose(self) -> None:
        self.closed = True


def credentials(inner: Script) -> list[str | None]:
    return [one.headers.get("Authorization") for one in inner.sent]


async def test_a_signed_request_carries_the_token_beside_its_own_headers(script: type[Script]) -> None:
    inner = script(OK)
    assert await Authorise(inner, Issuer(), sign).send(SIGNED) is OK
    assert inner.sent[0].headers == {"X-Folder": "1", "Authorization": "Bearer token-number-1"}
    assert SIGNED.headers == {"X-Folder": "1"}


async def test_an_unsigned_request_gets_no_token_and_asks_for_none(script: type[Script]) -> None:
    inner, issuer = script(WHO), Issuer()
    assert await Authorise(inner, issuer, sign).send(UNSIGNED) is WHO
    assert (credentials(inner), issuer.asked, issuer.rejected) == ([None], 0, [])


@pytest.mark.parametrize("effect", list(Effect))
async def test_a_401_renews_that_token_once(script: type[Script], effect: Effect) -> None:
    inner, issuer = script(WHO, OK), Issuer()
    request = Request("POST", "/", effect=effect, operation="t")
    assert await Authorise(inner, issuer, sign).send(request) is OK
    assert credentials(inner) == ["Bearer token-number-1", "Bearer token-number-2"]
    assert [one.value for one in issuer.rejected] == [token(1).value]


async def test_a_second_401_is_handed_up(script: type[Script]) -> None:
    inner, issuer = script(WHO), Issuer()
    assert await Authorise(inner, issuer, sign).send(SIGNED) is WHO
    assert (len(inner.sent), issuer.rejected, issuer.barred) == (2, [token(1)], [token(2)])


async def test_a_401_about_one_call_does_not_keep_others_from_their_token(script: type[Script]) -> None:
    inner, issuer = script(OK, WHO), Issuer()  # docs: older servers answer 401 for a missing scope, uipath.md 2.7
    authorise = Authorise(inner, issuer, sign)
    await authorise.send(SIGNED)
    assert await authorise.send(SIGNED) is WHO
    assert issuer.barred == []


async def test_the_same_token_again_is_not_tried_again(script: type[Script]) -> None:
    inner = script(WHO)
    assert await Authorise(inner, Issuer(stubborn=True), sign).send(SIGNED) is WHO
    assert len(inner.sent) == 1


@pytest.mark.parametrize("status", [200, 400, 403, 404, 429, 500])
async def test_nothing_but_a_401_drops_a_token(script: type[Script], status: int) -> None:
    inner, issuer = script(Response(status, {}, b"")), Issuer()
    assert (await Authorise(inner, issuer, sign).send(SIGNED)).status == status
    assert (len(inner.sent), issuer.rejected) == (1, [])


async def test_many_refused_at_once_use_the_one_new_token(script: type[Script]) -> None:
    class Refusing(script):  # type: ignore[valid-type, misc]  # the fixture is a class
        async def send(self, request: Request) -> Response:
            self.sent.append(request)
            await asyncio.sleep(0)
            return WHO if request.headers["Authorization"].endswith("-1") else OK

    inner, issuer = Refusing(OK), Issuer()
    authorise = Authorise(inner, issuer, sign)
    answers = await asyncio.gather(*(authorise.send(SIGNED) for _ in range(10)))
    assert {one.status for one in answers} == {200}
    assert set(credentials(inner)) == {"Bearer token-number-1", "Bearer token-number-2"}


@pytest.mark.parametrize(
    "failure", [AuthError("bad secret"), UnavailableError("login is down"), RateLimitedError("not so fast")]
)
async def test_without_a_token_nothing_is_sent_and_nothing_is_tried_again(
    script: type[Script], failure: RemoteError
) -> None:
    inner = script(OK)
    with pytest.raises(type(failure)) as caught:
        await Authorise(inner, Issuer(failure=failure), sign).send(SIGNED)
    assert inner.sent == []
    assert caught.value.delivery is Delivery.NOT_SENT
    assert not any(may_repeat(effect, caught.value) for effect in Effect)


async def test_what_one_caller_is_told_of_a_failed_login_says_nothing_of_the_others(script: type[Script]) -> None:
    issuer = Issuer(failure=UnavailableError("the log-in is down"))
    sender = Authorise(script(), issuer, sign)
    told = await asyncio.gather(sender.send(SIGNED), sender.send(SIGNED), return_exceptions=True)
    first, second = (one for one in told if isinstance(one, UnavailableError))
    first.delivery = Delivery.MAYBE
    assert second.delivery is Delivery.NOT_SENT


async def test_wrong_settings_of_the_login_are_raised_as_they_are(script: type[Script]) -> None:
    with pytest.raises(ConfigError):
        await Authorise(script(OK), Issuer(failure=ConfigError("scope")), sign).send(SIGNED)


async def test_no_absolute_address_sees_a_credential(serve: Serve, connect: Connect) -> None:
    store = await serve(lambda exchange: exchange.reply())
    authorise = Authorise(connect("http://127.0.0.1:1"), Issuer(), sign)
    absolute = Request("PUT", f"{store.url}/blob?sig=1", effect=Effect.SET, operation="upload", signed=False)
    await authorise.send(absolute)
    signed = Request("PUT", f"{store.url}/blob?sig=1", effect=Effect.SET, operation="upload")
    with pytest.raises(ConfigError):
        await authorise.send(signed)
    assert len(store.seen) == 1
    assert "token-number" not in repr(store.seen[0].headers)
    assert "authorization" not in store.seen[0].headers


async def test_closing_ends_the_tokens_and_what_is_below(script: type[Script]) -> None:
    inner, issuer = script(OK), Issuer()
    await Authorise(inner, issuer, sign).aclose()
    assert inner.closed
    assert issuer.closed
