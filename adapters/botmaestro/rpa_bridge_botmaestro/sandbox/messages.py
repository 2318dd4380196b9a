"""E-mail: taken and kept, never sent. docs: botmaestro.md 5"""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from .backend import Backend, Body, Route
from .errors import invalid
from .records import Message, MessageType

MOST_RECIPIENTS = 50


class NewMessage(Body):
    """Python sends one `group` as text, C# a list of `groups`, JavaScript neither."""

    emails: list[str] = Field(default_factory=list)
    logins: list[str] = Field(default_factory=list)
    subject: str
    body: str
    type: MessageType
    group: str = ""
    groups: list[str] = Field(default_factory=list)


class Messages:
    """What would have been sent; there is no route to read it, the sandbox's control shows it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        return [Route("POST", "/message", self._send)]

    async def _send(self, request: web.Request) -> web.Response:
        """Exactly 200, with a text. docs: botmaestro.md 5"""
        new = await self._backend.read(request, NewMessage)
        if len(new.emails) + len(new.logins) > MOST_RECIPIENTS:
            raise invalid(f"A message has {MOST_RECIPIENTS} recipients at most")
        groups = [*([new.group] if new.group else []), *new.groups]
        message = Message(**new.model_dump(exclude={"group", "groups"}), groups=groups, date=self._backend.now())
        self._backend.state.messages.append(message)
        return web.Response(text="Message sent")
