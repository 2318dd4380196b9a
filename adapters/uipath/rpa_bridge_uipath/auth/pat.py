"""A personal access token: nothing is asked for, and nothing mends it but a new one. docs: uipath.md 2.3"""

from __future__ import annotations

from typing import Any

from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.classify import Explanation
from rpa_bridge_uipath.errors import explain


def explain_with_pat(request: Request, response: Response, body: Any) -> Explanation | None:
    """UiPath's own word on a failed answer; on a 401, what to do about the token."""
    if response.status == 401 and request.signed:
        return Explanation(
            "the personal access token is not good, or no longer; make a new one in the portal, with the scopes that "
            "it needs, and put it into auth.token"
        )
    return explain(request, response, body)
