"""Signs requests, and renews a token that the platform refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Protocol

from rpa_bridge.auth.tokens import Token
from rpa_bridge.errors import Delivery, RemoteError

from .base import Request, Response, Transport


class Tokens(Protocol):
    """Where tokens come from: `auth.tokens.TokenCache`, or `auth.fixed.FixedToken`."""

    async def get(self) -> Token:
        """A token that is good for now."""

    async def reject(self, token: Token) -> None:
        """Forgets this token, unless it has been replaced already."""

    async def bar(self, token: Token) -> None:
        """Gives out none for a while: this one was refused too, just after it had replaced a refused one."""

    async def aclose(self) -> None:
        """Ends what runs in the background."""


Sign = Callable[[Token], Mapping[str, str]]
"""The headers that prove who we are."""


class Authorise:
    """Attaches a token to each signed request; on 401 renews that token and sends once more.

    Sending once more is allowed for every effect: a 401 is decided before anything is carried out.
    """

    def __init__(self, inner: Transport, tokens: Tokens, sign: Sign) -> None:
        self._inner, self._tokens, self._sign = inner, tokens, sign
        self._signed_by: Token | None = None
        self._signature: Mapping[str, str] = {}
        self._known = False
        """Whether the platform has taken a token of this log-in: a 401 then may be about the call, as older servers
        answer for a missing scope, and must not keep others from theirs."""

    async def send(self, request: Request) -> Response:
        if not request.signed:
            return await self._inner.send(request)
        token = await self._token()
        if token is not self._signed_by:
            self._signed_by, self._signature = token, self._sign(token)
        response = await self._inner.send(request.with_headers(self._signature))
        if response.status != 401:
            self._known = True
            return response
        await self._tokens.reject(token)
        renewed = await self._token()
        if renewed.value == token.value or request.spent:
            return response
        response = await self._inner.send(request.with_headers(self._sign(renewed)))
        if response.status == 401 and not self._known:
            await self._tokens.bar(renewed)
        return response

    async def _token(self) -> Token:
        try:
            return await self._tokens.get()
        except RemoteError as error:
            failure = copy(error)  # all who waited for this log-in were given the same one, and say more of it
        failure.delivery, failure.retryable = Delivery.NOT_SENT, False  # it never left; the log-in had its attempts
        raise failure

    async def aclose(self) -> None:
        await self._tokens.aclose()
        await self._inner.aclose()
