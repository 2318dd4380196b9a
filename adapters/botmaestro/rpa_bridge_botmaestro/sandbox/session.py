"""Version, log-in and tokens. docs: botmaestro.md 1 "Headers", "Tokens", and 2"""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from .backend import Backend, Body, Route
from .errors import RefusedError


class Login(Body):
    login: str
    key: str


class Session:
    """Tells who may ask."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/maestro/version", self._version, anonymous=True),
            Route("POST", "/workspace/login", self._login, anonymous=True),
        ]

    def new_token(self) -> str:
        """A token that is good for its lifetime."""
        token = self._backend.world.new_token("sandbox-botmaestro")
        self._backend.state.tokens[token] = self._backend.now()
        return token

    def authorise(self, request: web.Request) -> None:
        """Checks token and organization. Raises RefusedError 401 or 403."""
        token = request.headers.get("token") or _bearer(request)
        given_out = self._backend.state.tokens.get(token)
        lifetime = self._backend.switch("token_lifetime")
        if given_out is None or (
            lifetime is not None and self._backend.now() >= given_out + timedelta(seconds=lifetime)
        ):
            raise RefusedError(self._backend.switch("status_bad_token"), "Invalid or expired token")
        self._check_organization(request.headers.get("organization") or None)

    def _check_organization(self, given: str | None) -> None:
        mode, ours = self._backend.switch("organization_header"), self._backend.state.organization
        if mode == "ignored" or (mode == "known" and given is None):
            return
        if given is None:
            raise RefusedError(401, "Header 'organization' is missing")
        if given not in ({ours.label} if mode == "label" else {ours.label, ours.login}):
            raise RefusedError(403, f"The token is not of organization {given!r}")

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": self._backend.switch("version")})

    async def _login(self, request: web.Request) -> web.Response:
        given, ours = await self._backend.read(request, Login), self._backend.state.organization
        if (given.login, given.key) != (ours.login, ours.key):
            raise RefusedError(self._backend.switch("status_bad_login"), "Invalid login or key")
        answer = {"accessToken": self.new_token(), "organizationLabel": ours.label}
        if self._backend.switch("refresh_token"):
            answer["refreshToken"] = self._backend.world.new_token("sandbox-refresh")
        return web.json_response(answer)


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""
