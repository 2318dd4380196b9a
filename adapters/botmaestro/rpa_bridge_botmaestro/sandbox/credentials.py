"""Credential sets and their keys, with values that can be read. docs: botmaestro.md 8"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from .backend import Backend, Body, Route
from .errors import RefusedError, taken
from .records import REPOSITORY, Credential, Secret

SINCE, REPLACE_SINCE = "2.0.0", "3.0.0"


class GivenSecret(Body):
    key: str = Field(min_length=1)
    value: str
    valid: bool = True

    def secret(self) -> Secret:
        """It as it is kept."""
        return Secret(key=self.key, value=self.value, valid=self.valid)


class GivenSet(Body):
    label: str = Field(min_length=1)
    secrets: list[GivenSecret] = Field(default_factory=list)
    organization_label: str | None = None
    repository_label: str = REPOSITORY


class Credentials:
    """There is no route to change or delete one key, nor to delete a set: clients send the whole set again."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/credential", self._list, SINCE),
            Route("POST", "/credential", self._create, SINCE),
            Route("GET", "/credential/{label}", self._get, SINCE),
            Route("POST", "/credential/{label}", self._replace, REPLACE_SINCE),
            Route("POST", "/credential/{label}/key", self._add, SINCE),
            Route("GET", "/credential/{label}/key/{key}", self._value, SINCE),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([self._wire(one) for one in self._backend.state.credentials.values()])

    async def _create(self, request: web.Request) -> web.Response:
        given = await self._backend.read(request, GivenSet)
        if given.label in self._backend.state.credentials:
            raise taken(f"Credential {given.label!r}")
        credential = Credential(
            label=given.label,
            secrets=[one.secret() for one in given.secrets],
            repository_label=given.repository_label,
        )
        self._backend.state.credentials[given.label] = credential
        return web.json_response(self._wire(credential))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._wire(self._credential(request)))

    async def _replace(self, request: web.Request) -> web.Response:
        """An empty list is allowed. docs: botmaestro.md 8"""
        given = await self._backend.read(request, GivenSet)
        credential = self._credential(request)
        credential.secrets = [one.secret() for one in given.secrets]
        return web.json_response(self._wire(credential))

    async def _add(self, request: web.Request) -> web.Response:
        given = await self._backend.read(request, GivenSecret)
        credential = self._credential(request)
        known = credential.secret(given.key)
        if known is not None:
            status = self._backend.switch("status_duplicate_key")
            if status != 200:
                raise RefusedError(status, f"Key {given.key!r} already exists")
            credential.secrets.remove(known)
        credential.secrets.append(given.secret())
        return web.json_response(self._wire(credential))

    async def _value(self, request: web.Request) -> web.Response:
        """Plain text, without quotes. docs: botmaestro.md 14"""
        credential, key = self._credential(request), request.match_info["key"]
        known = credential.secret(key)
        if known is None:
            raise self._backend.unknown(f"Key {key!r} of credential {credential.label!r}")
        return web.Response(text=known.value)

    def _wire(self, credential: Credential) -> dict[str, Any]:
        """The set with its values: that they can be read with the set is inferred. docs: botmaestro.md 8 "Quirks" """
        shown = self._backend.wire(credential)
        if self._backend.switch("mask_secrets"):
            shown["secrets"] = [secret | {"value": None} for secret in shown["secrets"]]
        return shown

    def _credential(self, request: web.Request) -> Credential:
        label = request.match_info["label"]
        if label not in self._backend.state.credentials:
            raise self._backend.unknown(f"Credential {label!r}")
        return self._backend.state.credentials[label]
