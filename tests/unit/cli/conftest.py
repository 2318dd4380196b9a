"""A platform in memory, and a way to run the command line in this process."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from rpa_bridge import registry
from rpa_bridge.cli.main import main
from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterInfo, AdapterSettings, Finding, LoginStatus
from rpa_bridge.contract.artifacts import Artifact, ArtifactService
from rpa_bridge.contract.assets import Asset, AssetService, AssetType, AssetValue
from rpa_bridge.contract.automations import Automation, AutomationService
from rpa_bridge.contract.credentials import Credential, CredentialService, RevealedCredential
from rpa_bridge.contract.features import Service
from rpa_bridge.contract.incidents import Incident, IncidentService
from rpa_bridge.contract.jobs import Job, JobOutcome, JobService, JobState
from rpa_bridge.contract.messages import MessageService
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import (
    AddResult,
    AddStatus,
    AddSummary,
    Drafts,
    Failure,
    Item,
    ItemDraft,
    ItemState,
    Queue,
    QueueDraft,
    QueueService,
    QueueStats,
)
from rpa_bridge.errors import NotFoundError
from rpa_bridge.testing import ManualClock, SandboxThread

BORN = datetime(2030, 1, 1, tzinfo=UTC)
LOG = logging.getLogger("rpa_bridge.fake")
HIDDEN = {"vendor": "raw-payload"}


@dataclass
class Platform:
    """What the platform holds, how its next jobs end, and what was asked of it."""

    error: Exception | None = None
    """Raised by whatever is asked next."""
    outcome: JobOutcome | None = JobOutcome.SUCCEEDED
    """None: jobs never end."""
    findings: list[Finding] = field(default_factory=list)
    automations: list[Automation] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    files: dict[str, tuple[Artifact, bytes]] = field(default_factory=dict)
    secrets: dict[str, dict[str, SecretStr]] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    reported: list[BaseException] = field(default_factory=list)
    cut_after: int | None = None
    """Bytes after which a download breaks."""
    add_status: AddStatus = AddStatus.ADDED
    forgotten: int = 0

    def ask(self, verb: str, **details: Any) -> None:
        """Notes what was asked, and plays the error on order."""
        self.asked.append((verb, details))
        LOG.info("asked for %s", verb)
        LOG.debug("token=%s", verb)
        if self.error is not None:
            raise self.error


class Automations(AutomationService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("fake", ManualClock())
        self.platform = platform

    async def find(self) -> AsyncIterator[Automation]:
        self.platform.ask("automations.find")
        for one in self.platform.automations:
            yield one

    async def get(self, name: str) -> Automation:
        self.platform.ask("automations.get", name=name)
        return Automation(id="1", name=name, version="1.0", raw_data=HIDDEN)


class Jobs(JobService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("fake", ManualClock())
        self.platform = platform

    async def start(self, automation: str, inputs: Mapping[str, Any] | None = None, **settings: Any) -> Job:
        self.platform.ask("jobs.start", automation=automation, inputs=dict(inputs or {}), **settings)
        job = Job(
            id=str(len(self.platform.jobs) + 1),
            automation=automation,
            state=JobState.PENDING,
            native_state="Pending",
            inputs=dict(inputs or {}),
            created_at=BORN,
            raw_data=HIDDEN,
        )
        self.platform.jobs[job.id] = job
        return job

    async def get(self, job_id: str) -> Job:
        self.platform.ask("jobs.get", job_id=job_id)
        job = self.platform.jobs[job_id]
        if self.platform.outcome is None:
            return job
        return replace(job, state=JobState.FINISHED, native_state="Over", outcome=self.platform.outcome)

    async def find(self, **filters: Any) -> AsyncIterator[Job]:
        self.platform.ask("jobs.find", **filters)
        for job in self.platform.jobs.values():
            yield job


class Queues(QueueService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("fake", ManualClock())
        self.platform = platform

    async def get(self, name: str) -> Queue:
        self.platform.ask("queues.get", name=name)
        return Queue(id="1", name=name)

    async def find(self) -> AsyncIterator[Queue]:
        yield Queue(id="1", name="Letters")

    async def create(self, draft: QueueDraft) -> Queue:
        self.platform.ask("queues.create", draft=draft)
        return Queue(id="2", name=draft.name)

    async def add(self, queue: str, draft: ItemDraft) -> Item:
        self.platform.ask("queues.add", queue=queue, draft=draft)
        item = Item(
            id=str(len(self.platform.items) + 1),
            queue=queue,
            state=ItemState.NEW,
            native_state="New",
            values=draft.values,
            reference=draft.reference,
            priority=draft.priority,
        )
        self.platform.items[item.id] = item
        return item

    async def take(self, queue: str) -> Item | None:
        self.platform.ask("queues.take", queue=queue)
        waiting = [item for item in self.platform.items.values() if item.state is ItemState.NEW]
        return self._become(waiting[0], ItemState.TAKEN) if waiting else None

    async def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        self.platform.ask("queues.complete", item=item.id, output=output)
        self._become(item, ItemState.DONE)

    async def fail(self, item: Item, failure: Failure) -> None:
        self.platform.ask("queues.fail", item=item.id, failure=failure)
        self._become(item, ItemState.FAILED)

    async def items(
        self,
        queue: str,
        *,
        state: ItemState | None = None,
        reference: str | None = None,
        mark: str | None = None,
        after: str | None = None,
    ) -> AsyncIterator[Item]:
        self.platform.ask("queues.items", queue=queue, state=state, reference=reference, mark=mark, after=after)
        for item in list(self.platform.items.values()):
            if state in (None, item.state):
                yield item

    async def get_item(self, queue: str, item_id: str) -> Item:
        self.platform.ask("queues.get_item", queue=queue, item_id=item_id)
        if item_id not in self.platform.items:
            raise NotFoundError(f"there is no item {item_id!r} in queue {queue!r}; see queues items")
        return self.platform.items[item_id]

    async def add_many(
        self, queue: str, drafts: Drafts, *, on_result: Callable[[AddResult], None] | None = None
    ) -> AddSummary:
        counts = dict.fromkeys(AddStatus, 0)
        async for draft in _each(drafts):
            await self.add(queue, draft)
            status = self.platform.add_status
            if on_result is not None:
                on_result(AddResult(position=sum(counts.values()), reference=draft.reference, status=status))
            counts[status] += 1
        return AddSummary(
            added=counts[AddStatus.ADDED], refused=counts[AddStatus.REFUSED], unknown=counts[AddStatus.UNKNOWN]
        )

    async def stats(self, queue: str) -> QueueStats:
        self.platform.ask("queues.stats", queue=queue)
        return QueueStats(counts={ItemState.NEW: len(self.platform.items)})

    def _become(self, item: Item, state: ItemState) -> Item:
        self.platform.items[item.id] = replace(item, state=state)
        return self.platform.items[item.id]


async def _each(drafts: Drafts) -> AsyncIterator[ItemDraft]:
    if isinstance(drafts, Iterable):
        for draft in drafts:
            yield draft
    else:
        async for draft in drafts:
            yield draft


class Assets(AssetService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("fake", ManualClock())
        self.platform = platform

    async def get(self, name: str) -> Asset:
        self.platform.ask("assets.get", name=name)
        return self.platform.assets[name]

    async def find(self) -> AsyncIterator[Asset]:
        for asset in self.platform.assets.values():
            yield asset

    async def put(self, name: str, value: AssetValue, *, description: str | None = None) -> Asset:
        self.platform.ask("assets.put", name=name, value=value)
        asset = Asset(id=name, name=name, type=AssetType.TEXT, value=value, description=description)
        self.platform.assets[name] = asset
        return asset

    async def delete(self, name: str) -> None:
        self.platform.ask("assets.delete", name=name)
        del self.platform.assets[name]


class Credentials(CredentialService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("fake", ManualClock())
        self.platform = platform

    async def find(self) -> AsyncIterator[Credential]:
        for name, fields in self.platform.secrets.items():
            yield Credential(id=name, name=name, keys=tuple(fields))

    async def reveal(self, name: str) -> RevealedCredential:
        return RevealedCredential(name=name, fields=self.platform.secrets[name])

    async def put(self, name: str, fields: Mapping[str, SecretStr], *, description: str | None = None) -> Credential:
        self.platform.secrets.setdefault(name, {}).update(fields)
        return Credential(id=name, name=name, keys=tuple(fields), description=description)


class Artifacts(ArtifactService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("fake", ManualClock())
        self.platform = platform

    async def find(self, *, container: str | None = None, job: str | None = None) -> AsyncIterator[Artifact]:
        for artifact, _ in list(self.platform.files.values()):
            if job in (None, artifact.job):
                yield artifact

    @contextlib.asynccontextmanager
    async def _opened(self, artifact: Artifact | str) -> AsyncIterator[AsyncIterator[bytes]]:
        yield self._content(self.platform.files[artifact if isinstance(artifact, str) else artifact.id][1])

    async def _content(self, content: bytes) -> AsyncIterator[bytes]:
        yield content[: self.platform.cut_after]
        if self.platform.cut_after is not None:
            raise self.platform.error or AssertionError("say how it breaks")

    def open(self, artifact: Artifact | str) -> contextlib.AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return self._opened(artifact)

    async def upload(
        self,
        name: str,
        content: AsyncIterable[bytes] | bytes,
        *,
        size: int | None = None,
        container: str | None = None,
        job: str | None = None,
    ) -> Artifact:
        body = content if isinstance(content, bytes) else b"".join([piece async for piece in content])
        artifact = Artifact(id=f"id-{name}", name=name, size=size, container=container, job=job)
        self.platform.files[artifact.id] = (artifact, body)
        return artifact


class Messages(MessageService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("fake", ManualClock())
        self.platform = platform

    async def send(self, subject: str, body: str, **settings: Any) -> None:
        self.platform.ask("messages.send", subject=subject, body=body, **settings)


class Incidents(IncidentService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("fake", ManualClock())
        self.platform = platform

    async def report(self, error: BaseException, *, job: str, **settings: Any) -> Incident:
        self.platform.reported.append(error)
        return Incident(id="1", type=type(error).__name__, message=str(error), job=job)


class FakeSettings(AdapterSettings):
    address: str = "memory"
    password: SecretStr = SecretStr("")


def _adapter_on(platform: Platform) -> type[Adapter]:
    class FakeAdapter(Adapter):
        info = AdapterInfo(name="fake", title="A platform in memory")
        settings_model = FakeSettings

        @classmethod
        def open(cls, settings: Any, context: AdapterContext) -> Self:
            nouns: list[type[Any]] = [Automations, Jobs, Queues, Assets, Credentials, Artifacts, Messages, Incidents]
            services: list[Service] = [noun(platform) for noun in nouns]
            return cls(context, *services)

        async def check(self) -> list[Finding]:
            return platform.findings

        async def login_status(self) -> LoginStatus | None:
            return LoginStatus(identity="robot@example.com", state="fresh", expires_at=BORN)

        async def forget_login(self) -> None:
            platform.forgotten += 1

    return FakeAdapter


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    """A platform behind the one connection of the settings in the working folder."""
    found = Platform(automations=[Automation(id="1", name="Invoices"), Automation(id="2", name="Letters")])
    adapter = _adapter_on(found)
    monkeypatch.setattr(registry, "load_adapter", lambda name: adapter)
    for variable in ("RPA_BRIDGE_SETTINGS", "RPA_BRIDGE_ON", "RPA_BRIDGE_OUTPUT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    connect(tmp_path, "memory")
    return found


def connect(folder: Path, *names: str, name_of_file: str = "settings.json", **values: Any) -> Path:
    """Writes settings with these connections."""
    document = {"connections": {name: {"adapter": "fake", **values} for name in names}, "cache_dir": None}
    path = folder / name_of_file
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return path


@pytest.fixture
def write_settings(tmp_path: Path) -> Callable[..., Path]:
    """Writes settings with connections of these names."""

    def write(*names: str, **values: Any) -> Path:
        return connect(tmp_path, *names, **values)

    return write


def in_this_process(*arguments: str, input: str | bytes | None = None) -> Result:
    """Runs a command line here."""
    with CliRunner().isolation(input=input) as (out, err, _):
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code
    return Result(code if isinstance(code, int) else -1, out.getvalue().decode(), err.getvalue().decode())


@pytest.fixture
def run(platform: Platform) -> Run:
    """Runs a command line in this process, on the platform in memory."""
    return in_this_process


@pytest.fixture
def add_items(platform: Platform) -> Callable[[int], None]:
    """Puts so many new items onto the platform."""

    def add(count: int) -> None:
        for number in range(count):
            platform.items[str(number)] = Item(
                id=str(number),
                queue="Letters",
                state=ItemState.NEW,
                native_state="New",
                values={"number": number},
                priority=Priority.NORMAL,
                raw_data=HIDDEN,
            )

    return add


@pytest.fixture(scope="module")
def played() -> Iterator[SandboxThread]:
    with SandboxThread(["uipath", "botmaestro"]) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(played: SandboxThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SandboxThread:
    """Both platforms as they were born, and a working folder whose settings name them, and one in a file."""
    played.sandbox.reset()
    connections = {name: one | {"settle_window": 0.3} for name, one in played.connections.items()}
    connections["here"] = {"adapter": "local", "path": str(tmp_path / "here.db")}
    settings = tmp_path / "settings.json"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps({"connections": connections, "cache_dir": None}))
    for variable in ("RPA_BRIDGE_SETTINGS", "RPA_BRIDGE_ON", "RPA_BRIDGE_OUTPUT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    return played
