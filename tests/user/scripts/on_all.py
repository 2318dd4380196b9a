"""One script for each noun that all three platforms have, with every verb that they share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from pydantic import SecretStr

from rpa_bridge import Adapter, JobOutcome, JobState, Severity

from .queues_on_all import QUEUES
from .script import LOOK, PATIENCE, Difference, Facts, Script, content_of, listed, refusal

CONTENT = "Größe;Preis\n1;€ 2\n".encode() * 1000


async def automations(platform: Adapter) -> Facts:
    service = platform.automations
    names = [one.name async for one in service.find()]
    schema = await service.schema("Invoices")
    return {
        "there": {"Invoices", "Letters"} <= set(names),
        "name": (await service.get("Invoices")).name,
        "takes": [(one.name, one.required) for one in schema.inputs],
    }


async def jobs(platform: Adapter) -> Facts:
    service = platform.jobs
    job = await service.start("Invoices", {"month": "2026-10"}, key="invoices-2026-10")
    same = await service.start("Invoices", {"month": "2026-10"}, key="invoices-2026-10")
    ended = await service.wait(job, timeout=PATIENCE, poll=LOOK)
    again = await service.restart(job.id)
    slow = await service.start("Letters")
    asked = await service.stop(slow.id)
    repeated, stopped = await service.wait_all([again, slow], timeout=PATIENCE, poll=LOOK)
    told = {one.id async for one in service.as_finished([slow, again], timeout=PATIENCE, poll=LOOK)}
    runs = list(dict.fromkeys([again.id, job.id]))
    return {
        "started once": same.id == job.id,
        "ended": ((await service.get(job.id)).state, ended.outcome, ended.inputs),
        "outputs": ended.outputs,
        "repeated": (repeated.outcome, repeated.inputs),
        "by a new job": again.id != job.id,
        "stopped": (asked.id == slow.id, stopped.outcome),
        "told": told == {slow.id, again.id},
        "together": [one.id for one in await service.get_many([slow.id, job.id])] == [slow.id, job.id],
        "newest first": [one.id async for one in service.find(automation="Invoices")] == runs,
    }


async def credentials(platform: Adapter) -> Facts:
    service = platform.credentials
    user, old, new = SecretStr("erp-robot"), SecretStr("first-secret-4711"), SecretStr("second-secret-4712")
    made = await service.put("ERP one", {"username": user, "password": old})
    before = await service.reveal("ERP one")
    await service.put("ERP one", {"password": new})
    after = await service.reveal("ERP one")
    facts: Facts = {
        "keys": sorted(made.keys),
        "listed": [sorted(one.keys) async for one in service.find() if one.name == "ERP one"],
        "values": before.fields == {"username": user, "password": old},
        "changed": after.fields == {"username": user, "password": new},
        "hidden": "secret-471" not in f"{made} {before} {after!r} {before['password']} {after.fields}",
    }
    facts["deleted"] = await refusal(service.delete("ERP one"))
    if facts["deleted"]:
        for key in made.keys:
            await service.delete("ERP one", key=key)
    facts["left"] = [one.keys async for one in service.find() if one.name == "ERP one"]
    return facts


async def artifacts(platform: Adapter) -> Facts:
    service = platform.artifacts
    job = await platform.jobs.start("Invoices")
    whole = await service.upload("Größe 1.csv", CONTENT, job=job.id)
    streamed = await service.upload("streamed.csv", _in_pieces(CONTENT), size=len(CONTENT), job=job.id)
    return {
        "files": [(one.name, one.size, one.job == job.id) for one in (whole, streamed)],
        "read": [await content_of(platform, one) == CONTENT for one in (whole, streamed)],
        "found": sorted([one.name async for one in service.find(job=job.id)]),
    }


async def _in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]


async def robots(platform: Adapter) -> Facts:
    service = platform.robots
    found = await listed(service.find())
    got = [await service.get(one.name) for one in found]
    return {"there": bool(found), "same": [(one.id, one.name) for one in got] == [(one.id, one.name) for one in found]}


async def schedules(platform: Adapter) -> Facts:
    found = await listed(platform.schedules.find())
    known = {one.name async for one in platform.automations.find()}
    return {
        "by time": any(one.cron for one in found),
        "start something": all(one.automation in known for one in found),
    }


async def alerts(platform: Adapter) -> Facts:
    job = await platform.jobs.start("Invoices")
    severities = (Severity.INFO, Severity.WARNING, Severity.ERROR)
    for severity in severities:
        await platform.alerts.send("Größe", f"it's {severity} at 100 %", severity=severity, job=job.id)
    found = await listed(platform.alerts.find())
    return {
        "newest first": [one.severity for one in found],
        "words": all(f"it's {one.severity} at 100 %" in one.message for one in found),
        "titles": {one.title for one in found},
        "jobs": {one.job == job.id for one in found},
    }


async def logs(platform: Adapter) -> Facts:
    job = await platform.jobs.start("Invoices", {"month": "2026-10"})
    ended = await platform.jobs.wait(job, timeout=PATIENCE, poll=LOOK)
    moments = [one.at async for one in platform.logs.find() if one.at is not None]
    now = ended.ended_at or ended.created_at
    assert now is not None
    return {
        "the job's lines": bool(moments),
        "oldest first": moments == sorted(moments),
        "of tomorrow": await listed(platform.logs.find(since=now + timedelta(days=1))),
    }


SCRIPTS = {
    "automations": Script(automations, {"there": True, "name": "Invoices", "takes": [("month", False)]}),
    "jobs": Script(
        jobs,
        {
            "started once": True,
            "ended": (JobState.FINISHED, JobOutcome.SUCCEEDED, {"month": "2026-10"}),
            "outputs": {"month": "2026-10"},
            "repeated": (JobOutcome.SUCCEEDED, {"month": "2026-10"}),
            "by a new job": True,
            "stopped": (True, JobOutcome.STOPPED),
            "told": True,
            "together": True,
            "newest first": True,
        },
        {
            "botmaestro": Difference(
                {"outputs": {}, "by a new job": False},
                "a task has no outputs, it reports counts and leaves files; and a restart runs the same task again",
            )
        },
    ),
    "queues": QUEUES,
    "credentials": Script(
        credentials,
        {
            "keys": ["password", "username"],
            "listed": [["password", "username"]],
            "values": True,
            "changed": True,
            "hidden": True,
            "deleted": "",
            "left": [],
        },
        {
            "botmaestro": Difference(
                {"deleted": "UnsupportedError", "left": [()]}, "a set cannot be deleted, only emptied of its keys"
            )
        },
    ),
    "artifacts": Script(
        artifacts,
        {
            "files": [("Größe 1.csv", len(CONTENT), True), ("streamed.csv", len(CONTENT), True)],
            "read": [True, True],
            "found": ["Größe 1.csv", "streamed.csv"],
        },
    ),
    "robots": Script(robots, {"there": True, "same": True}),
    "logs": Script(
        logs,
        {"the job's lines": True, "oldest first": True, "of tomorrow": []},
        {
            "botmaestro": Difference(
                {"the job's lines": False}, "a log has the rows that were appended to it, no others"
            )
        },
    ),
    "alerts": Script(
        alerts,
        {
            "newest first": [Severity.ERROR, Severity.WARNING, Severity.INFO],
            "words": True,
            "titles": {"Größe"},
            "jobs": {True},
        },
        {
            "uipath": Difference(
                {"titles": {"Invoices"}, "jobs": {False}},
                "an alert names a process and no job, and has no title: both stand in its message",
            )
        },
    ),
    "schedules": Script(schedules, {"by time": True, "start something": True}),
}
