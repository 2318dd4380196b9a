"""The ways in from before the identity server: user keys and passwords. docs: uipath.md 2.1 and 2.4"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, text
from .editions import TENANT
from .errors import RefusalError
from .oauth import oauth_error
from .scopes import DEFAULT_SCOPE
from .tokens import Tokens, elsewhere

USER_KEY_CLIENT_ID = "sandboxClientIdOfTheUserKey"
USER_KEY = "uipath-sandbox-user-key"
USER_KEY_LIFETIME = 86_400
USER_KEY_SCOPE = "openid profile email offline_access"
USERNAME = "person@sandbox.example"
PASSWORD = "uipath-sandbox-password"  # noqa: S105 - known to everybody, good for the sandbox alone
PASSWORD_LIFETIME = 1800
"""Seconds; nobody is told. docs: uipath.md 2.4"""

_LOGIN = {"tenancyName": text(), "usernameOrEmailAddress": text(), "password": text()}


class OlderLogins:
    """Both give the rights of the sandbox's one person."""

    def __init__(self, world: World, tokens: Tokens) -> None:
        self._world, self._tokens = world, tokens

    async def user_key(self, request: web.Request) -> web.Response:
        """`/oauth/token`: JSON in; the user key stays as it is."""
        try:
            _check_user_key(request, await _json_of(request))
        except RefusalError as refusal:
            return refusal.response()
        answer = self._tokens.issue(DEFAULT_SCOPE, USER_KEY_LIFETIME, external=False)
        id_token = self._world.new_token("id")
        return web.json_response(answer | {"id_token": id_token, "scope": USER_KEY_SCOPE})

    async def password(self, request: web.Request) -> web.Response:
        """`/api/Account/Authenticate`: an envelope out, whatever comes of it."""
        try:
            given = bind(await body_of(request), _LOGIN, "login")
        except RefusalError:
            return _envelope(error="Your request is not valid!", status=400)
        tenant, user = given.get("tenancyName", ""), given.get("usernameOrEmailAddress", "")
        if tenant.casefold() != TENANT or elsewhere(request):
            return self._refused(f"There is no tenant defined with name {tenant}")
        if user.casefold() != USERNAME or given.get("password") != PASSWORD:
            return self._refused("Invalid credentials, failed to login.")
        return _envelope(self._tokens.issue(DEFAULT_SCOPE, PASSWORD_LIFETIME, external=False)["access_token"])

    def _refused(self, reason: str) -> web.Response:
        return _envelope(error=reason, status=self._world.switch("uipath.password_refused_status", 200))


async def _json_of(request: web.Request) -> dict[str, Any]:
    try:
        given = json.loads(await request.read())
    except ValueError:
        given = None
    if request.content_type != "application/json" or not isinstance(given, dict):
        raise oauth_error("invalid_request", "a token request is a JSON object here")
    return given


def _check_user_key(request: web.Request, given: dict[str, Any]) -> None:
    if "X-UIPATH-TenantName" not in request.headers or elsewhere(request):
        raise oauth_error("invalid_request", "X-UIPATH-TenantName must name the tenant")
    if given.get("grant_type") != "refresh_token":
        raise oauth_error("unsupported_grant_type", "only refresh_token is known here")
    if given.get("client_id") != USER_KEY_CLIENT_ID:
        raise oauth_error("invalid_client", "there is no such client id")
    if given.get("refresh_token") != USER_KEY:
        raise oauth_error("invalid_grant", "the user key is unknown or revoked")


def _envelope(result: str | None = None, *, error: str | None = None, status: int = 200) -> web.Response:
    """docs: uipath.md 5.1, shape 3"""
    problem = error and {"code": 0, "message": error, "details": None, "validationErrors": None}
    body = {"result": result, "targetUrl": None, "success": error is None, "error": problem}
    return web.json_response(body | {"unAuthorizedRequest": False, "__abp": True}, status=status)
