"""A token that somebody made by hand, such as a personal access token."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from rpa_bridge.clock import Clock
from rpa_bridge.errors import ConfigError

from .token import NEVER, Token
from .tokens import TokenStatus


class FixedToken:
    """Hands out the settings' own token: nobody is asked for it, nothing renews it, and it is never written to disk."""

    def __init__(self, value: SecretStr, clock: Clock, details: Mapping[str, str] | None = None) -> None:
        """`details` are what requests need besides the token, and a log-in would have told."""
        self._token = Token(value, clock.now(), NEVER, clock.monotonic(), details=details or {})

    async def get(self) -> Token:
        """The token."""
        return self._token

    async def reject(self, token: Token) -> None:
        """Changes nothing: there is no other token, so that the platform's refusal is the answer."""

    async def bar(self, token: Token) -> None:
        """Changes nothing: only a log-in's tokens are replaced."""

    async def status(self) -> TokenStatus:
        """That it is there; till when only the platform knows."""
        return TokenStatus(state="fixed", stored="settings")

    async def fetch_anew(self) -> None:
        """Changes nothing: there is nobody to be asked."""

    async def forget(self) -> None:
        """Raises ConfigError: it stands where only its owner can take it out."""
        raise ConfigError("the token stands in the settings: take it out there, and withdraw it on the platform")

    async def aclose(self) -> None:
        """Nothing is held open."""
