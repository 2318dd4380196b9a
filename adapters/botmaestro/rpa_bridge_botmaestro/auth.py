"""How to log in to BotMaestro, and how to sign a request."""

from __future__ import annotations

from collections.abc import Mapping

from rpa_bridge.auth.tokens import Token, TokenKey, token_from
from rpa_bridge.clock import Clock
from rpa_bridge.transport.base import Effect, Request, Transport
from rpa_bridge.transport.decode import decode

from .settings import BotMaestroSettings
from .wire.auth import LoginAnswer

LOGIN = "auth.login"
LOGIN_PATH = "/workspace/login"
DEFAULT_LIFETIME = 3000.0
"""Seconds: the answer names none, and other clients assume an hour. docs: botmaestro.md 1 "Tokens" """
ORGANIZATION = "organization"


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


def sign(token: Token) -> Mapping[str, str]:
    """The headers that prove who we are. docs: botmaestro.md 1 "Headers" """
    return {"token": token.value.get_secret_value(), ORGANIZATION: token.details.get(ORGANIZATION, "")}


def token_key(settings: BotMaestroSettings) -> TokenKey:
    """What tells this login from every other in a shared cache."""
    return TokenKey(
        adapter="botmaestro",
        token_url=settings.server + LOGIN_PATH,
        user=settings.login,
        grant_type="key",
        secret=settings.key,
    )
