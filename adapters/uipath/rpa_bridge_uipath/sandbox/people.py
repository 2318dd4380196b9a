"""People log in with a browser: authorization code with PKCE, and refresh tokens that rotate. docs: uipath.md 2.6

There is no page to fill in: the sandbox logs its one person in at once.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .entities import Row
from .oauth import checked_scope, oauth_error, repeats, required
from .scopes import OFFLINE, USER_SCOPES
from .state import State
from .times import to_wire
from .tokens import Tokens

PERSON_CLIENT_ID = "22222222-3333-4444-8555-666666666666"
"""An application without a secret. Its redirect address is any port of this machine."""
LIFETIME = 3600
CODE_LIFETIME = 300
REFRESH_LIFETIME = 60 * 24 * 3600

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class People:
    """Codes and refresh tokens; each is good once."""

    def __init__(self, world: World, state: State, tokens: Tokens) -> None:
        self._world, self._state, self._tokens = world, state, tokens

    async def authorize(self, request: web.Request) -> web.Response:
        """`/connect/authorize`: back to the application, with a code or an error; a page where the way back is bad."""
        asked = dict(request.query)
        back = asked.get("redirect_uri", "")
        if repeats(request.query) or asked.get("client_id") != PERSON_CLIENT_ID or not _registered(back):
            return web.Response(status=400, text="<!DOCTYPE html><title>Error</title>", content_type="text/html")
        error = self._refusal(asked)
        answer = {"error": error} if error else {"code": self._code(asked)}
        if "state" in asked:
            answer["state"] = asked["state"]
        joint = "&" if "?" in back else "?"
        return web.Response(status=302, headers={"Location": back + joint + urlencode(answer)})

    def redeem(self, form: dict[str, str]) -> Row:
        """Tokens for a code; a wrong attempt spends it too."""
        code, verifier, back = required(form, "code", "code_verifier", "redirect_uri")
        known = self._state.table("authorization_codes").pop(code, None)
        if known is None or known["expires"] <= self._state.now():
            raise oauth_error("invalid_grant", "the code is unknown, spent or expired")
        if known["redirect_uri"] != back or known["challenge"] != _challenge(verifier):
            raise oauth_error("invalid_grant", "the code belongs to another login")
        return self._answer(known["scope"])

    def refresh(self, form: dict[str, str]) -> Row:
        """New tokens for a refresh token, which is spent by it."""
        (token,) = required(form, "refresh_token")
        refreshes = self._state.table("refresh_tokens")
        known = refreshes.get(token)
        if known is None or known["expires"] <= self._state.now():
            raise oauth_error("invalid_grant", "the refresh token is unknown, spent or expired")
        scope = checked_scope(form.get("scope") or known["scope"], set(known["scope"].split()))
        del refreshes[token]
        return self._answer(scope)

    def _refusal(self, asked: dict[str, str]) -> str | None:
        """OAuth's word for what keeps the person from getting a code; None when nothing does."""
        if asked.get("response_type") != "code":
            return "unsupported_response_type"
        is_s256 = asked.get("code_challenge_method") == "S256"
        if not (is_s256 and _CHALLENGE.fullmatch(asked.get("code_challenge", ""))):
            return "invalid_request"
        scopes = set(asked.get("scope", "").split())
        if not scopes or not scopes <= USER_SCOPES:
            return "invalid_scope"
        return "access_denied" if self._world.switch("uipath.login_denied", False) else None

    def _code(self, asked: dict[str, str]) -> str:
        code = self._world.new_token("code")
        self._state.table("authorization_codes")[code] = {
            "redirect_uri": asked["redirect_uri"],
            "challenge": asked["code_challenge"],
            "scope": asked["scope"],
            "expires": self._in(CODE_LIFETIME),
        }
        return code

    def _answer(self, scope: str) -> Row:
        answer = self._tokens.issue(scope, LIFETIME, external=True)
        if OFFLINE in scope.split():
            answer["refresh_token"] = self._world.new_token("refresh")
            row = {"scope": scope, "expires": self._in(REFRESH_LIFETIME)}
            self._state.table("refresh_tokens")[answer["refresh_token"]] = row
        return answer

    def _in(self, seconds: int) -> str:
        return to_wire(self._world.clock.now() + timedelta(seconds=seconds))


def _registered(address: str) -> bool:
    """Whether the code may be sent there: to this machine only, without a fragment."""
    try:
        parts = urlsplit(address)
        hosts = (f"{name}:{parts.port}" for name in ("127.0.0.1", "localhost"))
        return parts.scheme == "http" and parts.netloc in hosts and not re.search(r"[\s#]", address)
    except ValueError:
        return False


def _challenge(verifier: str) -> str:
    """What S256 makes of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
