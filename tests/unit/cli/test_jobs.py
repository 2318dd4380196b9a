from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.contract.jobs import Job, JobOutcome, JobService, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.errors import UnavailableError

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Platform, Run


def test_a_start_carries_all_that_was_said(run: Run, platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "inputs.json").write_text('{"month": "2026-09", "copies": 2}')
    result = run(
        *("jobs", "start", "Invoices", "--inputs-file", "inputs.json", "-i", "month=2026-10", "-i", "dry:=true"),
        *("--key", "k1", "--priority", "HIGH", "--not-before", "2030-01-01T08:00Z", "--option", "RobotSize=small"),
    )
    assert result.code == 0
    assert platform.asked == [
        (
            "jobs.start",
            {
                "automation": "Invoices",
                "inputs": {"month": "2026-10", "copies": 2, "dry": True},
                "key": "k1",
                "priority": Priority.HIGH,
                "not_before": datetime(2030, 1, 1, 8, tzinfo=UTC),
                "options": {"RobotSize": "small"},
            },
        )
    ]


def test_inputs_may_come_from_standard_input(run: Run, platform: Platform) -> None:
    assert run("jobs", "start", "Invoices", "--inputs-file", "-", input='{"month": "2026-10"}').code == 0
    assert platform.jobs["1"].inputs == {"month": "2026-10"}


def test_a_start_without_waiting_shows_the_job_as_accepted(run: Run) -> None:
    shown = run("jobs", "start", "Invoices", "-o", "json").json
    assert (shown["id"], shown["state"], shown["outcome"]) == ("1", "pending", None)
    assert "raw_data" not in shown


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (JobOutcome.SUCCEEDED, 0),
        (JobOutcome.PARTIAL, 0),
        (JobOutcome.FAILED, 3),
        (JobOutcome.STOPPED, 3),
    ],
)
def test_the_exit_code_of_a_wait_tells_how_the_job_ended(
    run: Run, platform: Platform, outcome: JobOutcome, code: int
) -> None:
    platform.outcome = outcome
    started = run("jobs", "start", "Invoices", "--wait", "-o", "json")
    assert (started.code, started.json["outcome"]) == (code, outcome)
    waited = run("jobs", "wait", "1", "-o", "json")
    assert (waited.code, waited.json["outcome"]) == (code, outcome)


def test_a_wait_that_takes_too_long_still_tells_which_job_was_started(run: Run, platform: Platform) -> None:
    platform.outcome = None
    result = run("jobs", "start", "Invoices", "--wait", "--timeout", "15m", "-o", "json")
    assert result.code == 6
    assert result.json["id"] == "1"
    assert result.err.startswith("memory: started job 1\nerror: ")


def test_a_wait_that_breaks_still_tells_which_job_was_started(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: JobService, job: Job | str, **_: object) -> Job:
        raise UnavailableError("the server is down; try again later")

    monkeypatch.setattr(JobService, "wait", broken)
    result = run("jobs", "start", "Invoices", "--wait", "-o", "json")
    assert result.code == 11
    assert result.json["id"] == "1"


def test_a_timeout_without_a_wait_is_a_mistake(run: Run, platform: Platform) -> None:
    assert run("jobs", "start", "Invoices", "--timeout", "15m").code == 2
    assert platform.jobs == {}


def test_several_jobs_are_shown_as_they_end(run: Run, platform: Platform) -> None:
    run("jobs", "start", "Invoices")
    run("jobs", "start", "Letters")
    platform.outcome = JobOutcome.FAILED
    result = run("jobs", "wait", "1", "2", "-o", "json")
    assert result.code == 3
    assert [one["automation"] for one in result.json] == ["Invoices", "Letters"]


def test_filters_of_a_list_reach_the_platform(run: Run, platform: Platform) -> None:
    run("jobs", "list", "--automation", "Invoices", "--state", "running", "--key", "k", "--since", "2030-01-01T00:00Z")
    assert platform.asked == [
        (
            "jobs.find",
            {
                "automation": "Invoices",
                "state": JobState.RUNNING,
                "key": "k",
                "since": datetime(2030, 1, 1, tzinfo=UTC),
            },
        )
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("stop", "1", "--force"),
        ("restart", "1"),
        ("resume", "1", "-i", "approved:=true"),
        ("report", "1", "partial", "--processed", "1", "--failed", "2", "--message", "m", "-r", "a=b"),
    ],
)
def test_verbs_that_the_platform_lacks_are_refused_unasked(
    run: Run, platform: Platform, arguments: tuple[str, ...]
) -> None:
    assert run("jobs", *arguments).code == 9
    assert platform.asked == []
