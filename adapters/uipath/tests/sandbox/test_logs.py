from __future__ import annotations

import json
from typing import Any

import pytest

from rpa_bridge.sandbox.lifecycle import Ending

TOTAL = "/odata/RobotLogs/UiPath.Server.Configuration.OData.GetTotalCount"
LINE = {"message": "It's done: grün", "level": "Information", "timeStamp": "2026-01-18T14:46:07.4152893+02:00"}


async def _lines(wire: Any, **options: str) -> list[Any]:
    query = {f"${name}": value for name, value in options.items()}
    found: list[Any] = (await wire.ask("GET", "/odata/RobotLogs", query=query, status=200)).values
    return found


async def _ended(wire: Any, name: str = "Invoices") -> Any:
    """A job that was looked at until it was over."""
    job = await wire.start(ReleaseName=name)
    return (await wire.ask("GET", f"/odata/Jobs({job['Id']})", status=200)).body


async def _submit(wire: Any, *lines: Any, status: int = 200, **names: str) -> Any:
    headers = wire.in_folder(**names)
    texts = [json.dumps(line) for line in lines]
    return await wire.ask("POST", "/api/Logs/SubmitLogs", texts, headers=headers, status=status)


async def test_a_job_writes_down_its_start_and_its_end(wire: Any) -> None:
    job = await _ended(wire)
    lines = await _lines(wire)
    assert [(line["Level"], line["Message"]) for line in lines] == [
        ("Info", "Invoices execution started"),
        ("Info", "Invoices execution ended"),
    ]
    assert (lines[0]["TimeStamp"], lines[1]["TimeStamp"]) == (job["StartTime"], job["EndTime"])
    assert {line["JobKey"] for line in lines} == {job["Key"]}
    assert {line["Id"] for line in lines} == {0}, "a line has no id of its own"
    assert lines[0]["HostMachineName"] == job["HostMachineName"]
    assert json.loads(lines[0]["RawMessage"])["jobId"] == job["Key"]
    assert (await wire.ask("GET", TOTAL, status=200)).body["value"] == 2


async def test_a_failed_job_writes_down_why(wire: Any) -> None:
    wire.world.lifecycle.endings["Letters"] = Ending("failed", "The printer's on fire")
    await _ended(wire, "Letters")
    await _ended(wire, "Invoices")
    errors = await _lines(wire, filter="Level ge 'Error'")
    assert [line["Message"] for line in errors] == ["The printer's on fire"]
    assert await _lines(wire, filter="Level ge '4'") == errors
    quoted = "ProcessName eq 'Letters' and contains(Message,'printer''s')"
    assert await _lines(wire, filter=quoted) == errors


async def test_a_job_that_waits_has_written_nothing_and_one_that_runs_has_not_ended(wire: Any) -> None:
    wire.world.clock.freeze()
    wire.world.lifecycle.seconds = 60
    await wire.start()
    assert await _lines(wire) == []
    wire.world.clock.advance(40)
    assert [line["Message"] for line in await _lines(wire)] == ["Invoices execution started"]
    wire.world.clock.advance(40)
    assert len(await _lines(wire)) == 2


async def test_lines_are_found_by_job_and_by_time_and_in_their_folder_only(wire: Any) -> None:
    wire.world.clock.freeze()
    first = await _ended(wire)
    wire.world.clock.advance(10)
    second = await _ended(wire)
    assert {line["JobKey"] for line in await _lines(wire, filter=f"JobKey eq {second['Key']}")} == {second["Key"]}
    later = await _lines(wire, filter=f"TimeStamp gt {first['EndTime']}", orderby="TimeStamp desc", count="true")
    assert {line["JobKey"] for line in later} == {second["Key"]}
    finance = await wire.ask("GET", "/odata/RobotLogs", headers=wire.in_folder(FolderPath="Finance"), status=200)
    assert finance.values == []
    assert (await wire.ask("GET", "/odata/RobotLogs", headers=wire.in_folder(), status=400)).code == 1101


async def test_lines_that_are_sent_in_go_to_their_jobs_folder(wire: Any) -> None:
    job = await _ended(wire)
    line = LINE | {"jobId": job["Key"], "windowsIdentity": "ACME\\me", "colour": "rot"}
    await _submit(wire, line)
    await _submit(wire, LINE | {"level": "Warning", "jobId": job["Key"]}, FolderPath="Finance")
    first, second = await _lines(wire, filter="TimeStamp lt 2026-02-01T00:00:00Z")
    assert (first["Message"], first["Level"], first["Id"]) == ("It's done: grün", "Info", 0)
    assert first["TimeStamp"] == "2026-01-18T12:46:07.415289Z"
    assert (first["JobKey"], first["ProcessName"]) == (job["Key"], "Invoices")
    assert first["WindowsIdentity"] == "ACME\\me"
    assert json.loads(first["RawMessage"]) == line
    assert second["Level"] == "Warn"


async def test_lines_without_a_job_go_to_the_folder_that_was_named(wire: Any) -> None:
    await wire.ask("POST", "/api/Logs", LINE, headers=wire.in_folder(FolderPath="Shared/Reports"), status=200)
    assert await _lines(wire) == []
    reports = wire.in_folder(FolderPath="Shared/Reports")
    (line,) = (await wire.ask("GET", "/odata/RobotLogs", headers=reports, status=200)).values
    assert (line["JobKey"], line["Message"]) == (None, LINE["message"])
    assert (await _submit(wire, LINE, status=400)).code == 1009, "it would be shown nowhere"


@pytest.mark.parametrize(
    "line",
    [
        "text",
        {"level": "Info", "timeStamp": LINE["timeStamp"]},
        LINE | {"level": "Loud"},
        LINE | {"timeStamp": "yesterday"},
        LINE | {"timeStamp": None},
        LINE | {"message": {"nested": True}},
    ],
)
async def test_one_wrong_line_keeps_all_of_its_request_out(wire: Any, line: Any) -> None:
    assert (await _submit(wire, LINE, line, status=400, FolderPath="Shared")).code in (0, 1009)
    assert await _lines(wire) == []


async def test_lines_are_texts_in_an_array(wire: Any) -> None:
    for body in (LINE, [LINE], "x"):
        assert (await wire.ask("POST", "/api/Logs/SubmitLogs", body, status=400)).code == 0


async def test_nothing_is_seen_through_the_window_beyond_ten_thousand_rows(wire: Any) -> None:
    for first in (0, 5005):
        lines = [LINE | {"message": str(number)} for number in range(first, first + 5005)]
        await _submit(wire, *lines, FolderPath="Shared")
    last = await _lines(wire, skip="9990", top="10")
    assert [line["Message"] for line in last] == [str(number) for number in range(9990, 10_000)]
    for skip, top in (("9991", "10"), ("10000", "1"), ("9500", None)):
        query = {"$skip": skip} | ({"$top": top} if top else {})
        assert (await wire.ask("GET", "/odata/RobotLogs", query=query, status=400)).code == 1000
    assert (await wire.ask("GET", TOTAL, status=200)).body["value"] == 10_010


async def test_reading_and_writing_logs_take_their_scopes(wire: Any) -> None:
    for scope, read, written in (("OR.Monitoring.Read", 200, 403), ("OR.Monitoring.Write", 403, 200)):
        token = (await wire.log_in(scope=scope)).body["access_token"]
        headers = wire.headers | {"Authorization": f"Bearer {token}"}
        await wire.ask("GET", "/odata/RobotLogs", headers=headers, status=read)
        await wire.ask("POST", "/api/Logs", LINE, headers=headers, status=written)
