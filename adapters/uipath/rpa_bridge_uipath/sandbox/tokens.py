"""The tokens that are good, and what they allow. docs: uipath.md 2.2 to 2.7"""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .editions import TENANT
from .entities import Row
from .errors import not_authenticated, scope_missing
from .scopes import DEFAULT_SCOPE, opens
from .state import State
from .times import to_wire

PERSONAL_ACCESS_TOKEN = "uipath-sandbox-personal-access-token"  # noqa: S105 - good for the sandbox alone
YEAR = 365 * 24 * 3600
"""The longest that a personal access token lives. docs: uipath.md 2.3"""


class Tokens:
    """Gives tokens out and looks them up, by the sandbox's clock. Born with a personal access token."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state
        self._remember(PERSONAL_ACCESS_TOKEN, DEFAULT_SCOPE, YEAR, external=False)

    def issue(self, scope: str, lifetime: int, *, external: bool) -> Row:
        """A new token as its owner gets it. `external`: an external application asked for it."""
        lifetime = self._world.switch("uipath.token_lifetime", lifetime)
        token = self._world.new_token("uipath")
        self._forget_expired()
        self._remember(token, scope, lifetime, external=external)
        quoted = self._world.switch("uipath.expires_in_quoted", False)
        return {
            "access_token": token,
            "expires_in": str(lifetime) if quoted else lifetime,
            "token_type": "Bearer",
            "scope": scope,
        }

    def check(self, request: web.Request, family: str) -> Row:
        """The caller's token. Raises a 401 for one that is not good, and a 403 for one that is not good for this."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        known = self._state.tokens.get(token) if kind.lower() == "bearer" else None
        if known is None or known["expires"] <= self._state.now() or self._revoked(token) or elsewhere(request):
            raise not_authenticated()
        if not opens(known["scope"], family, request.method):
            raise scope_missing(known["scope"], family)
        return known

    def _revoked(self, token: str) -> bool:
        return token == PERSONAL_ACCESS_TOKEN and bool(self._world.switch("uipath.pat_revoked", False))

    def _remember(self, token: str, scope: str, lifetime: int, *, external: bool) -> None:
        expires = to_wire(self._world.clock.now() + timedelta(seconds=lifetime))
        self._state.tokens[token] = {"expires": expires, "scope": scope, "external": external}

    def _forget_expired(self) -> None:
        now = self._state.now()
        self._state.tokens = {token: known for token, known in self._state.tokens.items() if known["expires"] > now}


def elsewhere(request: web.Request) -> bool:
    """Whether the request names a tenant, and another than the sandbox's. docs: uipath.md 1.2"""
    return request.headers.get("X-UIPATH-TenantName", TENANT).casefold() != TENANT
