"""An adapter: one connection to one platform."""

from __future__ import annotations

import random
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from pydantic import BaseModel, ConfigDict

from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.errors import ConfigError, UnsupportedError
from rpa_bridge.transport.base import Request, Response, Transport
from rpa_bridge.transport.call import apart
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.outbox import Intent, Outbox

from .alerts import AlertService
from .artifacts import ArtifactService
from .assets import AssetService
from .automations import AutomationService
from .credentials import CredentialService
from .features import Feature, Limits, Service, features_of
from .folders import FolderService
from .incidents import IncidentService
from .jobs import JobService
from .logs import LogService
from .messages import MessageService
from .model import Neutral
from .queues import QueueService
from .robots import RobotService
from .schedules import ScheduleService
from .webhooks import WebhookService

if TYPE_CHECKING:
    from rpa_bridge.auth.stores import TokenStore

CONTRACT = 1
"""Raised when an adapter written against an older contract would no longer work."""

SERVICES: tuple[type[Service], ...] = (
    AutomationService,
    JobService,
    QueueService,
    AssetService,
    CredentialService,
    ArtifactService,
    RobotService,
    LogService,
    AlertService,
    IncidentService,
    MessageService,
    FolderService,
    ScheduleService,
    WebhookService,
)
"""Every noun, in the order in which people meet them."""


class AdapterSettings(BaseModel):
    """What a connection needs to know. Unknown keys are refused; values are never shown in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterInfo:
    """What is known of an adapter without opening it."""

    name: str
    title: str
    contract: int = CONTRACT
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterContext:
    """What the core lends to an adapter."""

    connection: str
    """The connection's name in the settings."""
    clock: Clock = field(default_factory=SystemClock)
    random: random.Random = field(default_factory=random.Random)
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    """A name that nobody else uses. Not from `random`: two forks of a process would draw the same."""
    cache_dir: Path | None = None
    """Where locks and budgets are shared with other processes; None keeps them in memory."""
    token_store: TokenStore | None = None
    """Where tokens are shared with other processes; None keeps them in memory."""
    outbox: Outbox | None = None
    """Where effects are written down before they are sent; None writes none down."""


LookUp = Callable[[Intent], Awaitable[tuple[str, ...] | None]]
"""The ids of what an intent has made; empty where there is none, None where that can no longer be found out."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do, and how much of it."""

    features: frozenset[Feature]
    limits: Limits

    def __contains__(self, feature: Feature) -> bool:
        return feature in self.features

    def __and__(self, other: Capabilities) -> Capabilities:
        """What both can do."""
        return Capabilities(self.features & other.features, self.limits & other.limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Neutral):
    """One thing that `check` looked at; when it is not well, `message` names the mend."""

    subject: str
    ok: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginStatus(Neutral):
    """Who we are to the platform, and for how long; never the token."""

    identity: str
    state: str
    """"absent", "fresh", "aging", "stale", "expired", or "fixed": good until somebody withdraws it."""
    way: str = ""
    """How one logs in, in the settings' own word; empty where there is only one way."""
    scopes: tuple[str, ...] = ()
    obtained_at: datetime | None = None
    expires_at: datetime | None = None
    stored: str = "memory"
    """Where the token is kept: "memory", "file" or "settings"."""
    refresh_kept: bool = False
    """Whether a refresh token is kept, which gets the next token without the person."""
    refresh_until: datetime | None = None
    """When that ends, if it is known."""


class KeptToken(Protocol):
    """What is known of a token without asking the platform; `auth.tokens.TokenStatus` is one."""

    @property
    def state(self) -> str: ...
    @property
    def scopes(self) -> tuple[str, ...]: ...
    @property
    def obtained_at(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def stored(self) -> str: ...
    @property
    def refresh_kept(self) -> bool: ...
    @property
    def refresh_until(self) -> datetime | None: ...


class Login(Protocol):
    """Where an adapter's token is kept; `auth.tokens.TokenCache` is one."""

    async def status(self) -> KeptToken:
        """What is known of the token; nothing is sent."""

    async def fetch_anew(self) -> None:
        """Logs in at once, whatever was known. Raises RemoteError."""

    async def forget(self) -> None:
        """Forgets the token, here and for all processes that share the cache."""


class AbsentTransport:
    """The `raw` door of a platform that has no wire."""

    def __init__(self, adapter_name: str) -> None:
        self._adapter_name = adapter_name

    async def send(self, request: Request) -> Response:
        raise UnsupportedError(f"raw requests ({request.operation})", adapter=self._adapter_name)

    async def aclose(self) -> None:
        return None


class Adapter(ABC):
    """One connection to one platform. Opening it sends nothing; the first call logs in.

    A noun that is not handed to the constructor is absent: it refuses every verb.
    """

    info: ClassVar[AdapterInfo]
    settings_model: ClassVar[type[AdapterSettings]]

    automations: AutomationService
    jobs: JobService
    queues: QueueService
    assets: AssetService
    credentials: CredentialService
    artifacts: ArtifactService
    robots: RobotService
    logs: LogService
    alerts: AlertService
    incidents: IncidentService
    messages: MessageService
    folders: FolderService
    schedules: ScheduleService
    webhooks: WebhookService
    raw: Transport
    """The one honest door to what only this vendor has: signed, paced, retried."""
    place: str
    """The platform, and the part of it, that this connection speaks to; never a secret."""
    settle_window: float
    """Seconds after which a request whose answer was lost can no longer be carried out."""
    current_job: str | None
    """The id of the job that this very program runs: known to what `Bridge.from_runner_args` opened, else None."""

    def __init__(
        self,
        context: AdapterContext,
        *services: Service,
        raw: Transport | None = None,
        login: Login | None = None,
        identity: str = "",
        way: str = "",
        current_job: str | None = None,
        place: str = "",
        settle_window: float = 0.0,
        look_ups: Mapping[str, LookUp] | None = None,
    ) -> None:
        """`identity` says who logs in, as people know it, and `way` how, where there are several; never a secret.

        `place` and `settle_window` are those of `transport.effects.Effects`; `look_ups` has, by operation, what can
        be found.
        """
        self.connection = context.connection
        self.raw = raw or AbsentTransport(self.info.name)
        self.current_job = current_job
        self.place, self.settle_window = place, settle_window
        self._login, self._identity, self._way = login, identity, way
        self._look_ups = look_ups or {}
        for noun in SERVICES:
            given = next((one for one in services if isinstance(one, noun)), None)
            setattr(self, noun.noun, given or noun.absent(self.info.name))

    @classmethod
    @abstractmethod
    def open(cls, settings: Any, context: AdapterContext) -> Self:
        """The adapter, put together from an instance of `settings_model`; nothing is sent."""

    @classmethod
    def from_runner_args(
        cls,
        arguments: Sequence[str],  # noqa: ARG003 - for those who override it
        http: HttpOptions,  # noqa: ARG003
    ) -> AdapterSettings | None:
        """What `open` takes, for the arguments with which this platform's runner starts a program; None for any others.

        `arguments` come without the program's name. A token among them is told to the redactor before anything else.
        """
        return None

    @abstractmethod
    async def check(self) -> list[Finding]:
        """What a person should know before relying on this connection. The only verb that probes; raises nothing."""

    async def login_status(self) -> LoginStatus | None:
        """Who we are and for how long, without asking the platform; None where nobody logs in."""
        if self._login is None:
            return None
        kept = await self._login.status()
        return LoginStatus(
            identity=self._identity,
            state=kept.state,
            way=self._way,
            scopes=kept.scopes,
            obtained_at=kept.obtained_at,
            expires_at=kept.expires_at,
            stored=kept.stored,
            refresh_kept=kept.refresh_kept,
            refresh_until=kept.refresh_until,
        )

    async def log_in(self, show: Callable[[str], None]) -> None:  # noqa: ARG002 - for those who override it
        """Lets a person log in with a browser; what that gives is kept for all processes that share the cache.

        `show` is told the address that the person is to open. Raises UnsupportedError where this connection logs in by
        itself, AuthError when the person or the platform says no, or nobody comes back in time.
        """
        raise UnsupportedError("interactive log-in", adapter=self.info.name, hint="this connection logs in by itself")

    async def fetch_login(self) -> None:
        """Logs in at once with what the settings hold, whatever token or refusal was kept. Raises RemoteError."""
        if self._login is None:
            raise UnsupportedError("logins", adapter=self.info.name, hint="there is nobody to log in")
        await self._login.fetch_anew()

    async def forget_login(self) -> None:
        """Forgets the kept token, here and for all processes that share the cache."""
        if self._login is None:
            raise UnsupportedError("logins", adapter=self.info.name, hint="there is nothing to forget")
        await self._login.forget()

    async def look_up(self, intent: Intent) -> tuple[str, ...] | None:
        """The ids of what an effect of this connection has made, by one look; None where it cannot be looked up.

        Empty only where it is surely not there now. Raises RemoteError, and ConfigError when the connection speaks to
        another platform or folder by now.
        """
        if intent.place != self.place:
            raise ConfigError(
                f"it was sent to {intent.place}, and {self.connection!r} in these settings is {self.place}; "
                f"use the settings that it was sent with"
            )
        look_up = self._look_ups.get(intent.operation)
        if look_up is None or not (intent.subject and intent.key):
            return None
        with apart():
            return await look_up(intent)

    async def aclose(self) -> None:
        """Gives back what is held open."""
        await self.raw.aclose()

    @property
    def services(self) -> list[Service]:
        """Every noun, absent ones included."""
        return [getattr(self, noun.noun) for noun in SERVICES]

    @property
    def capabilities(self) -> Capabilities:
        """What this connection can do: read off the code, together with the declared limits."""
        offered = frozenset[Feature]().union(*(features_of(type(one)) for one in self.services))
        return Capabilities(offered, self.info.limits)
