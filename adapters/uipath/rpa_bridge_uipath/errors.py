"""What UiPath's failures mean, and what to do about them. docs: uipath.md 2.7, 5.1 and 5.2"""

from __future__ import annotations

from typing import Any

from rpa_bridge.errors import AuthError, ConflictError, DeniedError, InvalidError, NotFoundError, RemoteError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.classify import Explanation

LONGEST = 300
"""Characters of the platform's own sentence that are passed on."""
LONGEST_CODE = 64
EXPLAINED = frozenset({400, 404, 409, 422})
"""Statuses that a code may explain better; any other says by itself whether to come back, and as whom."""

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
    "2304": (ConflictError, "the store of its secret cannot be read: mend it among the tenant's credential stores"),
    "2818": (ConflictError, "assign a machine with an Unattended or NonProduction runtime to the folder"),
}
OAUTH_MENDS: dict[str, str] = {  # docs: uipath.md 2.2
    "invalid_client": "check auth.client_id and auth.client_secret in the settings",
    "unauthorized_client": "allow this way of logging in for the external application",
    "invalid_scope": "check auth.scope: a program's log-in takes application scopes only, a person's user scopes only",
    "invalid_grant": "the user key or its client id is wrong or was revoked; make a new one in the portal",
}
FORM_MENDS: dict[str, str] = {  # docs: uipath.md 2.6; the user key goes as JSON
    "invalid_grant": "the log-in took too long, or has ended; run `rpa-bridge auth login` again",
}
PASSING = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that say nothing of a password: later it may do."""


def explain(request: Request, response: Response, body: Any) -> Explanation | None:
    """UiPath's own word on a failed answer; None where it says nothing that we can read."""
    if not isinstance(body, dict):
        return Explanation(_bare(response.status, request))
    status, error = response.status, body.get("error")
    if isinstance(error, str) and not request.signed and status in (400, 401, 403):
        return _oauth(shown(error, LONGEST_CODE), OAUTH_MENDS if request.form is None else OAUTH_MENDS | FORM_MENDS)
    if body.get("success") is False and not request.signed and status not in PASSING:
        return refused_password(body)
    sentence, code = _sentence(body), _code(body)
    kind, mend = CODES.get(code or "", (None, ""))
    if status == 401 and "scope" in sentence.lower():  # docs: older servers mean a 403 by that, uipath.md 2.7
        return Explanation(f"{sentence}; {_rights(403)}", code=code, kind=DeniedError)
    if status in (401, 403):
        mend = mend or _rights(status)
    told = f"{sentence}; {mend}" if mend else sentence
    return Explanation(told, code=code, kind=kind if status in EXPLAINED else None)


def refused_password(body: dict[str, Any]) -> Explanation:
    """What an older server's envelope says of a log-in that it refuses, whatever its status. docs: uipath.md 2.4"""
    mend = "check auth.username, auth.password and tenant in the settings"
    return Explanation(f"the server refuses the log-in: {_sentence(body)}; {mend}", kind=AuthError)


def _oauth(error: str, mends: dict[str, str]) -> Explanation:
    mend = mends.get(error, "check auth in the settings")
    return Explanation(f"the identity server refuses the log-in ({error}); {mend}", code=error, kind=AuthError)


def _sentence(body: dict[str, Any]) -> str:
    for holder, name in (
        (body, "message"),
        (body, "Message"),
        (body, "errorMessage"),
        (_nested(body), "message"),
        (body, "title"),
        (body, "StatusDescription"),
        (body, "error"),
    ):
        text = holder.get(name)
        if isinstance(text, str) and text.strip():
            return shown(text, LONGEST).rstrip(".") + _members(body.get("errors"))
    return "the platform refused without a reason"


def _members(errors: Any) -> str:
    """The members that a validation error names. docs: uipath.md 5.1, shape 5"""
    named = ", ".join(errors) if isinstance(errors, dict) else ""
    return f" (look at {shown(named, LONGEST_CODE)})" if named else ""


def _code(body: dict[str, Any]) -> str | None:
    for holder, name in ((body, "errorCode"), (body, "ErrorCode"), (body, "StatusCode"), (_nested(body), "code")):
        if isinstance(holder.get(name), int | str):
            return shown(str(holder[name]), LONGEST_CODE)
    return None


def _nested(body: dict[str, Any]) -> dict[str, Any]:
    error = body.get("error")
    return error if isinstance(error, dict) else {}


def shown(text: str, longest: int) -> str:
    """The platform's text on one line, cut, and without the secrets that it may have given back."""
    return REDACTOR.line(" ".join(text.split()))[:longest]


def _rights(status: int) -> str:
    if status == 401:
        return "the token was refused; check auth in the settings, or `rpa-bridge auth clear`"
    return "give this identity the scope and the folder role for it"


def _bare(status: int, request: Request) -> str:
    if request.content is not None or request.streamed:
        return _storage(status)
    if status in (401, 403):
        return f"the platform answered {status}; {_rights(status)}"
    if status == 404:
        path = request.path.partition("?")[0]
        return f"the platform does not know {path}: it is not in this folder, or the address in the settings is wrong"
    if status == 429:
        return "the platform asks to slow down"
    mend = "try again later" if status >= 500 else "check what was asked for, and the address in the settings"
    return f"the platform answered {status} without a reason; {mend}"


def _storage(status: int) -> str:
    """What a server of files meant, which speaks neither JSON nor our platform's codes. docs: uipath.md 2.7"""
    if status == 404:
        return "the file's content is not in the storage; it may have been deleted meanwhile"
    if status in (401, 403):
        return f"the storage refused the address that the platform gave ({status}); ask again, it may have run out"
    return f"the storage answered {status}; try again later"
