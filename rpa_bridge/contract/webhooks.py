"""Webhooks: addresses that the platform calls when something happens (UiPath: webhook · BotMaestro: none)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .features import Feature, Service, optional
from .model import Named

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Named):
    """An address that is called. `events` are the platform's own names; empty means all."""

    url: str
    events: tuple[str, ...] = ()
    enabled: bool = True


class WebhookService(Service):
    """Be told, instead of asking. Deliveries may be lost: take them as a hint to look."""

    noun = "webhooks"

    @optional(Feature.WEBHOOK_FIND)
    def find(self) -> AsyncIterator[Webhook]:
        """All webhooks."""
        raise NotImplementedError

    @optional(Feature.WEBHOOK_CREATE)
    async def create(
        self, name: str, url: str, *, events: Sequence[str] = (), secret: SecretStr | None = None
    ) -> Webhook:
        """The new webhook; `secret` signs its deliveries. Raises ConflictError when the name is taken."""
        raise NotImplementedError

    @optional(Feature.WEBHOOK_DELETE)
    async def delete(self, name: str) -> None:
        """Deletes the webhook. Raises NotFoundError."""
        raise NotImplementedError

    @optional(Feature.WEBHOOK_PING)
    async def ping(self, name: str) -> None:
        """Asks the platform to call the address once, for a test. Raises NotFoundError."""
        raise NotImplementedError
