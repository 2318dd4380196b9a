"""Scripts for verbs that two of the platforms share and the third lacks."""

from __future__ import annotations

import csv
import tempfile
from datetime import timedelta
from pathlib import Path

from rpa_bridge import (
    Adapter,
    Failure,
    FailureKind,
    Item,
    ItemCounts,
    ItemDraft,
    JobOutcome,
    JobState,
    QueueDraft,
)

from .script import LOOK, Difference, Facts, Script, content_of, listed, refusal


async def assets(platform: Adapter) -> Facts:
    service = platform.assets
    values: dict[str, str | int | bool] = {"Größe": "it's € 2", "Attempts": 3, "Night": False}
    made = [await service.put(name, value, description="from a script") for name, value in values.items()]
    changed = await service.put("Attempts", 4)
    another_type = await refusal(service.put("Attempts", "four"))
    found = {one.name: one.value async for one in service.find() if one.name in values}
    for name in values:
        await service.delete(name)
    return {
        "made": [(one.name, one.type.value, one.value, one.description) for one in made],
        "changed": (changed.value, changed.description),
        "another type": another_type,
        "found": found,
        "deleted": await refusal(service.get("Attempts")),
    }


async def folders(platform: Adapter) -> Facts:
    found = await listed(platform.folders.find())
    same = [await platform.folders.get(one.path) == one for one in found]
    unknown = await refusal(platform.folders.get("No such folder"))
    return {"there": bool(found), "same": all(same), "unknown": unknown}


async def deleted_files(platform: Adapter) -> Facts:
    service = platform.artifacts
    job = await platform.jobs.start("Invoices")
    kept = await service.upload("kept.txt", b"kept", job=job.id)
    gone = await service.upload("gone.txt", b"gone", job=job.id)
    await service.delete(gone)
    return {
        "left": [one.id async for one in service.find(job=job.id)] == [kept.id],
        "gone": await refusal(content_of(platform, gone)),
    }


async def postponed_and_retried(platform: Adapter) -> Facts:
    service = platform.queues
    queue = (await service.create(QueueDraft(name="Twice"))).name
    late = await service.add(queue, ItemDraft(values={"n": "1"}, reference="late"))
    await service.postpone(late, service.clock.now() + timedelta(hours=1))
    postponed = await service.get_item(queue, late.id)
    too_early = await service.take(queue)
    await service.add(queue, ItemDraft(values={"n": "2"}, reference="weak"))
    weak = await _taken(platform, queue)
    await service.fail(weak, Failure(kind=FailureKind.APPLICATION, reason="the printer was out of paper"))
    again = await service.retry(await service.get_item(queue, weak.id))
    second = await _taken(platform, queue)
    return {
        "postponed": postponed.not_before is not None and postponed.not_before > service.clock.now(),
        "too early": too_early,
        "failed": (await service.get_item(queue, weak.id)).state.value,
        "again": (again.id != weak.id, again.state.value, again.values, again.reference, again.retry_of == weak.id),
        "second": second.id == again.id,
    }


async def reported_jobs(platform: Adapter) -> Facts:
    service = platform.jobs
    job = await service.start("Letters")
    while job.state is JobState.PENDING:
        await service.clock.sleep(LOOK)
        job = await service.get(job.id)
    counts = ItemCounts(total=3, processed=2, failed=1)
    reported = await service.report(job.id, JobOutcome.PARTIAL, message="one letter came back", counts=counts)
    return {
        "outcome": (await service.get(job.id)).outcome,
        "told": (reported.id == job.id, reported.message, reported.counts),
    }


async def stopped_queues(platform: Adapter) -> Facts:
    service = platform.queues
    queue = (await service.create(QueueDraft(name="Doors"))).name
    closed = await service.deactivate(queue)
    await service.add(queue, ItemDraft(values={"n": "1"}, reference="patient"))
    while_closed = await service.take(queue)
    opened = await service.activate(queue)
    return {
        "active": (closed.active, opened.active),
        "while closed": while_closed,
        "then": (await _taken(platform, queue)).reference,
    }


async def named_logs(platform: Adapter) -> Facts:
    service = platform.logs
    rows = [{"customer": "größer ☃", "total": "3"}, {"customer": 'it\'s "quoted", 100 %', "total": ""}]
    log = await service.create("Letters of one script", ["customer", "total"])
    for row in rows:
        await service.append(log.name, row)
    text = b"".join(await listed(service.export(log.name))).decode("utf-8-sig")
    exported = [{name: row[name] for name in log.columns} for row in csv.DictReader(text.splitlines())]
    found = [one.values async for one in service.find(log.name)]
    await service.delete(log.name)
    deleted = await refusal(listed(service.find(log.name)))
    return {"columns": log.columns, "found": found == rows, "exported": exported == rows, "deleted": deleted}


async def incidents(platform: Adapter) -> Facts:
    service = platform.incidents
    job = await platform.jobs.start("Invoices")
    with tempfile.TemporaryDirectory() as folder:
        screen, paper = _two_files(Path(folder))
        try:
            raise LookupError("the field 'größe' is gone")
        except LookupError as error:
            made = await service.report(
                error, job=job.id, screenshot=screen, attachments=[paper], tags={"screen": "orders"}
            )
    [found] = await listed(service.find(job=job.id))
    return {
        "made": (made.id == found.id, found.job == job.id),
        "error": (found.type, found.message),
        "trace": "raise LookupError" in (found.stack_trace or ""),
        "tags": found.tags.get("screen"),
    }


def _two_files(folder: Path) -> tuple[Path, Path]:
    screen, paper = folder / "screen.png", folder / "größe.txt"
    screen.write_bytes(b"a picture")
    paper.write_bytes(b"a page")
    return screen, paper


async def messages(platform: Adapter) -> Facts:
    """What was sent cannot be read back on any platform: only that it is taken, and that somebody must be named."""
    send, emails = platform.messages.send, ["a@example.com"]
    return {
        "to nobody": await refusal(send("Nobody", "reads this")),
        "text": await refusal(send("Größe", "it's done", emails=emails, users=["b"], group="c")),
        "page": await refusal(send("Größe", "<p>it's done</p>", emails=emails, html=True)),
    }


async def _taken(platform: Adapter, queue: str) -> Item:
    item = await platform.queues.take(queue)
    assert item is not None
    return item


LOCAL_AND_UIPATH = {
    "artifacts": Script(deleted_files, {"left": True, "gone": "NotFoundError"}),
    "assets": Script(
        assets,
        {
            "made": [
                ("Größe", "text", "it's € 2", "from a script"),
                ("Attempts", "integer", 3, "from a script"),
                ("Night", "boolean", False, "from a script"),
            ],
            "changed": (4, "from a script"),
            "another type": "ConflictError",
            "found": {"Größe": "it's € 2", "Attempts": 4, "Night": False},
            "deleted": "NotFoundError",
        },
    ),
    "folders": Script(folders, {"there": True, "same": True, "unknown": "NotFoundError"}),
    "queues": Script(
        postponed_and_retried,
        {
            "postponed": True,
            "too early": None,
            "failed": "retried",
            "again": (True, "new", {"n": "2"}, "weak", True),
            "second": True,
        },
        {
            "uipath": Difference(
                {"failed": "failed"}, "a retry by hand is noted in the item's review; its status stays that of its end"
            )
        },
    ),
}
LOCAL_AND_BOTMAESTRO = {
    "incidents": Script(
        incidents,
        {
            "made": (True, True),
            "error": ("LookupError", "the field 'größe' is gone"),
            "trace": True,
            "tags": "orders",
        },
    ),
    "jobs": Script(
        reported_jobs,
        {
            "outcome": JobOutcome.PARTIAL,
            "told": (True, "one letter came back", ItemCounts(total=3, processed=2, failed=1)),
        },
    ),
    "logs": Script(
        named_logs, {"columns": ("customer", "total"), "found": True, "exported": True, "deleted": "NotFoundError"}
    ),
    "messages": Script(messages, {"to nobody": "InvalidError", "text": "", "page": ""}),
    "queues": Script(stopped_queues, {"active": (False, True), "while closed": None, "then": "patient"}),
}
SCRIPTS = {("local", "uipath"): LOCAL_AND_UIPATH, ("local", "botmaestro"): LOCAL_AND_BOTMAESTRO}
"""By the platforms that they run on."""
