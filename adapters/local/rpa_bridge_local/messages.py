"""Messages: an offline platform has no post; they are kept in its outbox, the table `messages`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rpa_bridge.clock import Clock
from rpa_bridge.contract.messages import MessageService
from rpa_bridge.errors import InvalidError

from . import mapping
from .database import Database


class LocalMessages(MessageService):
    """The outbox."""

    def __init__(self, adapter_name: str, clock: Clock, database: Database) -> None:
        super().__init__(adapter_name, clock)
        self._database = database

    async def send(
        self,
        subject: str,
        body: str,
        *,
        emails: Sequence[str] = (),
        users: Sequence[str] = (),
        group: str | None = None,
        html: bool = False,
    ) -> None:
        if not (emails or users or group):
            raise InvalidError("a message needs somebody to go to; name emails, users or a group")
        recipients = json.dumps({"emails": list(emails), "users": list(users), "group": group})
        values = (subject, body, html, recipients, mapping.moment_text(self.clock.now()))
        await self._database.write(
            lambda db: db.execute(
                "INSERT INTO messages (subject, body, html, recipients, at) VALUES (?, ?, ?, ?, ?)", values
            )
        )
