"""Robot logs on UiPath: lines have no ids and may share their times, and none is lost or told twice."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rpa_bridge import Adapter, InvalidError, LogEntry, NotFoundError, ProtocolError, Severity
from rpa_bridge.sandbox.lifecycle import Ending
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge_uipath import logs
from rpa_bridge_uipath.adapter import LIMITS
from rpa_bridge_uipath.automations import UiPathAutomations
from rpa_bridge_uipath.jobs import UiPathJobs
from rpa_bridge_uipath.logs import UiPathLogs

LOOK = "GET */odata/RobotLogs*"
START = datetime(2026, 10, 1, tzinfo=UTC)
Requests = Callable[[str], list[Exchange]]


async def submit(erp: Adapter, moments: list[int], *, level: str = "Info") -> list[str]:
    """Writes a line at each of these microseconds, as a robot would; their messages by time."""
    lines = [
        {"message": f"{number} größer ☃", "level": level, "timeStamp": at(moment).isoformat()}
        for number, moment in enumerate(moments)
    ]
    request = Request(
        "POST",
        "/api/Logs/SubmitLogs",
        effect=Effect.BLIND,
        operation="raw",
        json=[json.dumps(line) for line in lines],
        headers={"X-UIPATH-FolderPath": "Shared"},
    )
    await erp.raw.send(request)
    return [str(line["message"]) for line in sorted(lines, key=lambda line: str(line["timeStamp"]))]


def at(moment: int) -> datetime:
    """A time some microseconds after the start."""
    return START + timedelta(microseconds=moment)


async def told(erp: Adapter, **how: Any) -> list[LogEntry]:
    """All entries."""
    return [entry async for entry in erp.logs.find(**how)]


def asked(exchange: Exchange) -> dict[str, str]:
    """The query of a request."""
    return {name: values[0] for name, values in parse_qs(urlsplit(exchange.path).query).items()}


def scripted(script: Any) -> UiPathLogs:
    """The service on answers on order."""
    client = script.client
    jobs = UiPathJobs(client, script.clock, UiPathAutomations(client, script.clock), LIMITS)
    return UiPathLogs(client, script.clock, jobs)


async def test_what_a_robot_wrote_of_a_job_is_told_oldest_first(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.world.lifecycle.endings["Letters"] = Ending(outcome="failed", message="it is broken")
    job = await erp.jobs.wait(await erp.jobs.start("Letters"), timeout=60)

    entries = await told(erp)

    words = [(entry.message, entry.severity) for entry in entries]
    assert words == [
        ("Letters execution started", Severity.INFO),
        ("it is broken", Severity.ERROR),
        ("Letters execution ended", Severity.INFO),
    ]
    assert {entry.job for entry in entries} == {job.raw_data["Key"]}
    assert {entry.robot for entry in entries} == {"robot-701"}


async def test_a_jobs_lines_are_asked_for_by_its_key(erp: Adapter, requests: Requests) -> None:
    job = await erp.jobs.wait(await erp.jobs.start("Letters"), timeout=60)
    await erp.jobs.wait(await erp.jobs.start("Invoices"), timeout=60)
    key = str(job.raw_data["Key"])
    looks = len(requests("GET */odata/Jobs*"))

    by_number, by_key = await told(erp, job=job.id), await told(erp, job=key.upper())

    assert by_number == by_key
    assert {entry.job for entry in by_number} == {key}
    assert [asked(one)["$filter"] for one in requests(LOOK)] == [f"JobKey eq {key}"] * 2
    assert len(requests("GET */odata/Jobs*")) == looks + 1, "a key need not be looked up"


async def test_lines_of_an_unknown_job_are_not_no_lines(erp: Adapter, requests: Requests) -> None:
    for job in ("999999", "no id", "1' or 1 eq 1"):
        with pytest.raises(NotFoundError, match="there is no job"):
            await told(erp, job=job)
    assert requests(LOOK) == []


async def test_times_are_compared_by_the_server(erp: Adapter, requests: Requests) -> None:
    await submit(erp, [0, 1, 2, 3])

    entries = await told(erp, since=at(1), until=at(3))

    assert [entry.at for entry in entries] == [at(1), at(2)], "from, and before"
    assert asked(requests(LOOK)[0])["$filter"] == (
        "TimeStamp ge 2026-10-01T00:00:00.000001Z and TimeStamp lt 2026-10-01T00:00:00.000003Z"
    )


@pytest.mark.parametrize(
    ("how", "kind", "sentence"),
    [
        ({"since": datetime(2026, 1, 1)}, InvalidError, "since has no time zone"),  # noqa: DTZ001 - on purpose
        ({"until": datetime(2026, 1, 1)}, InvalidError, "until has no time zone"),  # noqa: DTZ001 - on purpose
        ({"log": "Größe"}, NotFoundError, "no log 'Größe': Orchestrator keeps one for each folder"),
    ],
)
async def test_what_uipath_cannot_tell_is_refused_unsent(
    sandbox: Sandbox, erp: Adapter, how: dict[str, Any], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        await told(erp, **how)
    assert sandbox.world.exchanges == []


@pytest.mark.parametrize("word", ["Trace", "Debug", "Info", "Warn", "Error", "Fatal"])
async def test_each_level_has_its_severity(erp: Adapter, word: str) -> None:
    await submit(erp, [0], level=word)

    severities = {"Trace": "debug", "Warn": "warning"}
    assert [entry.severity for entry in await told(erp)] == [severities.get(word, word.lower())]


@pytest.mark.parametrize("seed", range(12))
async def test_lines_are_told_once_however_their_times_fall_on_pages(
    erp: Adapter, requests: Requests, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(logs, "LINES", 4)
    rng = random.Random(seed)  # noqa: S311 - it spreads times
    moments = [rng.randrange(rng.choice((1, 3, 30))) for _ in range(40)]
    written = await submit(erp, moments)

    entries = await told(erp)

    assert [entry.message for entry in entries] == written
    for one in requests(LOOK):
        query = asked(one)
        assert int(query["$top"]) + int(query.get("$skip", 0)) <= logs.WINDOW


async def test_equal_lines_of_one_moment_are_as_many_as_were_written(
    erp: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LINES", 2)
    for _ in range(5):
        await submit(erp, [7])

    assert [entry.at for entry in await told(erp)] == [at(7)] * 5


async def test_the_window_is_never_exceeded_and_more_in_one_moment_is_said(
    erp: Adapter, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LINES", 2)
    monkeypatch.setattr(logs, "WINDOW", 4)
    await submit(erp, [0, 5, 5, 5, 5, 9])

    entries = erp.logs.find()
    assert [(await anext(entries)).at for _ in range(5)] == [at(0), *[at(5)] * 4]
    with pytest.raises(InvalidError, match=r"4 entries or more are of 2026-10-01T00:00:00\.000005"):
        await anext(entries)
    assert all(int(asked(one)["$top"]) + int(asked(one).get("$skip", 0)) <= 4 for one in requests(LOOK))


async def test_a_server_with_finer_times_loses_no_line(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LINES", 2)
    fine = [{"TimeStamp": f"2026-10-01T00:00:00.000000{digit}Z", "Message": digit} for digit in "159"]
    script.page(*fine[:2])
    script.page(*fine[:2])
    script.page(fine[2])
    script.page()

    entries = [entry.message async for entry in scripted(script).find()]

    assert entries == ["1", "5", "9"]
    assert [one.params.get("$skip") for one in script.requests] == [None, None, "2", None]


@pytest.mark.parametrize(
    "rows",
    [
        [{"TimeStamp": at(2).isoformat()}, {"TimeStamp": at(1).isoformat()}],
        [{"TimeStamp": None}],
        [{"TimeStamp": "yesterday"}],
        [{"TimeStamp": at(-1).isoformat()}],
    ],
)
async def test_lines_that_are_out_of_order_are_not_read_on(script: Any, rows: list[dict[str, Any]]) -> None:
    script.page(*rows)

    with pytest.raises(ProtocolError):
        _ = [entry async for entry in scripted(script).find(since=START)]
