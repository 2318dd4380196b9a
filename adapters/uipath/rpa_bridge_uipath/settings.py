"""What a connection to UiPath Orchestrator needs to know."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from rpa_bridge.auth.token import is_usable
from rpa_bridge.contract.adapter import AdapterSettings
from rpa_bridge.errors import ConfigError
from rpa_bridge.transport.addresses import checked_base
from rpa_bridge.transport.budgets import Rate
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.reconcile import SETTLE_WINDOW

CLOUD_RATE = 15.0
"""Requests a second on Automation Cloud, where the settings name no other. docs: reliability paper 2.3"""
CLOUD_LISTS = 90
"""A tenth below what the cloud allows a tenant a minute. docs: uipath.md 5.4"""
USER_SCOPES = "OR.Folders OR.Execution OR.Jobs OR.Queues OR.Assets"
"""User scopes, where the settings name none: `OR.Default` is for programs only. docs: uipath.md 2.2"""
REDIRECT_URL = "http://127.0.0.1:12700"
_REDIRECT = re.compile(r"http://(?:127\.0\.0\.1|localhost):[1-9][0-9]{0,4}(?:/[\w.~/-]*)?", re.ASCII)


class _Auth(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class ClientCredentials(_Auth):
    """An external application with a secret. docs: uipath.md 2.2"""

    type: Literal["client_credentials"]
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    scope: str = "OR.Default"
    """Application scopes, separated by spaces."""

    @property
    def identity(self) -> str:
        """Who logs in, as people know it."""
        return f"client id {self.client_id}"


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

    @property
    def identity(self) -> str:
        """Who logs in, as people know it."""
        return f"client id {self.client_id}"


class PersonalAccessToken(_Auth):
    """A token that a person made in the portal. docs: uipath.md 2.3"""

    type: Literal["pat"]
    token: SecretStr

    @field_validator("token")
    @classmethod
    def _sendable(cls, value: SecretStr) -> SecretStr:
        if not is_usable(value.get_secret_value()):
            raise ConfigError("auth.token is empty, or holds what no token holds (a blank, a line break); copy it anew")
        return value

    @property
    def identity(self) -> str:
        """Who logs in, as people know it."""
        return "personal access token"


class Password(_Auth):
    """A user of a server on premises. docs: uipath.md 2.4"""

    type: Literal["password"]
    username: str = Field(min_length=1)
    """The user's name or e-mail address."""
    password: SecretStr

    @property
    def identity(self) -> str:
        """Who logs in, as people know it."""
        return f"user {self.username}"


class AuthorizationCode(_Auth):
    """An external application in whose name people log in with a browser. docs: uipath.md 2.6"""

    type: Literal["authorization_code"]
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    """None for an application without one, which is what a program on a person's machine should use."""
    scope: str = USER_SCOPES
    """User scopes, separated by spaces."""
    redirect_url: str = REDIRECT_URL
    """Where the browser comes back: on this machine, letter by letter as the application has it in the portal."""

    @field_validator("redirect_url")
    @classmethod
    def _on_this_machine(cls, value: str) -> str:
        if not _REDIRECT.fullmatch(value):
            raise ConfigError(
                f"auth.redirect_url must be an address of this machine with a port, such as {REDIRECT_URL}, "
                f"and the application must have it in the portal"
            )
        return value

    @property
    def identity(self) -> str:
        """Who logs in, as people know it."""
        return f"a person, with client id {self.client_id}"


AskedFor = ClientCredentials | RefreshToken | Password | AuthorizationCode
"""The ways in which a token is asked for."""


class UiPathSettings(AdapterSettings):
    """`url` goes up to and including `orchestrator_`, or is the root of an on-premises server."""

    url: str
    identity_url: str | None = None
    """Where tokens are asked for; None derives it from `url`."""
    tenant: str | None = None
    """On-premises and legacy cloud only: sent as X-UIPATH-TenantName."""
    folder: str | Annotated[int, Field(strict=True, gt=0)] | None = None
    """The folder's path, id or key."""
    robot_key: SecretStr | None = None
    """The key (a GUID) of a robot that belongs to this identity: with it, credentials of the folder are revealed."""
    auth: Annotated[AskedFor | PersonalAccessToken, Field(discriminator="type")]
    lists_a_minute: int = Field(default=CLOUD_LISTS, gt=2)
    """Lists of jobs, and as many of queue items, that all processes of this machine ask the cloud for in a minute."""
    storage_hosts: tuple[str, ...] = ()
    """Hosts of your own file storage, as shell patterns; Orchestrator's own and those of the big clouds are known."""
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

    @model_validator(mode="after")
    def _fits_the_edition(self) -> Self:
        if isinstance(self.auth, Password):
            if self.is_cloud:
                raise ConfigError(
                    "auth.type is only for servers on premises; on Automation Cloud use 'client_credentials' for "
                    "programs, 'authorization_code' or 'pat' for people"
                )
            if not self.tenant:
                raise ConfigError("tenant is missing; this auth.type needs it, 'default' where nobody gave another")
        return self

    @property
    def identity(self) -> str:
        """The identity server's address: as set, or where this edition has it. docs: uipath.md 2.2"""
        if self.identity_url:
            return self.identity_url
        parts = urlsplit(self.url)
        below_a_tenant = len(parts.path.strip("/").split("/")) >= 2
        return f"{parts.scheme}://{parts.netloc}/{'identity_' if below_a_tenant else 'identity'}"

    @property
    def place(self) -> str:
        """The part of the platform that the connection speaks to, as people know it."""
        parts = (self.url, self.tenant and f"tenant {self.tenant}", self.folder and f"folder {self.folder}")
        return ", ".join(str(part) for part in parts if part)

    @property
    def rate(self) -> float | None:
        """Requests a second unless `http.rate` says otherwise: only the cloud counts them."""
        return CLOUD_RATE if self.is_cloud else None

    @property
    def list_rates(self) -> dict[str, Rate]:
        """Of collections whose lists the cloud counts: a third of a minute's share may go at once."""
        if not self.is_cloud:
            return {}
        burst = self.lists_a_minute // 3
        rate = Rate((self.lists_a_minute - burst) / 60, burst)
        return {"Jobs": rate, "QueueItems": rate}

    @property
    def own_storage(self) -> tuple[str, ...]:
        """The hosts, as shell patterns, that files are moved to and from wherever they are."""
        return (urlsplit(self.url).hostname or "", *self.storage_hosts)

    @property
    def is_cloud(self) -> bool:
        """Whether it is UiPath's own Automation Cloud."""
        return (urlsplit(self.url).hostname or "").endswith((".uipath.com", ".uipath.us"))
