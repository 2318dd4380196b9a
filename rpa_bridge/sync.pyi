from collections.abc import AsyncIterable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

from pydantic import SecretStr

from rpa_bridge.bridge import FROM_SETTINGS, CacheDir
from rpa_bridge.clock import Clock
from rpa_bridge.contract.adapter import AdapterInfo, AdapterSettings, Capabilities, Finding, LoginStatus
from rpa_bridge.contract.alerts import Alert
from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.assets import Asset, AssetValue
from rpa_bridge.contract.automations import Automation, AutomationSchema, Package
from rpa_bridge.contract.credentials import Credential, RevealedCredential
from rpa_bridge.contract.folders import Folder
from rpa_bridge.contract.incidents import Incident
from rpa_bridge.contract.jobs import ItemCounts, Job, JobOutcome, JobState
from rpa_bridge.contract.logs import Log, LogEntry
from rpa_bridge.contract.model import Priority, Severity
from rpa_bridge.contract.queues import (
    AddResult,
    AddSummary,
    Drafts,
    Failure,
    Item,
    ItemDraft,
    ItemState,
    Queue,
    QueueDraft,
    QueueStats,
)
from rpa_bridge.contract.robots import Machine, Robot
from rpa_bridge.contract.schedules import Schedule
from rpa_bridge.contract.webhooks import Webhook
from rpa_bridge.helpers.reconciling import Reconciled
from rpa_bridge.settings import Settings
from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.outbox import Intent

# Made by tools/generate_sync_stub.py from the contract; change that, and run it again.

STREAMING: frozenset[str]

class Service:
    """What all nouns share: whose they are, and a clock."""

    adapter_name: str
    clock: Clock
    noun: str
    is_absent: bool

class AlertService(Service):
    """Tell people, through the platform."""

    def send(self, title: str, message: str, *, severity: Severity = Severity.INFO, job: str | None = None) -> None:
        """Raises an alert. Never repeated after an uncertain answer."""

    def find(self, *, job: str | None = None) -> Generator[Alert]:
        """Alerts, newest first."""

class ArtifactService(Service):
    """Find, read and write files; nothing is ever held in memory whole."""

    def find(self, *, container: str | None = None, job: str | None = None) -> Generator[Artifact]:
        """Files, in the platform's order."""

    def open(self, artifact: Artifact | str) -> AbstractContextManager[Generator[bytes]]:
        """The file's content in pieces, for the length of a block. Raises NotFoundError on entry."""

    def upload(
        self,
        name: str,
        content: Iterator[bytes] | AsyncIterable[bytes] | bytes,
        *,
        size: int | None = None,
        container: str | None = None,
        job: str | None = None,
    ) -> Artifact:
        """The file, once the platform holds it whole. `size` in bytes is needed where content is a stream."""

    def delete(self, artifact: Artifact | str) -> None:
        """Deletes the file. Raises NotFoundError."""

class AssetService(Service):
    """Read and write shared settings."""

    def get(self, name: str) -> Asset:
        """The asset. Raises NotFoundError."""

    def find(self) -> Generator[Asset]:
        """All assets that are not secrets."""

    def put(self, name: str, value: AssetValue, *, description: str | None = None) -> Asset:
        """The asset, made or changed. Raises ConflictError when it exists with another type."""

    def delete(self, name: str) -> None:
        """Deletes the asset. Raises NotFoundError."""

class AutomationService(Service):
    """See what can be run."""

    def find(self) -> Generator[Automation]:
        """All automations that this identity may see."""

    def get(self, name: str) -> Automation:
        """The automation of this name. Raises NotFoundError."""

    def schema(self, name: str) -> AutomationSchema:
        """What the automation takes and gives. Raises NotFoundError."""

    def packages(self) -> Generator[Package]:
        """The newest version of each package."""

    def open_package(self, package: Package) -> AbstractContextManager[Generator[bytes]]:
        """The package's file in pieces, for the length of a block. Raises NotFoundError on entry."""

    def upload_package(
        self, content: Iterator[bytes] | AsyncIterable[bytes] | bytes, *, size: int | None = None
    ) -> Package:
        """The package, once the platform holds it; its name and version are in the file.

        `size` in bytes is needed where content is a stream. Raises ConflictError when the version is there already.
        """

class CredentialService(Service):
    """Name, read and write secrets."""

    def find(self) -> Generator[Credential]:
        """All credentials, without their values."""

    def reveal(self, name: str) -> RevealedCredential:
        """The credential's values. Raises NotFoundError, DeniedError."""

    def put(self, name: str, fields: Mapping[str, SecretStr], *, description: str | None = None) -> Credential:
        """The credential, made or changed; fields that are not named stay as they are."""

    def delete(self, name: str, *, key: str | None = None) -> None:
        """Deletes one field, or without `key` the whole credential. Raises NotFoundError."""

class FolderService(Service):
    """See the rooms within a platform."""

    def find(self) -> Generator[Folder]:
        """All folders that this identity may see."""

    def get(self, folder: str) -> Folder:
        """The folder, by path, id or key. Raises NotFoundError."""

class IncidentService(Service):
    """Report exceptions, and read them."""

    def report(
        self,
        error: BaseException,
        *,
        job: str,
        screenshot: Path | None = None,
        attachments: Sequence[Path] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Incident:
        """The incident, with its files, once the platform holds it. Never repeated after an uncertain answer."""

    def find(self, *, job: str | None = None) -> Generator[Incident]:
        """Incidents, newest first."""

class JobService(Service):
    """Start automations and follow their runs."""

    def start(
        self,
        automation: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        priority: Priority | None = None,
        not_before: datetime | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Job:
        """The job, once the platform has accepted it.

        With `key` the start happens at most once: the key travels with the job, a second start with the same key
        returns the job that exists, and an uncertain answer is looked up, never repeated.
        `options` are this platform's own settings of a start, under its own names; an unknown one is refused.
        Raises NotFoundError for an unknown automation, InvalidError for inputs that the platform cannot take,
        UnsupportedError for `not_before` or an option that it lacks, and OutcomeUnknownError when nobody can tell
        whether the job was started.
        """

    def start_many(
        self,
        automation: str,
        count: int,
        inputs: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        priority: Priority | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> list[Job]:
        """The jobs, `count` of them with the same inputs, once the platform has accepted all.

        With `key` they are started at most once together. Raises what `start` raises, and ConflictError when jobs
        with this key exist in another number.
        """

    def get(self, job_id: str) -> Job:
        """The job now. Raises NotFoundError."""
    looks_at: int

    def get_many(self, job_ids: Sequence[str]) -> list[Job]:
        """The jobs now, in the order asked for; overridden where one request can look at many. Raises NotFoundError."""

    def find(
        self,
        *,
        automation: str | None = None,
        state: JobState | None = None,
        key: str | None = None,
        since: datetime | None = None,
    ) -> Generator[Job]:
        """Jobs, newest first; `since` is the earliest creation. Pages are fetched as the caller iterates."""

    def stop(self, job_id: str, *, force: bool = False) -> Job:
        """The job, after asking it to end; with `force` it is killed. A finished job is left as it is."""

    def restart(self, job_id: str) -> Job:
        """The job that runs it again with the same inputs. Never repeated after an uncertain answer."""

    def resume(self, job_id: str, inputs: Mapping[str, Any] | None = None) -> Job:
        """The job, after waking it from SUSPENDED. Raises ConflictError in any other state."""

    def report(
        self,
        job_id: str,
        outcome: JobOutcome,
        *,
        message: str | None = None,
        counts: ItemCounts | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> Job:
        """The job, after finishing it from inside its run."""

    def wait(self, job: Job | str, *, timeout: float | None = None, poll: float = 2.0) -> Job:
        """The finished job. A failed job is a result, not an exception.

        `timeout` in seconds, None for ever; `poll` is the longest pause between two looks, in seconds.
        Raises WaitTimeoutError; the job goes on.
        """

    def wait_all(self, jobs: Iterable[Job | str], *, timeout: float | None = None, poll: float = 2.0) -> list[Job]:
        """The finished jobs, in the order given. Raises WaitTimeoutError when some did not in time; all go on."""

    def as_finished(
        self, jobs: Iterable[Job | str], *, timeout: float | None = None, poll: float = 2.0
    ) -> Generator[Job]:
        """Each of the jobs as it finishes. Raises WaitTimeoutError when some did not in time.

        A thousand jobs cost as few requests as the platform allows: many are looked at together.
        """

class LogService(Service):
    """Read and write what runs wrote down."""

    def find(
        self,
        log: str | None = None,
        *,
        job: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Generator[LogEntry]:
        """Entries, oldest first. `log` names one where the platform keeps several."""

    def create(self, name: str, columns: Sequence[str]) -> Log:
        """The new log. Raises ConflictError when the name is taken."""

    def append(self, log: str, values: Mapping[str, Any]) -> None:
        """Writes one entry. Never repeated after an uncertain answer."""

    def export(self, log: str) -> Generator[bytes]:
        """The log as CSV, in pieces."""

    def delete(self, log: str) -> None:
        """Deletes the log and its entries. Raises NotFoundError."""

class MessageService(Service):
    """Write to people, through the platform."""

    def send(
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

class QueueService(Service):
    """Put work in, take work out."""

    def get(self, name: str) -> Queue:
        """The queue. Raises NotFoundError."""

    def add(self, queue: str, draft: ItemDraft) -> Item:
        """The item, once the platform holds it.

        A draft with a `reference` can be looked up after a lost answer; one without ends in OutcomeUnknownError then.
        Raises NotFoundError, InvalidError, and ConflictError where the queue refuses the reference a second time.
        """

    def take(self, queue: str) -> Item | None:
        """The next item, reserved for this caller; None when there is none.

        Never repeated after a lost answer: OutcomeUnknownError says that an item may now be reserved.
        """

    def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        """Reports a taken item done. Raises ConflictError when it is no longer taken."""

    def fail(self, item: Item, failure: Failure) -> None:
        """Reports a taken item failed. Raises ConflictError when it is no longer taken."""

    def find(self) -> Generator[Queue]:
        """All queues."""

    def create(self, draft: QueueDraft) -> Queue:
        """The new queue. Raises ConflictError when the name is taken."""

    def update(self, name: str, draft: QueueDraft) -> Queue:
        """The queue, after giving it the draft's settings. Raises NotFoundError."""

    def delete(self, name: str) -> None:
        """Deletes the queue and its items. Raises NotFoundError."""

    def check_item(self, draft: ItemDraft) -> None:
        """Refuses what `add` would refuse before it sends anything. Raises InvalidError, UnsupportedError."""

    def check_queue(self, draft: QueueDraft) -> None:
        """Refuses what `create` would refuse before it sends anything. Raises InvalidError, UnsupportedError."""

    def items(
        self,
        queue: str,
        *,
        state: ItemState | None = None,
        reference: str | None = None,
        mark: str | None = None,
        after: str | None = None,
    ) -> Generator[Item]:
        """Items, oldest first. Pages are fetched as the caller iterates; items added meanwhile may appear.

        `mark` is what an item's mark begins with. `after` is the id of an item that is left out with all before it.
        """

    def get_item(self, queue: str, item_id: str) -> Item:
        """The item now. Raises NotFoundError."""

    def add_many(
        self, queue: str, drafts: Drafts, *, on_result: Callable[[AddResult], None] | None = None
    ) -> AddSummary:
        """What became of the drafts, streamed in constant memory; `on_result` hears of each one."""

    def progress(self, item: Item, text: str) -> None:
        """Notes how far a taken item is."""

    def postpone(self, item: Item, until: datetime) -> None:
        """Keeps a new item from being taken before `until`."""

    def remove(self, item: Item) -> None:
        """Takes a new item out of the queue, unworked."""

    def retry(self, item: Item) -> Item:
        """The new item that tries a failed one again."""

    def stats(self, queue: str) -> QueueStats:
        """How many items stand in each state."""

    def activate(self, name: str) -> Queue:
        """The queue, after letting items be taken from it again."""

    def deactivate(self, name: str) -> Queue:
        """The queue, after keeping items from being taken from it."""

    def lease(self, queue: str) -> AbstractContextManager[Item | None]:
        """Takes an item for the length of a block; None when there is none.

        A block that ends completes the item with `item.output`; BusinessError fails it as BUSINESS, any other
        exception as APPLICATION, and is raised on.
        """

class RobotService(Service):
    """See who can run jobs."""

    def find(self) -> Generator[Robot]:
        """All robots."""

    def get(self, name: str) -> Robot:
        """The robot now. Raises NotFoundError."""

    def machines(self) -> Generator[Machine]:
        """All machines that this identity may see."""

class ScheduleService(Service):
    """See what starts jobs by itself."""

    def find(self) -> Generator[Schedule]:
        """All schedules."""

class WebhookService(Service):
    """Be told, instead of asking. Deliveries may be lost: take them as a hint to look."""

    def find(self) -> Generator[Webhook]:
        """All webhooks."""

    def create(self, name: str, url: str, *, events: Sequence[str] = (), secret: SecretStr | None = None) -> Webhook:
        """The new webhook; `secret` signs its deliveries. Raises ConflictError when the name is taken."""

    def delete(self, name: str) -> None:
        """Deletes the webhook. Raises NotFoundError."""

    def ping(self, name: str) -> None:
        """Asks the platform to call the address once, for a test. Raises NotFoundError."""

class Transport:
    """Anything that can send a request: the network, a layer round it, or a test."""

    def send(self, request: Request) -> Response:
        """The answer. Raises RemoteError when there is none that can be used."""

    def aclose(self) -> None:
        """Give back what is held open."""

class Adapter:
    """One connection to one platform. Opening it sends nothing; the first call logs in.

    A noun that is not handed to the constructor is absent: it refuses every verb.
    """

    connection: str
    info: AdapterInfo
    settings_model: type[AdapterSettings]
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
    place: str
    settle_window: float
    current_job: str | None

    def check(self) -> list[Finding]:
        """What a person should know before relying on this connection. The only verb that probes; raises nothing."""

    def login_status(self) -> LoginStatus | None:
        """Who we are and for how long, without asking the platform; None where nobody logs in."""

    def log_in(self, show: Callable[[str], None]) -> None:
        """Lets a person log in with a browser; what that gives is kept for all processes that share the cache.

        `show` is told the address that the person is to open. Raises UnsupportedError where this connection logs in by
        itself, AuthError when the person or the platform says no, or nobody comes back in time.
        """

    def fetch_login(self) -> None:
        """Logs in at once with what the settings hold, whatever token or refusal was kept. Raises RemoteError."""

    def forget_login(self) -> None:
        """Forgets the kept token, here and for all processes that share the cache."""

    def look_up(self, intent: Intent) -> tuple[str, ...] | None:
        """The ids of what an effect of this connection has made, by one look; None where it cannot be looked up.

        Empty only where it is surely not there now. Raises RemoteError, and ConfigError when the connection speaks to
        another platform or folder by now.
        """

    def aclose(self) -> None:
        """Gives back what is held open."""

    @property
    def services(self) -> list[Service]:
        """Every noun, absent ones included."""

    @property
    def capabilities(self) -> Capabilities:
        """What this connection can do: read off the code, together with the declared limits."""

class Bridge:
    """Connections by name; `bridge["uipath-prod"]` is an Adapter. Opening one sends nothing.

    Use it as `with Bridge.load() as bridge`, so that all that was opened is closed.
    """

    def __init__(
        self,
        settings: Settings | Mapping[str, Any] | None = None,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        cache_dir: CacheDir = FROM_SETTINGS,
    ) -> None:
        """A mapping has the shape of the settings file; None is the connection `local` alone. Raises ConfigError."""

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        cache_dir: CacheDir = FROM_SETTINGS,
    ) -> Self:
        """The bridge for a settings file: the one named, or the one that is found (see `settings.find_settings`).

        Raises ConfigError.
        """

    @classmethod
    def from_runner_args(
        cls,
        argv: Sequence[str],
        *,
        http: HttpOptions | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        cache_dir: CacheDir = FROM_SETTINGS,
    ) -> Self:
        """The bridge for a program that a platform's runner started; `argv` is `sys.argv`.

        It has one connection, which bears the adapter's name: `bridge["botmaestro"]`, for one. That adapter's
        `current_job` is the job that this program runs. No settings file is read; `http` says what would stand there.
        Raises ConfigError when no installed adapter's runner starts programs so.
        """

    def __getitem__(self, name: str) -> Adapter:
        """The connection of this name. Raises ConfigError, or AdapterLoadError when its adapter is missing."""

    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __contains__(self, name: object) -> bool: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def reconcile(
        self, op_id: str | None = None, *, on: str | None = None, forget: bool = False
    ) -> Generator[Reconciled]:
        """What became of the effects that a crash or a lost answer left open: all, one, or those of one connection.

        Each is looked up once, and crossed out when it was found or can no longer come; nothing is sent again. With
        `forget`, what nobody can look up is crossed out too: for a person who has looked. Raises NotFoundError for an
        `op_id` that is not open.
        """

    def close(self) -> None:
        """Closes every connection that was opened, even if some fail to close; the last failure is raised."""
