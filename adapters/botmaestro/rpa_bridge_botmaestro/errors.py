"""What BotMaestro's failures mean, and what to do about them. docs: botmaestro.md 1 "Error shape" """

from __future__ import annotations

from typing import Any

from rpa_bridge.errors import AuthError, ConflictError, RemoteError
from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.classify import Explanation

from .auth import LOGIN

LONGEST = 300
"""Characters of the platform's own sentence that are passed on."""
LABEL_TAKEN = "label already exists"


def explain(request: Request, response: Response, body: Any) -> Explanation | None:
    """BotMaestro's own word on a failed answer: `message` and `details`, or a text."""
    status = response.status
    if request.operation == LOGIN and 400 <= status < 500 and status != 429:
        # docs: any failure status is possible for a wrong login, botmaestro.md 2
        return Explanation("the server refuses the log-in; check login and key in the settings", kind=AuthError)
    sentence = _sentence(body) or f"the platform answered {status} without a reason"
    kind: type[RemoteError] | None = None
    if LABEL_TAKEN in sentence.lower():
        kind, sentence = ConflictError, f"{sentence}; choose another label"
    if status == 401:
        sentence += "; the token was refused: check login and key in the settings, or `rpa-bridge auth clear`"
    if status == 403:
        sentence += "; give this user the right in the workspace"
    return Explanation(sentence, kind=kind)


def _sentence(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    said = [body.get(name) for name in ("message", "details")]
    texts = [" ".join(text.split()).rstrip(".") for text in said if isinstance(text, str) and text.strip()]
    return ": ".join(dict.fromkeys(texts))[:LONGEST]
