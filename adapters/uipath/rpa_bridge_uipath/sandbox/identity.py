"""The identity server: tokens for external applications and for people, and the older ways in. docs: uipath.md 2"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .editions import IDENTITIES, ON_PREMISES
from .entities import Row
from .errors import RefusalError
from .oauth import checked_scope, oauth_error, read_form
from .older_logins import OlderLogins
from .people import PERSON_CLIENT_ID, People
from .scopes import APPLICATION_SCOPES, DEFAULT_SCOPE
from .state import State
from .tokens import Tokens

CLIENT_ID = "11111111-2222-4333-8444-555555555555"
CLIENT_SECRET = "uipath-sandbox-secret"  # noqa: S105 - known to everybody, good for the sandbox alone
LIFETIME = 3600
"""Seconds that a token is good for. docs: uipath.md 2.2"""

Grant = Callable[[dict[str, str]], Row]


class Identity:
    """Everybody's way in."""

    def __init__(self, world: World, state: State, tokens: Tokens) -> None:
        self._tokens = tokens
        self._older = OlderLogins(world, tokens)
        self._people = People(world, state, tokens)
        self._grants: dict[str, dict[str, Grant]] = {
            CLIENT_ID: {"client_credentials": self._application},
            PERSON_CLIENT_ID: {"authorization_code": self._people.redeem, "refresh_token": self._people.refresh},
        }

    def routes(self) -> list[web.RouteDef]:
        """Where one logs in."""
        found = [
            web.post("/oauth/token", self._older.user_key),
            web.post(f"{ON_PREMISES}/api/Account/Authenticate", self._older.password),
        ]
        for base in IDENTITIES:
            found.append(web.post(f"{base}/connect/token", self.token))
            found.append(web.get(f"{base}/connect/authorize", self._people.authorize))
        return found

    async def token(self, request: web.Request) -> web.Response:
        """`/connect/token`: a form in, a token or an OAuth error out."""
        try:
            form = await read_form(request)
            return web.json_response(self._grant(form)(form))
        except RefusalError as refusal:
            return refusal.response()

    def _grant(self, form: dict[str, str]) -> Grant:
        """What this application asks for, if it may."""
        client, kind = form.get("client_id", ""), form.get("grant_type", "")
        if client not in self._grants or (client == CLIENT_ID and form.get("client_secret") != CLIENT_SECRET):
            raise oauth_error("invalid_client", "there is no application with this id and secret")
        if not any(kind in grants for grants in self._grants.values()):
            raise oauth_error("unsupported_grant_type", "the sandbox knows no such grant")
        if kind not in self._grants[client]:
            raise oauth_error("unauthorized_client", "this application may not use this grant")
        return self._grants[client][kind]

    def _application(self, form: dict[str, str]) -> Row:
        """There is no refresh token: one just asks again. docs: uipath.md 2.2"""
        scope = checked_scope(form.get("scope") or DEFAULT_SCOPE, APPLICATION_SCOPES)
        return self._tokens.issue(scope, LIFETIME, external=True)
