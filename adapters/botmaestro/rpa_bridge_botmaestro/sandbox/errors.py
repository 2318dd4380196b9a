"""How BotMaestro says no: a status, and a JSON object with `message` and `details`."""

from __future__ import annotations

from aiohttp import web


class RefusedError(Exception):
    """The request is refused; nothing was changed."""

    def __init__(self, status: int, message: str, details: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details

    def answer(self, timestamp: str, shape: str) -> web.Response:
        """The error in one of the vendor's shapes. docs: botmaestro.md 1 "Error shape" """
        if shape == "text":
            return web.Response(text=self.message, status=self.status)
        body = {"message": self.message}
        if shape == "full":
            body = {"timestamp": timestamp, **body, "details": self.details or self.message}
        return web.json_response(body, status=self.status)


def invalid(message: str, details: str | None = None) -> RefusedError:
    """What a wrong body or parameter is answered."""
    return RefusedError(400, message, details)


def taken(what: str) -> RefusedError:
    """What a label that exists is answered. docs: botmaestro.md 4, `details` as a client reads it"""
    return invalid(f"{what} already exists", "Label already exists")
