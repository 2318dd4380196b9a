"""An external application with a secret. docs: uipath.md 2.2"""

from __future__ import annotations

from rpa_bridge.auth.tokens import Token
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge_uipath.settings import ClientCredentials

from .exchange import LOGIN, Exchange


class ClientCredentialsLogin:
    """There is nothing to refresh, so it simply asks again: that spends nothing."""

    def __init__(self, auth: ClientCredentials, url: str, exchange: Exchange) -> None:
        self._auth, self._url, self._exchange = auth, url, exchange

    async def fetch(self) -> Token:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._auth.client_id,
            "client_secret": self._auth.client_secret.get_secret_value(),
            "scope": self._auth.scope,
        }
        return await self._exchange.token(
            Request("POST", self._url, effect=Effect.SET, operation=LOGIN, form=form, signed=False)
        )
