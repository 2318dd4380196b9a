from __future__ import annotations

import base64
from typing import Any

import pytest

ERROR = {
    "type": "ValueError",
    "message": "no amount",
    "stackTrace": "Traceback ...",
    "language": "PYTHON",
    "tags": {"host_name": "r-1", "os_version": ""},
}


async def _error(wire: Any, automation: str = "Invoices") -> Any:
    task = await wire.start(automation)
    return await wire.post("/error", ERROR | {"taskId": task["id"]}, status=201)


async def test_an_error_is_created_with_201_and_read_back(wire: Any) -> None:
    error = await _error(wire)
    assert {name: error[name] for name in ERROR} == ERROR
    assert error["automationLabel"] == "Invoices"
    assert await wire.get(f"/error/{error['id']}") == error


async def test_a_screenshot_and_files_are_kept_and_do_not_show_in_the_record(wire: Any) -> None:
    error = await _error(wire)
    path = f"/error/{error['id']}"
    await wire.upload(f"{path}/screenshot", "screen.png", b"\x89PNG")
    await wire.upload(f"{path}/attachments", "piplist.txt", b"a==1")
    await wire.upload(f"{path}/attachments", "empty.txt", b"")
    assert await wire.get(path) == error
    kept = wire.state["incidents"][error["id"]]
    assert kept["screenshot"]["file_name"] == "screen.png"
    assert base64.urlsafe_b64decode(kept["screenshot"]["content"]) == b"\x89PNG"
    assert [one["file_name"] for one in kept["attachments"]] == ["piplist.txt", "empty.txt"]


async def test_errors_are_listed_by_task_automation_and_age(wire: Any) -> None:
    async def found(**query: Any) -> list[str]:
        return [one["id"] for one in (await wire.get("/error", **query))["content"]]

    wire.switch(token_lifetime=None)
    wire.world.clock.freeze()
    old = await _error(wire)
    wire.world.clock.advance(3 * 24 * 3600)
    new = await _error(wire, "Letters")
    assert await found(taskId=old["taskId"]) == [old["id"]]
    assert await found(automationLabel="Letters") == [new["id"]]
    assert await found(days=2) == [new["id"]]
    assert await found(sort="dateCreation,desc", size=2) == [new["id"], old["id"]]


async def test_unknown_errors_and_tasks_are_not_found(wire: Any) -> None:
    await wire.get("/error/999", status=404)
    await wire.upload("/error/999/screenshot", "a.png", b"a", status=404)
    await wire.upload("/error/999/attachments", "a.txt", b"a", status=404)
    await wire.post("/error", ERROR | {"taskId": 999}, status=404)
    wire.switch(check_task_ids=False)
    assert (await wire.post("/error", ERROR | {"taskId": 999}, status=201))["automationLabel"] is None


async def test_ids_can_be_numbers(wire: Any) -> None:
    assert isinstance((await _error(wire))["id"], str)
    wire.switch(numeric_error_ids=True)
    error = await _error(wire)
    assert isinstance(error["id"], int)
    assert await wire.get(f"/error/{error['id']}") == (await wire.get("/error"))["content"][1] == error


async def test_unknown_languages_can_be_refused(wire: Any) -> None:
    task = await wire.start()
    strange = ERROR | {"taskId": task["id"], "language": "COBOL"}
    await wire.post("/error", strange, status=201)
    wire.switch(refuse_unknown_languages=True)
    await wire.post("/error", strange, status=400)
    await wire.post("/error", strange | {"language": "SHELL"}, status=201)


@pytest.mark.parametrize("change", [{"type": None}, {"tags": ["a"]}, {"taskId": "x"}])
async def test_a_wrong_error_is_refused(wire: Any, change: dict[str, Any]) -> None:
    task = await wire.start()
    await wire.post("/error", ERROR | {"taskId": task["id"]} | change, status=400)
