"""Connections to the sandbox, one for each way to log in."""

from __future__ import annotations

from typing import Any

from .editions import BASE, ON_PREMISES, TENANT
from .identity import CLIENT_ID, CLIENT_SECRET
from .older_logins import PASSWORD, USER_KEY, USER_KEY_CLIENT_ID, USERNAME
from .people import PERSON_CLIENT_ID
from .scopes import DEFAULT_SCOPE
from .tokens import PERSONAL_ACCESS_TOKEN


def main_connection(origin: str) -> dict[str, Any]:
    """An external application on the cloud: what `rpa-bridge sandbox serve` prints."""
    auth = {
        "type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": DEFAULT_SCOPE,
    }
    return {"adapter": "uipath", "url": origin + BASE, "folder": "Shared", "auth": auth}


def all_connections(origin: str) -> dict[str, dict[str, Any]]:
    """The main one first, then the other ways by name. Only the main one is printed: a choice of one needs no name."""
    main = main_connection(origin)
    user_key = {"client_id": USER_KEY_CLIENT_ID, "refresh_token": USER_KEY, "url": f"{origin}/oauth/token"}
    person = {"client_id": PERSON_CLIENT_ID, "scope": "OR.Folders OR.Execution OR.Jobs OR.Queues"}
    on_premises = {"url": origin + ON_PREMISES, "tenant": TENANT}
    return {
        "uipath": main,
        "uipath-pat": main | {"auth": {"type": "pat", "token": PERSONAL_ACCESS_TOKEN}},
        "uipath-password": main
        | on_premises
        | {"auth": {"type": "password", "username": USERNAME, "password": PASSWORD}},
        "uipath-user-key": main | {"tenant": TENANT, "auth": {"type": "refresh_token"} | user_key},
        "uipath-person": main | {"auth": {"type": "authorization_code"} | person},
    }
