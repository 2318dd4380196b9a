"""Alerts: each is sent once, and none is misread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import Adapter, InvalidError, NotFoundError, OutcomeUnknownError, Severity
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_botmaestro.alerts import BotMaestroAlerts

Kept = Callable[[], Any]
Requests = Callable[[str], list[Exchange]]
SEND = "POST */alerts"
TYPES = {"debug": "INFO", "info": "INFO", "warning": "WARN", "error": "ERROR", "fatal": "ERROR"}


@pytest.fixture
async def job(maestro: Adapter) -> str:
    return (await maestro.jobs.start("Letters")).id


@pytest.mark.parametrize("severity", Severity)
async def test_every_severity_has_a_type(maestro: Adapter, kept: Kept, job: str, severity: Severity) -> None:
    await maestro.alerts.send("größer ☃", 'it\'s "100 %"', severity=severity, job=job)

    (alert,) = kept()["alerts"]
    assert (alert["type"], alert["title"], alert["message"]) == (TYPES[severity], "größer ☃", 'it\'s "100 %"')
    assert alert["task_id"] == int(job)


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML, FaultKind.STATUS])
@pytest.mark.parametrize("when", When)
async def test_a_lost_answer_is_outcome_unknown_and_nothing_is_repeated(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests, job: str, kind: FaultKind, when: When
) -> None:
    sandbox.world.faults.add(Fault(kind, match=SEND, when=when))

    with pytest.raises(OutcomeUnknownError, match=rf"the alert may stand on task {job}; look at its alerts"):
        await maestro.alerts.send("title", "message", job=job)

    assert len(requests(SEND)) == 1
    assert len(kept()["alerts"]) == (when is When.AFTER)


async def test_an_alert_that_was_put_off_is_sent_later_and_once(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, job: str
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=SEND, status=429, headers={"Retry-After": "7"}, times=2))
    await maestro.alerts.send("title", "message", job=job)
    assert len(kept()["alerts"]) == 1


async def test_alerts_are_found_newest_first_and_by_task(sandbox: Sandbox, maestro: Adapter, job: str) -> None:
    other = (await maestro.jobs.start("Letters")).id
    sandbox.world.clock.freeze()
    for number in range(3):
        for task in (job, other):
            sandbox.world.clock.advance(1)
            await maestro.alerts.send(f"{number}", "message", job=task)
    sandbox.world.switches["botmaestro.max_page_size"] = 1

    assert [(one.title, one.job) async for one in maestro.alerts.find(job=job)] == [(n, job) for n in "210"]
    everywhere = [one async for one in maestro.alerts.find()]
    assert [(one.title, one.job) for one in everywhere] == [(n, task) for n in "210" for task in (other, job)]
    assert everywhere[0].at == sandbox.world.clock.now().replace(
        microsecond=sandbox.world.clock.now().microsecond // 1000 * 1000
    )


async def test_what_a_server_may_leave_out_or_write_otherwise_is_read(script: Any) -> None:
    script.page(
        {"id": 1, "taskId": "7", "type": "NEW_WORD", "title": None, "message": None, "date": "some day"},
        {"id": "b", "taskId": 7, "type": None},
        {"id": "c", "taskId": None, "type": "WARN"},
        last=True,
    )
    found = [one async for one in BotMaestroAlerts(script.client, script.clock).find()]
    assert [(one.id, one.job, one.severity) for one in found] == [
        ("1", "7", Severity.INFO),
        ("b", "7", Severity.INFO),
        ("c", None, Severity.WARNING),
    ]
    assert (found[0].title, found[0].message, found[0].at) == ("", "", None)


async def test_a_list_that_does_not_heed_the_task_is_filtered_here(script: Any) -> None:
    script.page({"id": 1, "taskId": "7"}, {"id": 2, "taskId": 8}, {"id": 3, "taskId": 7}, last=True)
    assert [one.id async for one in BotMaestroAlerts(script.client, script.clock).find(job="7")] == ["1", "3"]


async def test_what_an_alert_needs_is_asked_for_before_anything_is_sent(maestro: Adapter, requests: Requests) -> None:
    for title, job, kind in (("title", None, InvalidError), (" ", "1", InvalidError), ("title", "one", NotFoundError)):
        with pytest.raises(kind):
            await maestro.alerts.send(title, "message", job=job)
    assert not requests("*")


async def test_an_alert_on_an_unknown_task_is_not_found(maestro: Adapter, kept: Kept) -> None:
    with pytest.raises(NotFoundError, match="Task 4711 not found"):
        await maestro.alerts.send("title", "message", job="4711")
    assert not kept()["alerts"]
