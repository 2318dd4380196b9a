"""What a connection to BotCity BotMaestro needs to know."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from rpa_bridge.contract.adapter import AdapterSettings
from rpa_bridge.transport.addresses import checked_base
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.reconcile import SETTLE_WINDOW

CLOUD_RATE = 10.0
"""Requests a second on BotCity's own servers, whose limits are not published. docs: reliability paper 2.3"""


class BotMaestroSettings(AdapterSettings):
    """`server`, `login` and `key` are those of the workspace's developer page."""

    server: str
    login: str = Field(min_length=1)
    key: SecretStr = Field(min_length=1)
    key_days: int = Field(default=30, gt=0)
    """How many days back a start's key is looked for."""
    settle_window: float = Field(default=SETTLE_WINDOW, ge=0)
    """Seconds in which a request whose answer was lost may still arrive."""
    http: HttpOptions = HttpOptions()

    @field_validator("server")
    @classmethod
    def _base(cls, value: str) -> str:
        return checked_base(value, "server").removesuffix("/api/v2").rstrip("/")

    @property
    def rate(self) -> float | None:
        """Requests a second unless `http.rate` says otherwise."""
        host = urlsplit(self.server).hostname or ""
        return CLOUD_RATE if host.endswith(".botcity.dev") else None
