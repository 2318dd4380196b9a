"""Standard tests of alerts."""

from __future__ import annotations

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.model import Severity

from .stage import Stage, listed
from .standard import requires

SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.ERROR)


class AlertTests:
    """Standard tests of what people are told."""

    @requires(Feature.ALERT_SEND)
    async def test_an_alert_of_each_severity_is_accepted(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.automation)
        for severity in SEVERITIES:
            await stage.adapter.alerts.send("größer ☃", "it's 100 %", severity=severity, job=job.id)

    @requires(Feature.ALERT_FIND, Feature.ALERT_SEND)
    async def test_alerts_are_found_newest_first(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.automation)
        for severity in SEVERITIES:
            await stage.adapter.alerts.send(f"alert {severity}", "größer ☃", severity=severity, job=job.id)
            stage.harness.advance(1)
        found = await listed(stage.adapter.alerts.find(job=job.id))
        assert [one.severity for one in found] == list(reversed(SEVERITIES))
        assert {(one.message, one.job) for one in found} == {("größer ☃", job.id)}

    @requires(Feature.ALERT_FIND)
    async def test_each_alert_is_listed_once(self, stage: Stage) -> None:
        found = await listed(stage.adapter.alerts.find())
        assert len({one.id for one in found}) == len(found)
