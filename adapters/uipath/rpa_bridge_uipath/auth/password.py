"""A user with a password, on premises. docs: uipath.md 2.4"""

from __future__ import annotations

from rpa_bridge.auth.tokens import Token
from rpa_bridge.errors import AuthError
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.decode import decode
from rpa_bridge_uipath.errors import refused_password
from rpa_bridge_uipath.settings import Password
from rpa_bridge_uipath.wire.auth import AuthenticateAnswer, TokenAnswer

from .exchange import LOGIN, Exchange


class PasswordLogin:
    """There is no refresh token, so it logs in again: that spends nothing."""

    def __init__(self, auth: Password, tenant: str, url: str, exchange: Exchange) -> None:
        self._auth, self._tenant, self._url, self._exchange = auth, tenant, url, exchange

    async def fetch(self) -> Token:
        body = {
            "tenancyName": self._tenant,
            "usernameOrEmailAddress": self._auth.username,
            "password": self._auth.password.get_secret_value(),
        }
        request = Request("POST", self._url, effect=Effect.SET, operation=LOGIN, json=body, signed=False)
        return await self._exchange.token(request, _authenticated)


def _authenticated(request: Request, response: Response) -> TokenAnswer:
    """What is in the envelope, which names no lifetime. Raises AuthError: a refusal may come with a 200."""
    answer = decode(AuthenticateAnswer, request, response)
    if answer.success is False:
        told = refused_password(answer.raw)
        raise AuthError(f"{LOGIN}: {told.message}", status=response.status, code=told.code, operation=LOGIN)
    return TokenAnswer(access_token=answer.result)
