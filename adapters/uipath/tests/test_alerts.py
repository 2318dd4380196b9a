"""Alerts where the server has them, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rpa_bridge import Adapter, InvalidError, OutcomeUnknownError, Severity, UnsupportedError
from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.alerts import MESSAGE
from rpa_bridge_uipath.client import PAGE
from rpa_bridge_uipath.mapping.alerts import SEVERITIES, SEVERITY_WORDS

Requests = Callable[[str], list[Exchange]]


def test_the_tables_of_severities_are_whole() -> None:
    assert set(SEVERITIES) == {"Info", "Success", "Warn", "Error", "Fatal"}  # docs: uipath.md 3.15
    assert set(SEVERITY_WORDS) == set(Severity)


async def test_an_alert_says_its_job_and_names_the_jobs_process(erp: Adapter) -> None:
    job = await erp.jobs.start("Invoices")

    await erp.alerts.send("Stopped", "größer ☃", severity=Severity.ERROR, job=job.id)

    (found,) = [one async for one in erp.alerts.find()]
    assert (found.title, found.severity) == ("Invoices", Severity.ERROR)
    assert found.message == f"Stopped (job {job.id}): größer ☃"
    assert found.at is not None


async def test_many_alerts_are_each_listed_once_newest_first_while_others_come(erp: Adapter, sandbox: Sandbox) -> None:
    for number in range(PAGE + 5):
        await erp.alerts.send("n", str(number))
        sandbox.world.clock.advance(1 if number % 3 else 0)

    texts: list[str] = []
    async for one in erp.alerts.find():
        if not texts:
            sandbox.world.clock.advance(1)
            await erp.alerts.send("n", "late")
        texts.append(one.message)

    assert sorted(texts, key=lambda text: int(text.split()[-1])) == [f"n: {number}" for number in range(PAGE + 5)]
    assert texts[0] == f"n: {PAGE + 4}"


async def test_a_text_that_is_too_long_is_refused_before_sending(erp: Adapter, requests: Requests) -> None:
    with pytest.raises(InvalidError, match=f"at most {MESSAGE} fit"):
        await erp.alerts.send("title", "x" * MESSAGE)

    assert requests("*RaiseProcessAlert") == []


async def test_an_alert_whose_answer_is_lost_is_not_raised_again(
    erp: Adapter, sandbox: Sandbox, requests: Requests
) -> None:
    sandbox.faults.add(Fault(match="*RaiseProcessAlert", kind=FaultKind.CUT))

    with pytest.raises(OutcomeUnknownError, match="look at the tenant's alerts"):
        await erp.alerts.send("title", "message")

    assert len(requests("*RaiseProcessAlert")) == 1


async def test_a_server_without_alerts_is_named_as_such(erp: Adapter, sandbox: Sandbox) -> None:
    sandbox.world.switches["uipath.alerts"] = False

    for call in (erp.alerts.send("title", "message"), anext(aiter(erp.alerts.find()))):
        with pytest.raises(UnsupportedError, match="has no alerts any more"):
            await call
    with pytest.raises(UnsupportedError, match="names a process, not a job"):
        await anext(aiter(erp.alerts.find(job="1")))
