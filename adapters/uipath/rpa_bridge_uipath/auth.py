"""How to log in to UiPath, and how to sign a request."""

from __future__ import annotations

from collections.abc import Mapping

from rpa_bridge.auth.tokens import Token, TokenKey, token_from
from rpa_bridge.clock import Clock
from rpa_bridge.transport.base import Effect, Request, Transport
from rpa_bridge.transport.decode import decode

from .settings import ClientCredentials, RefreshToken, UiPathSettings
from .wire.auth import TokenAnswer

LOGIN = "auth.login"
DEFAULT_LIFETIME = 1800.0
"""Seconds, where the answer names none. docs: reliability paper 1.2"""


class UiPathLogin:
    """Asks for tokens in the way that the settings name; there is nothing to refresh, so it simply asks again."""

    def __init__(self, settings: UiPathSettings, transport: Transport, clock: Clock) -> None:
        self._settings, self._transport, self._clock = settings, transport, clock

    async def fetch(self) -> Token:
        request = login_request(self._settings)
        sent_at, sent_monotonic = self._clock.now(), self._clock.monotonic()
        answer = decode(TokenAnswer, request, await self._transport.send(request))
        return token_from(
            answer.access_token and answer.access_token.get_secret_value(),
            lifetime=answer.expires_in,
            default_lifetime=DEFAULT_LIFETIME,
            sent_at=sent_at,
            sent_monotonic=sent_monotonic,
            scopes=tuple((answer.scope or "").split()),
        )


def sign(token: Token) -> Mapping[str, str]:
    """The header that proves who we are. docs: uipath.md 1.2"""
    return {"Authorization": f"Bearer {token.value.get_secret_value()}"}


def token_url(settings: UiPathSettings) -> str:
    """Where this connection asks for tokens."""
    return settings.auth.url if isinstance(settings.auth, RefreshToken) else f"{settings.identity}/connect/token"


def login_request(settings: UiPathSettings) -> Request:
    """The request for a token. Asking twice is harmless: neither way spends anything."""
    auth = settings.auth
    if isinstance(auth, ClientCredentials):  # docs: uipath.md 2.2, a form
        form = {
            "grant_type": auth.type,
            "client_id": auth.client_id,
            "client_secret": auth.client_secret.get_secret_value(),
            "scope": auth.scope,
        }
        return Request("POST", token_url(settings), effect=Effect.SET, operation=LOGIN, form=form, signed=False)
    body = {  # docs: uipath.md 2.1, JSON
        "grant_type": auth.type,
        "client_id": auth.client_id,
        "refresh_token": auth.refresh_token.get_secret_value(),
    }
    return Request(
        "POST",
        token_url(settings),
        effect=Effect.SET,
        operation=LOGIN,
        json=body,
        headers={"X-UIPATH-TenantName": settings.tenant} if settings.tenant else {},
        signed=False,
    )


def token_key(settings: UiPathSettings) -> TokenKey:
    """What tells this login from every other in a shared cache."""
    auth = settings.auth
    if isinstance(auth, ClientCredentials):
        secret, scopes = auth.client_secret, tuple(auth.scope.split())
    else:
        secret, scopes = auth.refresh_token, ()
    return TokenKey(
        adapter="uipath",
        token_url=token_url(settings),
        tenant=settings.tenant or "",
        organization=settings.url,
        client_id=auth.client_id,
        grant_type=auth.type,
        scopes=scopes,
        secret=secret,
    )
