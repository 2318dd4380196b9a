"""What a connection to BotCity BotMaestro needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from rpa_bridge.auth.token import is_usable
from rpa_bridge.contract.adapter import AdapterSettings
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.transport.addresses import checked_base
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.reconcile import SETTLE_WINDOW

CLOUD_RATE = 10.0
"""Requests a second on BotCity's own servers, whose limits are not published. docs: reliability paper 2.3"""


class WorkspaceSettings(AdapterSettings):
    """What is needed whoever logs in."""

    server: str
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


class BotMaestroSettings(WorkspaceSettings):
    """`server`, `login` and `key` are those of the workspace's developer page."""

    login: str = Field(min_length=1)
    key: SecretStr = Field(min_length=1)

    @property
    def identity(self) -> str:
        """Who logs in, as people know it."""
        return f"login {self.login}"

    @property
    def place(self) -> str:
        """The workspace that the connection speaks to, as people know it."""
        return f"{self.server}, workspace {self.login}"


class RunnerSettings(WorkspaceSettings):
    """What BotCity's Runner hands to the bot of a task: a token, and no key to get another. docs: botmaestro.md 1"""

    task: str
    token: SecretStr
    organization: str

    @property
    def identity(self) -> str:
        """Who logs in, as people know it."""
        return f"the Runner's token for task {self.task}"

    @property
    def place(self) -> str:
        """The workspace that the connection speaks to, as people know it."""
        return f"{self.server}, workspace {self.organization}"

    @classmethod
    def read(cls, arguments: Sequence[str], http: HttpOptions) -> Self | None:
        """The settings in `server task_id token organization`, of which the last may be missing; None for all else.

        What follows is ignored. Raises ConfigError for a server that may not be spoken to.
        """
        if len(arguments) < 3 or not arguments[0].startswith(("https://", "http://")):
            return None
        server, task, token, organization, *_ = *arguments, ""
        REDACTOR.add(token, lasting=True)
        if not (task.isascii() and task.isdigit() and is_usable(token)):
            return None
        return cls(server=server, task=task, token=SecretStr(token), organization=organization, http=http)
