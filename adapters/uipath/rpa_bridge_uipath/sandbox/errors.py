"""How Orchestrator says no. docs: uipath.md 5.1 and 5.2"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web


class RefusalError(Exception):
    """An answer that is no success: the status, and the body as the vendor shapes it."""

    def __init__(self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers

    def response(self) -> web.Response:
        """The answer on the wire."""
        return web.json_response(self.body, status=self.status, headers=self.headers)


def refusal(status: int, code: int, message: str) -> RefusalError:
    """The usual shape, with one of the vendor's numbers."""
    return RefusalError(
        status, {"message": message, "errorCode": code, "traceId": None, "resourceIds": None, "details": None}
    )


def not_authenticated() -> RefusalError:
    """The token is missing, unknown or expired. docs: uipath.md 2.7"""
    return refusal(401, 0, "You are not authenticated!")


def scope_missing(have: str, need: str) -> RefusalError:
    """The token is good, but not for this. docs: uipath.md 2.7"""
    return RefusalError(403, {"errorMessage": f"Scope(s) '{have}' is(are) invalid. Expect to have '{need}'"})


def unbound(name: str) -> RefusalError:
    """The body has an unknown member, a wrong type or a wrong wrapper. docs: uipath.md 5.2, code 0"""
    return refusal(400, 0, f"{name} must not be null")


def unknown_path(method: str, path: str) -> RefusalError:
    """There is no such operation here, or not on this server."""
    return refusal(404, 0, f"No HTTP resource matches {method} {path}.")


def invalid_query(reason: str) -> RefusalError:
    """A query option is wrong. docs: uipath.md 4"""
    return refusal(400, 1000, f"Invalid OData query options. {reason}")


def invalid_argument(name: str, reason: str) -> RefusalError:
    """A value that could be read, and that is not allowed. docs: uipath.md 5.2"""
    return refusal(400, 1009, f"Invalid argument '{name}'. {reason}")


def not_found(what: str) -> RefusalError:
    """There is no such thing in this folder. docs: uipath.md 5.2"""
    return refusal(404, 1002, f"{what} does not exist.")


def name_taken(name: str) -> RefusalError:
    """docs: uipath.md 5.2; the status: 5.3"""
    return refusal(409, 1001, f"The name {name} is already used.")


def wrong_state(reason: str) -> RefusalError:
    """What a step is refused with that the state of a thing does not allow. docs: uipath.md 5.2 and 5.3"""
    return refusal(409, 1017, reason)


def folder_required() -> RefusalError:
    """docs: uipath.md 1.3"""
    return refusal(400, 1101, "An organization unit is required for this action.")


def unknown_folder() -> RefusalError:
    """docs: uipath.md 1.3"""
    return refusal(400, 1100, "Folder does not exist or the user does not have access to the folder.")
