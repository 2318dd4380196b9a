"""Messages: e-mail that the platform sends (UiPath: none · BotMaestro: message)."""

from __future__ import annotations

from collections.abc import Sequence

from .features import Feature, Service, optional


class MessageService(Service):
    """Write to people, through the platform."""

    noun = "messages"

    @optional(Feature.MESSAGE_SEND)
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
        """Sends a message. Never repeated after an uncertain answer."""
        raise NotImplementedError
