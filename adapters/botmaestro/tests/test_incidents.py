"""Incidents: reported once, with their files, and without known secrets."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge import Adapter, AuthError, InvalidError, NotFoundError, OutcomeUnknownError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.content import Content
from rpa_bridge_botmaestro import incidents
from rpa_bridge_botmaestro.incidents import BotMaestroIncidents

Kept = Callable[[], Any]
Requests = Callable[[str], list[Exchange]]
REPORT, SCREENSHOT, ATTACHMENT = "POST */error", "POST */error/*/screenshot", "POST */error/*/attachments"
LOST = [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML, FaultKind.STATUS]


@pytest.fixture
async def job(maestro: Adapter) -> str:
    return (await maestro.jobs.start("Letters")).id


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A screenshot, and two attachments with awkward names, one of them empty."""
    given = {"screen.png": b"\x89PNG\r\n", 'größer "☃" 100 %.txt': b"notes", "empty.txt": b""}
    for name, content in given.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in given]


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except type(error) as caught:
        return caught


def the_one(state: Any) -> Any:
    (incident,) = state["incidents"].values()
    return incident


def content(file: Any) -> tuple[str, bytes]:
    return file["file_name"], b64decode(file["content"], "-_")


async def test_an_exception_is_reported_with_its_cause_its_files_and_where_it_was(
    maestro: Adapter, kept: Kept, job: str, files: list[Path]
) -> None:
    try:
        try:
            raise KeyError("größer ☃")
        except KeyError as cause:
            raise ZeroDivisionError("by nothing") from cause
    except ZeroDivisionError as caught:
        error = caught

    incident = await maestro.incidents.report(
        error, job=job, screenshot=files[0], attachments=files[1:], tags={"host_name": "mine", "customer": "größer"}
    )

    stored = the_one(kept())
    assert (stored["task_id"], stored["type"], stored["message"]) == (int(job), "ZeroDivisionError", "by nothing")
    assert stored["language"] == "PYTHON"
    for part in ("KeyError: 'größer ☃'", "direct cause", "ZeroDivisionError: by nothing", "test_incidents.py"):
        assert part in stored["stack_trace"]
    assert (stored["tags"]["host_name"], stored["tags"]["customer"]) == ("mine", "größer")
    assert {"os_name", "os_version", "python_version"} <= set(stored["tags"])
    assert content(stored["screenshot"]) == ("screen.png", b"\x89PNG\r\n")
    assert [content(one)[1] for one in stored["attachments"]] == [b"notes", b""]
    assert content(stored["attachments"][1])[0] == "empty.txt"
    assert (incident.id, incident.type, incident.job) == (stored["id"], "ZeroDivisionError", job)
    assert (incident.tags, incident.stack_trace) == (stored["tags"], stored["stack_trace"])


async def test_known_secrets_are_masked_wherever_they_stand(maestro: Adapter, kept: Kept, job: str) -> None:
    REDACTOR.add("canary-größer-☃")
    error = raised(ValueError("login canary-größer-☃ failed"))
    error.__cause__ = raised(OSError("canary-größer-☃"))

    await maestro.incidents.report(error, job=job, tags={"login": "robot/canary-größer-☃"})

    stored = the_one(kept())
    assert stored["message"] == "login *** failed"
    assert stored["tags"]["login"] == "robot/***"
    assert "canary-größer" not in str(stored)


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UnspeakableError(), "UnspeakableError"),
        (OSError("no file 'caf\udce9'"), "OSError"),
        (ExceptionGroup("two", [ValueError("one"), KeyError("other")]), "ExceptionGroup"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (ValueError("\x00\x1b[31m"), "ValueError"),
    ],
)
async def test_any_exception_can_be_reported(
    maestro: Adapter, kept: Kept, job: str, error: BaseException, kind: str
) -> None:
    assert (await maestro.incidents.report(raised(error), job=job)).type == kind
    assert kind in the_one(kept())["stack_trace"]


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("when", When)
async def test_a_report_whose_answer_is_lost_is_not_repeated(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests, job: str, kind: FaultKind, when: When
) -> None:
    sandbox.world.faults.add(Fault(kind, match=REPORT, when=when))

    with pytest.raises(OutcomeUnknownError, match=rf"the error may stand on task {job}; look at its errors"):
        await maestro.incidents.report(ValueError("a test"), job=job)

    assert len(requests(REPORT)) == 1
    assert len(kept()["incidents"]) == (when is When.AFTER)


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("when", When)
async def test_an_attachment_whose_answer_is_lost_names_the_incident_and_is_not_doubled(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, job: str, files: list[Path], kind: FaultKind, when: When
) -> None:
    sandbox.world.faults.add(Fault(kind, match=ATTACHMENT, when=when))

    with pytest.raises(OutcomeUnknownError) as caught:
        await maestro.incidents.report(ValueError("a test"), job=job, attachments=files)

    stored = the_one(kept())
    assert f"incident {stored['id']} is there, but its file 'screen.png' and those after it" in str(caught.value)
    assert "do not report it again" in str(caught.value)
    assert len(stored["attachments"]) == (when is When.AFTER)


async def test_a_screenshot_is_sent_again_since_it_replaces_itself(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, job: str, files: list[Path]
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=SCREENSHOT))
    await maestro.incidents.report(ValueError("a test"), job=job, screenshot=files[0], attachments=files[1:2])
    stored = the_one(kept())
    assert content(stored["screenshot"]) == ("screen.png", b"\x89PNG\r\n")
    assert len(stored["attachments"]) == 1


@pytest.mark.parametrize("kind", LOST)
async def test_a_screenshot_that_cannot_be_sent_names_the_incident(
    sandbox: Sandbox, maestro: Adapter, kept: Kept, requests: Requests, job: str, files: list[Path], kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind, match=SCREENSHOT, times=99))
    with pytest.raises(OutcomeUnknownError, match=r"incident \d+ is there, but its file 'screen.png'"):
        await maestro.incidents.report(ValueError("a test"), job=job, screenshot=files[0], attachments=files[1:])
    assert the_one(kept())["screenshot"] is None
    assert not requests(ATTACHMENT)


@pytest.mark.parametrize("size", [None, 0, 900])
async def test_a_file_that_changes_meanwhile_names_the_incident(
    maestro: Adapter, kept: Kept, job: str, files: list[Path], monkeypatch: pytest.MonkeyPatch, size: int | None
) -> None:
    file, opened = files[0], incidents._content

    def opened_then_changed(path: Path, operation: str) -> Content:
        content = opened(path, operation)
        if size is None:
            file.unlink()
        else:
            file.write_bytes(b"x" * size)
        return content

    monkeypatch.setattr(incidents, "_content", opened_then_changed)
    with pytest.raises(OutcomeUnknownError, match=r"incident \d+ is there, but its file 'screen.png'.*\("):
        await maestro.incidents.report(ValueError("a test"), job=job, attachments=[file])
    assert the_one(kept())["attachments"] == []


async def test_a_file_that_cannot_be_read_is_refused_before_anything_is_sent(
    maestro: Adapter, requests: Requests, files: list[Path], tmp_path: Path
) -> None:
    for bad in (tmp_path / "missing.png", tmp_path):
        for screenshot, attachments in ((bad, files[1:]), (files[0], [files[1], bad])):
            with pytest.raises(InvalidError, match="cannot be read"):
                await maestro.incidents.report(
                    ValueError("a test"), job="1", screenshot=screenshot, attachments=attachments
                )
    with pytest.raises(NotFoundError, match="there is no task 'one'"):
        await maestro.incidents.report(ValueError("a test"), job="one")
    assert not requests("*")


async def test_a_report_that_is_refused_keeps_its_error(sandbox: Sandbox, maestro: Adapter, kept: Kept) -> None:
    with pytest.raises(NotFoundError, match="Task 4711 not found"):
        await maestro.incidents.report(ValueError("a test"), job="4711")
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=REPORT, status=401, times=9))
    with pytest.raises(AuthError):
        await maestro.incidents.report(ValueError("a test"), job="4711")
    assert not kept()["incidents"]


@pytest.mark.parametrize("numeric", [False, True])
async def test_incidents_are_found_newest_first_and_by_task(
    sandbox: Sandbox, maestro: Adapter, job: str, numeric: bool
) -> None:
    sandbox.world.switches |= {"botmaestro.numeric_error_ids": numeric, "botmaestro.max_page_size": 1}
    other = (await maestro.jobs.start("Letters")).id
    sandbox.world.clock.freeze()
    made = []
    for number in range(3):
        for task in (job, other):
            sandbox.world.clock.advance(1)
            made.append(await maestro.incidents.report(ValueError(f"{number}"), job=task))

    assert [one async for one in maestro.incidents.find()] == list(reversed(made))
    assert [(one.message, one.job) async for one in maestro.incidents.find(job=job)] == [(n, job) for n in "210"]


async def test_an_answer_of_nothing_but_an_id_is_enough(script: Any) -> None:
    script.answer({"id": 7, "taskId": None, "tags": None}, status=201)
    incident = await BotMaestroIncidents(script.client, script.clock).report(
        ValueError("a test"), job="1", tags={"customer": "me"}
    )
    assert (incident.id, incident.type, incident.message, incident.job) == ("7", "ValueError", "a test", "1")
    assert incident.tags["customer"] == "me"


async def test_what_a_server_may_leave_out_or_write_otherwise_is_read(script: Any) -> None:
    script.page(
        {"id": 1, "taskId": "7", "message": None, "type": None, "stackTrace": None, "tags": None},
        {"id": "b", "taskId": 7, "tags": {"a": None, "n": 3}, "dateCreation": "some day"},
        {"id": "c", "taskId": 8},
        last=True,
    )
    found = [one async for one in BotMaestroIncidents(script.client, script.clock).find(job="7")]
    assert [(one.id, one.job, one.tags, one.at) for one in found] == [
        ("1", "7", {}, None),
        ("b", "7", {"a": "", "n": "3"}, None),
    ]
    assert (found[0].type, found[0].message, found[0].stack_trace) == ("", "", None)
