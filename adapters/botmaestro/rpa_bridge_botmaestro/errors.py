"""What BotMaestro's failures mean, and what to do about them. docs: botmaestro.md 1 "Error shape" """

from __future__ import annotations

from typing import Any

from rpa_bridge.errors import AuthError, ConflictError, RemoteError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.classify import Explanation

from .wire.auth import LOGIN

LONGEST = 300
"""Characters of the platform's own sentence that are passed on."""
OF_THE_MOMENT = frozenset({408, 425, 429})
"""Statuses that say nothing of login and key: later they may do."""
LABEL_TAKEN = "label already exists"
TAKEN = frozenset({400, 409, 422})
"""Statuses with which a label may be refused."""


def explain(request: Request, response: Response, body: Any) -> Explanation | None:
    """BotMaestro's own word on a failed answer: `message` and `details`, or a text."""
    status = response.status
    if request.operation == LOGIN and 400 <= status < 500 and status not in OF_THE_MOMENT:
        # docs: any failure status is possible for a wrong login, botmaestro.md 2
        return Explanation("the server refuses the log-in; check login and key in the settings", kind=AuthError)
    sentence = _sentence(response, body) or f"the platform answered {status} without a reason"
    kind: type[RemoteError] | None = None
    if status in TAKEN and LABEL_TAKEN in sentence.lower():
        kind, sentence = ConflictError, f"{sentence}; choose another label"
    if status == 401:
        sentence += "; the token was refused: check login and key in the settings, or `rpa-bridge auth clear`"
    if status == 403:
        sentence += "; give this user the right in the workspace"
    return Explanation(sentence, kind=kind)


def _sentence(response: Response, body: Any) -> str:
    said = [body.get("message"), body.get("details")] if isinstance(body, dict) else [_text(response, body)]
    texts = [" ".join(text.split()).rstrip(".") for text in said if isinstance(text, str) and text.strip()]
    return REDACTOR.line(": ".join(dict.fromkeys(texts)))[:LONGEST]


def _text(response: Response, body: Any) -> str:
    """A body that is no object. docs: bodies may be plain text, botmaestro.md 1 "Error shape" """
    if isinstance(body, str):
        return body
    text = response.body.decode("utf-8", "replace").strip() if response.media_type == "text/plain" else ""
    return "" if text.startswith("<") else text
