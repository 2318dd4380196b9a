"""What UiPath's failures mean, and what to do about them. docs: uipath.md 2.7, 5.1 and 5.2"""

from __future__ import annotations

from typing import Any

from rpa_bridge.errors import AuthError, ConflictError, InvalidError, NotFoundError, RemoteError
from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.classify import Explanation

LONGEST = 300
"""Characters of the platform's own sentence that are passed on."""

CODES: dict[str, tuple[type[RemoteError] | None, str]] = {  # docs: uipath.md 5.2; None keeps the status's type
    "0": (None, ""),
    "1001": (ConflictError, "the name is taken; choose another, or use the one that exists"),
    "1002": (NotFoundError, "it does not exist in this folder, or this identity may not see it"),
    "1100": (NotFoundError, "check `folder` in the settings, and that this identity is assigned to it"),
    "1101": (InvalidError, "set `folder` in the settings: this server wants one for every call"),
    "1230": (ConflictError, "the process needs a foreground: assign an unattended robot to the folder"),
    "1302": (None, "only a robot of this identity may read that"),
    "1500": (InvalidError, "a credential needs its password"),
    "1671": (ConflictError, "assign an unattended user to the folder"),
    "2818": (ConflictError, "assign a machine with an Unattended or NonProduction runtime to the folder"),
}
OAUTH_MENDS: dict[str, str] = {  # docs: uipath.md 2.2
    "invalid_client": "check auth.client_id and auth.client_secret in the settings",
    "unauthorized_client": "allow this way of logging in for the external application",
    "invalid_scope": "check auth.scope: a confidential application takes application scopes only",
    "invalid_grant": "the user key or its client id is wrong or was revoked; make a new one in the portal",
}


def explain(request: Request, response: Response, body: Any) -> Explanation | None:
    """UiPath's own word on a failed answer; None where it says nothing that we can read."""
    if not isinstance(body, dict):
        return Explanation(_bare(response.status, request))
    if isinstance(body.get("error"), str):
        return _oauth(body["error"])
    sentence, code = _sentence(body), _code(body)
    kind, mend = CODES.get(code or "", (None, ""))
    if response.status in (401, 403):
        kind, mend = None, mend or _rights(response.status)
    return Explanation(f"{sentence}; {mend}" if mend else sentence, code=code, kind=kind)


def _oauth(error: str) -> Explanation:
    mend = OAUTH_MENDS.get(error, "check auth in the settings")
    return Explanation(f"the identity server refuses the log-in ({error[:64]}); {mend}", code=error, kind=AuthError)


def _sentence(body: dict[str, Any]) -> str:
    error = body.get("error")
    nested = error if isinstance(error, dict) else {}
    for holder, name in (
        (body, "message"),
        (body, "Message"),
        (body, "errorMessage"),
        (nested, "message"),
        (body, "title"),
    ):
        text = holder.get(name)
        if isinstance(text, str) and text.strip():
            return " ".join(text.split())[:LONGEST].rstrip(".")
    return "the platform refused without a reason"


def _code(body: dict[str, Any]) -> str | None:
    for name in ("errorCode", "ErrorCode", "StatusCode"):
        if isinstance(body.get(name), int | str):
            return str(body[name])
    return None


def _rights(status: int) -> str:
    if status == 401:
        return "the token was refused; check auth in the settings, or `rpa-bridge auth clear`"
    return "give this identity the scope and the folder role for it"


def _bare(status: int, request: Request) -> str:
    if status in (401, 403):
        return f"the platform answered {status}; {_rights(status)}"
    if status == 404:
        return f"the platform does not know {request.path.partition('?')[0]}; check the address in the settings"
    if status == 429:
        return "the platform asks to slow down"
    return f"the platform answered {status} without a reason; try again later"
