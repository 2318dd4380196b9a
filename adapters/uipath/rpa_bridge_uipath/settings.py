"""What a connection to UiPath Orchestrator needs to know."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from rpa_bridge.contract.adapter import AdapterSettings
from rpa_bridge.transport.addresses import checked_base
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.reconcile import SETTLE_WINDOW

CLOUD_RATE = 15.0
"""Requests a second on Automation Cloud, where the settings name no other. docs: reliability paper 2.3"""


class _Auth(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ClientCredentials(_Auth):
    """An external application with a secret. docs: uipath.md 2.2"""

    type: Literal["client_credentials"]
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    scope: str = "OR.Default"
    """Application scopes, separated by spaces."""


class RefreshToken(_Auth):
    """The older "API access" of the cloud: a client id and a user key. docs: uipath.md 2.1"""

    type: Literal["refresh_token"]
    client_id: str = Field(min_length=1)
    refresh_token: SecretStr
    """The user key."""
    url: str = "https://account.uipath.com/oauth/token"

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return checked_base(value, "auth.url")


class UiPathSettings(AdapterSettings):
    """`url` goes up to and including `orchestrator_`, or is the root of an on-premises server."""

    url: str
    identity_url: str | None = None
    """Where tokens are asked for; None derives it from `url`."""
    tenant: str | None = None
    """On-premises and legacy cloud only: sent as X-UIPATH-TenantName."""
    folder: str | Annotated[int, Field(strict=True, gt=0)] | None = None
    """The folder's path, id or key."""
    auth: Annotated[ClientCredentials | RefreshToken, Field(discriminator="type")]
    settle_window: float = Field(default=SETTLE_WINDOW, ge=0)
    """Seconds in which a start whose answer was lost may still arrive."""
    http: HttpOptions = HttpOptions()

    @field_validator("url")
    @classmethod
    def _base(cls, value: str) -> str:
        return checked_base(value, "url").removesuffix("/odata")

    @field_validator("identity_url")
    @classmethod
    def _identity(cls, value: str | None) -> str | None:
        return None if value is None else checked_base(value, "identity_url")

    @property
    def identity(self) -> str:
        """The identity server's address: as set, or where this edition has it. docs: uipath.md 2.2"""
        if self.identity_url:
            return self.identity_url
        parts = urlsplit(self.url)
        below_a_tenant = len(parts.path.strip("/").split("/")) >= 2
        return f"{parts.scheme}://{parts.netloc}/{'identity_' if below_a_tenant else 'identity'}"

    @property
    def rate(self) -> float | None:
        """Requests a second unless `http.rate` says otherwise: only the cloud counts them."""
        host = urlsplit(self.url).hostname or ""
        return CLOUD_RATE if host.endswith((".uipath.com", ".uipath.us")) else None
