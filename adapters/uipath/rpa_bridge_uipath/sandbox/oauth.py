"""How an OAuth server reads what it is asked, and says no: in its own shape, not Orchestrator's. docs: uipath.md 2.2"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from multidict import MultiMapping

from .errors import RefusalError


def oauth_error(word: str, reason: str) -> RefusalError:
    """A 400 with one of OAuth's words."""
    return RefusalError(400, {"error": word, "error_description": reason})


async def read_form(request: web.Request) -> dict[str, str]:
    """The fields of a token request; empty ones count as absent, since some clients send all they know of."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise oauth_error("invalid_request", "a token request is a form")
    fields = await request.post()
    if repeats(fields):
        raise oauth_error("invalid_request", "a field is given twice")
    return {name: str(value) for name, value in fields.items() if value}


def repeats(fields: MultiMapping[Any]) -> bool:
    """Whether a name comes twice."""
    return len(set(fields)) < len(fields)


def required(form: dict[str, str], *names: str) -> list[str]:
    """The fields of these names. Raises invalid_request for the first that is absent."""
    for name in names:
        if name not in form:
            raise oauth_error("invalid_request", f"{name} is missing")
    return [form[name] for name in names]


def checked_scope(scope: str, allowed: set[str]) -> str:
    """The scope itself. Raises invalid_scope."""
    strange = sorted(set(scope.split()) - allowed)
    if strange:
        raise oauth_error("invalid_scope", f"this application may not ask for {strange[0]}")
    return scope
