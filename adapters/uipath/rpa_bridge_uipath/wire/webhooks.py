"""Webhooks. docs: uipath.md 3.17"""

from __future__ import annotations

from rpa_bridge.transport.decode import WireModel

from .lists import Numbered


class WebhookEventDto(WireModel):
    """A type of events."""

    EventType: str


class WebhookDto(Numbered):
    """An address that is called. Its secret comes out masked."""

    Name: str | None = None
    Url: str
    Enabled: bool | None = None
    SubscribeToAllEvents: bool | None = None
    Events: list[WebhookEventDto] | None = None
