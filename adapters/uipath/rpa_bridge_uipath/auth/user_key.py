"""The older "API access" of the cloud: a client id and a user key. docs: uipath.md 2.1"""

from __future__ import annotations

from rpa_bridge.auth.tokens import Token
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge_uipath.settings import RefreshToken

from .exchange import LOGIN, Exchange


class UserKeyLogin:
    """The user key is called a refresh token, but stays as it is: asking again spends nothing."""

    def __init__(self, auth: RefreshToken, tenant: str | None, exchange: Exchange) -> None:
        self._auth, self._tenant, self._exchange = auth, tenant, exchange

    async def fetch(self) -> Token:
        body = {
            "grant_type": "refresh_token",
            "client_id": self._auth.client_id,
            "refresh_token": self._auth.refresh_token.get_secret_value(),
        }
        return await self._exchange.token(
            Request(
                "POST",
                self._auth.url,
                effect=Effect.SET,
                operation=LOGIN,
                json=body,
                headers={"X-UIPATH-TenantName": self._tenant} if self._tenant else {},
                signed=False,
            )
        )
