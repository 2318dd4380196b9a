"""Webhooks in neutral words. docs: uipath.md 3.17"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rpa_bridge.contract.webhooks import Webhook
from rpa_bridge_uipath.wire.webhooks import WebhookDto


def webhook(dto: WebhookDto) -> Webhook:
    """The webhook in neutral words; not even its masked secret goes along. Servers of old know no names."""
    return Webhook(
        id=str(dto.Id),
        name=dto.Name or dto.Url,
        url=dto.Url,
        events=() if dto.SubscribeToAllEvents else tuple(one.EventType for one in dto.Events or ()),
        enabled=dto.Enabled is not False,
        raw_data={name: value for name, value in dto.raw.items() if name != "Secret"},
    )


def new(name: str, url: str, events: Sequence[str], secret: str | None) -> dict[str, Any]:
    """The body that makes a webhook."""
    body: dict[str, Any] = {
        "Name": name,
        "Url": url,
        "Enabled": True,
        "SubscribeToAllEvents": not events,
        "AllowInsecureSsl": False,
    }
    if events:
        body["Events"] = [{"EventType": one} for one in events]
    return body if secret is None else body | {"Secret": secret}
