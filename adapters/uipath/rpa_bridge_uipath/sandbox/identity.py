"""The identity server: tokens for external applications, and what they allow. docs: uipath.md 2.2 and 2.7"""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .errors import not_authenticated, scope_missing
from .state import State
from .times import to_wire

CLIENT_ID = "11111111-2222-4333-8444-555555555555"
CLIENT_SECRET = "uipath-sandbox-secret"  # noqa: S105 - known to everybody, good for the sandbox alone
DEFAULT_SCOPE = "OR.Default"
FAMILIES = {f"OR.{name}" for name in ("Folders", "Robots", "Execution", "Jobs", "Queues", "Assets", "Administration")}
SCOPES = {DEFAULT_SCOPE} | FAMILIES | {f"{family}.{way}" for family in FAMILIES for way in ("Read", "Write")}


class Identity:
    """Gives tokens out and looks them up, by the sandbox's clock."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state

    async def token(self, request: web.Request) -> web.Response:
        """`/connect/token`: a form in, a token or an OAuth error out."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        error = _wrong(request, form)
        if error:
            return web.json_response({"error": error, "error_description": f"{error} (sandbox)"}, status=400)
        lifetime = self._world.switch("uipath.token_lifetime", 3600)
        now = self._world.clock.now()
        scope = form.get("scope") or DEFAULT_SCOPE
        token = self._world.new_token("uipath")
        self._forget_expired(to_wire(now))
        self._state.tokens[token] = {"expires": to_wire(now + timedelta(seconds=lifetime)), "scope": scope}
        quoted = self._world.switch("uipath.expires_in_quoted", False)
        answer = {"access_token": token, "expires_in": str(lifetime) if quoted else lifetime}
        return web.json_response(answer | {"token_type": "Bearer", "scope": scope})

    def check(self, request: web.Request, family: str) -> None:
        """Raises a 401 for a token that is not good, and a 403 for one that is not good for this."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        known = self._state.tokens.get(token) if kind.lower() == "bearer" else None
        if known is None or known["expires"] <= self._state.now():
            raise not_authenticated()
        needed = {DEFAULT_SCOPE, family, f"{family}.{'Read' if request.method == 'GET' else 'Write'}"}
        if not needed & set(known["scope"].split()):
            raise scope_missing(known["scope"], family)

    def _forget_expired(self, now: str) -> None:
        self._state.tokens = {token: known for token, known in self._state.tokens.items() if known["expires"] > now}


def _wrong(request: web.Request, form: dict[str, str]) -> str | None:
    """OAuth's word for what is wrong with a token request; None when nothing is."""
    if request.content_type != "application/x-www-form-urlencoded":
        return "invalid_request"
    if form.get("grant_type") != "client_credentials":
        return "unsupported_grant_type"
    if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
        return "invalid_client"
    if not set(form.get("scope", "").split()) <= SCOPES:
        return "invalid_scope"
    return None
