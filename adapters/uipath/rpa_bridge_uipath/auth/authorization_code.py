"""A person with a browser: authorization code with PKCE, and refresh tokens that rotate. docs: uipath.md 2.6"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from pydantic import SecretStr

from rpa_bridge.auth.browser import Challenge, Redirect
from rpa_bridge.auth.tokens import Token
from rpa_bridge.errors import AuthError, Delivery
from rpa_bridge.transport.addresses import query_string
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge.transport.reconcile import blindly
from rpa_bridge_uipath.settings import AuthorizationCode

from .exchange import LOGIN, Exchange


class AuthorizationCodeLogin:
    """The person logs in once; from then on each refresh token gets the next token, and is spent by that."""

    def __init__(
        self, auth: AuthorizationCode, authorize_url: str, token_url: str, exchange: Exchange, connection: str
    ) -> None:
        self._auth, self._authorize_url, self._token_url = auth, authorize_url, token_url
        self._exchange, self._connection = exchange, connection

    async def fetch(self) -> Token:
        """Raises AuthError: without the person there is no token to be had."""
        raise AuthError(
            f"{LOGIN}: nobody is logged in on connection {self._connection!r}, or the log-in has ended; "
            f"run `rpa-bridge auth login {shlex.quote(self._connection)}`",
            operation=LOGIN,
            delivery=Delivery.NOT_SENT,
        )

    async def renew(self, refresh: SecretStr) -> Token:
        form = {"grant_type": "refresh_token", "refresh_token": refresh.get_secret_value()}
        return await self._exchange.token(self._request(form, Effect.KEYED))

    async def log_in(self, show: Callable[[str], None]) -> Token:
        """The token of a person who logs in with a browser at the address that `show` is told.

        Raises AuthError when that fails or takes too long, ConfigError when the browser could not come back here,
        OutcomeUnknownError when the answer with the token is lost: a code is good once.
        """
        challenge = Challenge.new()
        async with Redirect(self._auth.redirect_url, challenge.state, self._exchange.clock) as redirect:
            show(self._address(challenge))
            code = await redirect.code()
        form = {
            "grant_type": "authorization_code",
            "code": code.get_secret_value(),
            "code_verifier": challenge.verifier.get_secret_value(),
            "redirect_uri": self._auth.redirect_url,
        }
        with blindly("the code of this log-in may be spent; log in again"):
            return await self._exchange.token(self._request(form, Effect.BLIND))

    def _address(self, challenge: Challenge) -> str:
        asked = {
            "response_type": "code",
            "client_id": self._auth.client_id,
            "redirect_uri": self._auth.redirect_url,
            "scope": f"{self._auth.scope} offline_access",
            "code_challenge": challenge.s256,
            "code_challenge_method": "S256",
            "state": challenge.state,
        }
        return f"{self._authorize_url}?{query_string(asked)}"

    def _request(self, form: dict[str, str], effect: Effect) -> Request:
        secret = self._auth.client_secret
        who = {"client_id": self._auth.client_id}
        who |= {} if secret is None else {"client_secret": secret.get_secret_value()}
        return Request("POST", self._token_url, effect=effect, operation=LOGIN, form=form | who, signed=False)
