"""What the demo does on one platform, step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr

from rpa_bridge.contract.alerts import Alert
from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.credentials import Credential
from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.jobs import Job
from rpa_bridge.contract.logs import LogEntry
from rpa_bridge.contract.model import Neutral, Severity
from rpa_bridge.contract.queues import Item, ItemDraft, QueueDraft
from rpa_bridge.errors import BusinessError, NotFoundError, ProtocolError, UnsupportedError

from .render import note

if TYPE_CHECKING:
    from rpa_bridge.contract.adapter import Adapter

T = TypeVar("T")

INPUTS = {"month": "2026-10"}
DRAFTS = (
    ItemDraft(reference="demo-1", values={"number": "4711", "amount": 12.5}),
    ItemDraft(reference="demo-2", values={"number": "4712"}),
)
FILE, CONTENT = "invoices.csv", b"number;amount\n4711;12.5\n"
LOG_LINE = {"number": "4711", "amount": "12.5"}
SECRETS = {"username": SecretStr("demo-robot"), "password": SecretStr("shown-to-nobody-4711")}
ALERT = "invoice 4712 needs a person"
LONGEST_WAIT = 30.0
"""Seconds for one job; it takes less than one."""
LOOK = 0.1
"""Seconds between two looks at a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story(Neutral):
    """What happened on one platform; None is what it does not have."""

    connection: str
    platform: str
    job: Job
    items: tuple[Item, ...]
    file: Artifact | None
    credential: Credential | None
    revealed: bool
    """Whether the credential's values could be read back; not every identity may."""
    log_line: LogEntry | None
    alert: Alert | None


async def story(adapter: Adapter) -> Story:
    """Everything that the demo does on one platform. Raises what a step raises, and ends there."""
    job = await run_a_job(adapter)
    note(f"{adapter.connection}: job {job.id} is over, now the queue")
    items = await work_a_queue(adapter)
    note(f"{adapter.connection}: the queue is worked, now a file, a credential, a log line and an alert")
    credential = await _if_there(keep_a_credential(adapter))
    return Story(
        connection=adapter.connection,
        platform=adapter.info.title,
        job=job,
        items=tuple(items),
        file=await _if_there(move_a_file(adapter, job)),
        credential=credential,
        revealed=credential is not None and adapter.capabilities.limits.reads_secrets,
        log_line=await _if_there(write_a_log_line(adapter)),
        alert=await _if_there(raise_an_alert(adapter, job)),
    )


async def run_a_job(adapter: Adapter) -> Job:
    """The first automation's job, when it is over."""
    automation = await _first(adapter.automations.find(), f"{adapter.connection} has no automation to start")
    job = await adapter.jobs.start(automation.name, INPUTS)
    return await adapter.jobs.wait(job, timeout=LONGEST_WAIT, poll=LOOK)


async def work_a_queue(adapter: Adapter) -> list[Item]:
    """The items that were added, after each was worked under a lease: one goes well, one is itself at fault."""
    service = adapter.queues
    queue = await _queue(adapter)
    added = [(await service.add(queue, draft)).id for draft in DRAFTS]
    waiting = set(added)
    while waiting:
        with suppress(BusinessError):  # by then the lease has reported it
            async with service.lease(queue) as item:
                if item is None:
                    break
                waiting.discard(item.id)
                if "amount" not in item.values:
                    raise BusinessError(f"invoice {item.values.get('number')} has no amount")
                item.output["booked"] = item.values["amount"]
    return [await service.get_item(queue, item_id) for item_id in added]


async def move_a_file(adapter: Adapter, job: Job) -> Artifact:
    """The file that was given to the job, after reading it back."""
    file = await adapter.artifacts.upload(FILE, CONTENT, job=job.id)
    async with adapter.artifacts.open(file) as pieces:
        _check_same(b"".join([piece async for piece in pieces]) == CONTENT, f"file {FILE!r}")
    return file


async def keep_a_credential(adapter: Adapter) -> Credential:
    """The credential, after reading its values back where this identity may."""
    credential = await adapter.credentials.put("Demo", SECRETS)
    if adapter.capabilities.limits.reads_secrets:
        revealed = await adapter.credentials.reveal(credential.name)
        _check_same(revealed.fields == SECRETS, f"credential {credential.name!r}")
    return credential


async def write_a_log_line(adapter: Adapter) -> LogEntry:
    """The line that was written to a new log, as it is read back."""
    log = await adapter.logs.create("Demo", tuple(LOG_LINE))
    await adapter.logs.append(log.name, LOG_LINE)
    return await _first(adapter.logs.find(log.name), f"{adapter.connection} has lost the line of log {log.name!r}")


async def raise_an_alert(adapter: Adapter, job: Job) -> Alert:
    """The alert that was raised about the job, as it is read back."""
    await adapter.alerts.send("Demo", ALERT, severity=Severity.WARNING, job=job.id)
    return await _first(adapter.alerts.find(), f"{adapter.connection} has lost the alert about job {job.id}")


async def _if_there(step: Awaitable[T]) -> T | None:
    """What the step gives; None where the platform cannot do it."""
    with suppress(UnsupportedError):
        return await step
    return None


async def _queue(adapter: Adapter) -> str:
    """A queue to work: a new one where the platform lets us make it, else the first that is there."""
    if Feature.QUEUE_CREATE in adapter.capabilities:
        return (await adapter.queues.create(QueueDraft(name="Demo"))).name
    return (await _first(adapter.queues.find(), f"{adapter.connection} has no queue to work")).name


async def _first(found: AsyncIterator[T], otherwise: str) -> T:
    """The first of what is found. Raises NotFoundError with this sentence when there is none."""
    async for one in found:
        return one
    raise NotFoundError(otherwise)


def _check_same(is_same: bool, what: str) -> None:
    """Raises ProtocolError, without the values: they may be secret."""
    if not is_same:
        raise ProtocolError(f"the {what} came back as another; tell the adapter's author")
