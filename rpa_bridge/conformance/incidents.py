"""Standard tests of incidents."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import BridgeError

from .stage import Stage, listed
from .standard import requires


def _files(folder: str) -> tuple[Path, Path]:
    screenshot, notes = Path(folder, "screen.png"), Path(folder, "größer.txt")
    screenshot.write_bytes(b"\x89PNG\r\n\x1a\n")
    notes.write_bytes(b"notes")
    return screenshot, notes


class IncidentTests:
    """Standard tests of reported exceptions."""

    @requires(Feature.INCIDENT_REPORT)
    async def test_an_exception_is_reported_with_its_files(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.automation)
        with TemporaryDirectory() as folder:
            screenshot, notes = _files(folder)
            incident = await stage.adapter.incidents.report(
                ZeroDivisionError("by nothing ☃"),
                job=job.id,
                screenshot=screenshot,
                attachments=[notes],
                tags={"customer": "größer"},
            )
        assert incident.id
        assert (incident.type, incident.message, incident.job) == ("ZeroDivisionError", "by nothing ☃", job.id)
        assert incident.tags["customer"] == "größer"

    @requires(Feature.INCIDENT_REPORT)
    async def test_a_file_that_is_not_there_is_refused_before_sending(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.automation)
        with TemporaryDirectory() as folder, stage.refused(BridgeError, unsent=True) as caught:
            missing = Path(folder, "missing.png")
            await stage.adapter.incidents.report(RuntimeError("a test"), job=job.id, screenshot=missing)
        assert "missing.png" in str(caught.value)

    @requires(Feature.INCIDENT_FIND, Feature.INCIDENT_REPORT)
    async def test_incidents_are_found_newest_first(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.automation)
        for number in range(3):
            await stage.adapter.incidents.report(RuntimeError(f"number {number}"), job=job.id)
            stage.harness.advance(1)
        found = await listed(stage.adapter.incidents.find(job=job.id))
        assert [one.message for one in found] == ["number 2", "number 1", "number 0"]
        assert {one.job for one in found} == {job.id}

    @requires(Feature.INCIDENT_FIND)
    async def test_each_incident_is_listed_once(self, stage: Stage) -> None:
        found = await listed(stage.adapter.incidents.find())
        assert len({one.id for one in found}) == len(found)
