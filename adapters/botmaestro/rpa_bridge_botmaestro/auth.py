"""How to log in to BotMaestro, and how to sign a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rpa_bridge.auth.fixed import FixedToken
from rpa_bridge.auth.tokens import Token, TokenCache, TokenKey, token_from
from rpa_bridge.clock import Clock
from rpa_bridge.errors import AuthError
from rpa_bridge.transport.base import Effect, Request, Response, Transport
from rpa_bridge.transport.classify import Explanation
from rpa_bridge.transport.decode import decode
from rpa_bridge.transport.stack import Wiring, connect, exchange, signed

from .errors import explain
from .settings import BotMaestroSettings, RunnerSettings
from .wire.auth import LOGIN, LOGIN_PATH, LoginAnswer

DEFAULT_LIFETIME = 3000.0
"""Seconds: the answer names none, and other clients assume an hour. docs: botmaestro.md 1 "Tokens" """
ORGANIZATION = "organization"

Tokens = TokenCache | FixedToken


class BotMaestroLogin:
    """Logs in with login and key; there is nothing to refresh, so it simply logs in again."""

    def __init__(self, settings: BotMaestroSettings, transport: Transport, clock: Clock) -> None:
        self._settings, self._transport, self._clock = settings, transport, clock

    async def fetch(self) -> Token:
        body = {"login": self._settings.login, "key": self._settings.key.get_secret_value()}
        request = Request("POST", LOGIN_PATH, effect=Effect.SET, operation=LOGIN, json=body, signed=False)
        sent_at, sent_monotonic = self._clock.now(), self._clock.monotonic()
        answer = decode(LoginAnswer, request, await self._transport.send(request))
        return token_from(
            answer.accessToken and answer.accessToken.get_secret_value(),
            lifetime=None,
            default_lifetime=DEFAULT_LIFETIME,
            sent_at=sent_at,
            sent_monotonic=sent_monotonic,
            # docs: documentation and dashboard send the label, the SDK the login, botmaestro.md 1 "Headers"
            details={ORGANIZATION: answer.organizationLabel or self._settings.login},
        )


def connected(settings: BotMaestroSettings | RunnerSettings, wiring: Wiring) -> tuple[Tokens, Transport]:
    """The tokens of one connection, and what all its nouns send through; nothing is sent."""
    if isinstance(settings, BotMaestroSettings):
        return connect(wiring, lambda login: BotMaestroLogin(settings, login, wiring.clock), token_key(settings), sign)
    fixed = FixedToken(settings.token, wiring.clock, {ORGANIZATION: settings.organization})
    wiring = replace(wiring, explain=explain_to_a_run)
    return fixed, signed(exchange(wiring), wiring, fixed, sign)


def sign(token: Token) -> Mapping[str, str]:
    """The headers that prove who we are. docs: botmaestro.md 1 "Headers" """
    headers = {"token": token.value.get_secret_value()}
    organization = token.details.get(ORGANIZATION)
    return headers | {ORGANIZATION: organization} if organization else headers


def token_key(settings: BotMaestroSettings) -> TokenKey:
    """What tells this login from every other in a shared cache."""
    return TokenKey(
        adapter="botmaestro",
        token_url=settings.server + LOGIN_PATH,
        user=settings.login,
        grant_type="key",
        secret=settings.key,
    )


def explain_to_a_run(request: Request, response: Response, body: Any) -> Explanation | None:
    """BotMaestro's own word on a failed answer; on a 401, that nothing but another run mends it."""
    if response.status == 401 and request.signed:
        return Explanation(
            "the token that the Runner handed over is not good, or no longer, and there is no key to log in with; "
            "start the task again, or use Bridge.load() with login and key where runs are longer than tokens live",
            kind=AuthError,
        )
    return explain(request, response, body)
