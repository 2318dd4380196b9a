"""One exchange with an identity server: a request out, a token in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rpa_bridge.auth.tokens import Token, token_from
from rpa_bridge.clock import Clock
from rpa_bridge.transport.base import Request, Response, Transport
from rpa_bridge.transport.decode import decode
from rpa_bridge_uipath.wire.auth import TokenAnswer

LOGIN = "auth.login"
DEFAULT_LIFETIME = 1800.0
"""Seconds, where the answer names none. docs: reliability paper 1.2; uipath.md 2.4"""
REFRESH_LIFETIME = 60 * 86_400.0
"""Seconds that a refresh token is good for: no answer names it. docs: reliability paper 1.1"""


def oauth(request: Request, response: Response) -> TokenAnswer:
    """What an identity server answers. docs: uipath.md 2.1, 2.2 and 2.6"""
    return decode(TokenAnswer, request, response)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What log-in calls go through: unsigned, one attempt a call."""

    transport: Transport
    clock: Clock

    async def token(self, request: Request, read: Callable[[Request, Response], TokenAnswer] = oauth) -> Token:
        """The token in the answer."""
        sent_at, sent_monotonic = self.clock.now(), self.clock.monotonic()
        answer = read(request, await self.transport.send(request))
        return token_from(
            answer.access_token and answer.access_token.get_secret_value(),
            lifetime=answer.expires_in,
            default_lifetime=DEFAULT_LIFETIME,
            sent_at=sent_at,
            sent_monotonic=sent_monotonic,
            scopes=tuple((answer.scope or "").split()),
            refresh=answer.refresh_token and answer.refresh_token.get_secret_value(),
            refresh_lifetime=REFRESH_LIFETIME,
        )
