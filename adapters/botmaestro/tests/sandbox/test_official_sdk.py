"""BotCity's own SDK from PyPI against the face: the second witness's witness."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botcity.maestro import (
    AlertType,
    AutomationTaskFinishStatus,
    BotMaestroSDK,
    Column,
    DataPoolEntry,
    ErrorType,
    MessageType,
)
from botcity.maestro.datapool import DataPool
from requests import HTTPError

from rpa_bridge.testing import SandboxThread


@pytest.fixture
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread(["botmaestro"]) as running:
        yield running


@pytest.fixture
def sdk(sandbox: SandboxThread) -> Any:
    settings = sandbox.connections["botmaestro"]
    maestro = BotMaestroSDK(settings["server"], settings["login"], settings["key"])
    maestro.login()
    return maestro


@pytest.fixture
def pool(sdk: Any) -> Any:
    """A datapool with one retry."""
    sdk.create_datapool(DataPool(label="Orders", default_automation="Invoices", max_auto_retry=1))
    return sdk.get_datapool("Orders")


@pytest.fixture
def task(sdk: Any) -> Any:
    return sdk.create_task("Invoices", {"month": "2026-10"})


def test_it_logs_in_and_is_refused_with_a_wrong_key(sandbox: SandboxThread, sdk: Any) -> None:
    assert sdk.is_online
    assert sdk.version == "4.0.0"
    settings = sandbox.connections["botmaestro"]
    with pytest.raises(ValueError, match="401"):
        BotMaestroSDK(settings["server"], settings["login"], "wrong").login()


def test_it_creates_reads_and_finishes_a_task(sandbox: SandboxThread, sdk: Any, task: Any) -> None:
    sandbox.world.lifecycle.hold = True
    seen = sdk.get_task(task.id)
    assert (seen.state, seen.parameters, seen.activity_label) == ("START", {"month": "2026-10"}, "Invoices")
    assert sdk.get_execution(task.id).parameters == {"month": "2026-10"}
    sdk.finish_task(task.id, AutomationTaskFinishStatus.PARTIALLY_COMPLETED, "most", total_items=3, failed_items=1)
    ended = sdk.get_task(task.id)
    assert (ended.state, ended.finish_status, ended.finish_message) == ("FINISHED", "PARTIALLY_COMPLETED", "most")
    assert (ended.total_items, ended.processed_items, ended.failed_items) == (3, 2, 1)
    sdk.restart_task(task.id)
    assert sdk.get_task(task.id).state == "START"


@pytest.mark.filterwarnings(r"ignore:\s*Attention. this task is not reporting items:UserWarning")
def test_it_finishes_a_task_without_counting_items(sdk: Any, task: Any) -> None:
    sdk.finish_task(str(task.id), AutomationTaskFinishStatus.SUCCESS)
    ended = sdk.get_task(task.id)
    assert (ended.finish_status, ended.total_items) == ("SUCCESS", None)


def test_it_interrupts_a_task(sdk: Any, task: Any) -> None:
    assert not sdk.get_task(task.id).is_interrupted()
    sdk.interrupt_task(task.id)
    assert sdk.get_task(task.id).is_interrupted()


@pytest.mark.parametrize("zone", [None, UTC])
def test_it_starts_a_task_later_and_not_one_that_is_unknown(sdk: Any, zone: Any) -> None:
    later = sdk.create_task("Letters", {}, priority=10, min_execution_date=datetime(2099, 1, 1, tzinfo=zone))
    assert (sdk.get_task(later.id).state, later.priority) == ("START", 10)
    assert later.min_execution_date.startswith("2099-01-01T00:00:00")
    with pytest.raises(ValueError, match="404"):
        sdk.create_task("Nothing", {})


def test_it_pushes_and_pulls_an_entry_and_reports_it_done(pool: Any, task: Any) -> None:
    pushed = pool.create_entry(DataPoolEntry(values={"amount": 3}, priority=5))
    assert pool.has_next()
    entry = pool.next(task.id)
    assert (entry.entry_id, entry.state, entry["amount"]) == (pushed.entry_id, "PROCESSING", 3)
    entry.values["booked"] = "yes"
    entry.save()
    entry.report_done("fine")
    done = pool.get_entry(pushed.entry_id)
    assert (done.state, done.message, done.task_id) == ("DONE", "fine", str(task.id))
    assert done.values == {"amount": 3, "booked": "yes"}
    assert not pool.has_next()
    assert pool.next(task.id) is None


def test_it_reports_errors_of_which_the_systems_are_retried(pool: Any) -> None:
    pool.create_entry(DataPoolEntry(values={"amount": 3}))
    first = pool.next("123")
    first.report_error(finish_message="crash")
    assert first.child is not None
    retry = pool.next("123")
    assert (retry.entry_id, retry.parent, retry.retry_index) == (first.child, first.entry_id, 1)
    retry.report_error(ErrorType.BUSINESS, "no amount")
    assert (retry.state, retry.error_type, retry.child) == ("ERROR", "BUSINESS", None)
    assert pool.summary()["countError"] == 2


def test_it_cancels_and_deletes_entries(pool: Any) -> None:
    entry = pool.create_entry(DataPoolEntry(values={}))
    assert pool.cancel_entry(entry.entry_id, "not needed").state == "CANCELED"
    pool.delete_entry(entry.entry_id)
    with pytest.raises(HTTPError, match="404"):
        pool.get_entry(entry.entry_id)


def test_it_deactivates_activates_and_deletes_a_datapool(sdk: Any, pool: Any) -> None:
    assert (pool.default_automation, pool.schema) == ("Invoices", [])
    pool.create_entry(DataPoolEntry(values={}))
    pool.deactivate()
    assert not pool.is_active()
    assert pool.next("1") is None
    pool.activate()
    assert pool.next("1") is not None
    pool._delete()
    with pytest.raises(HTTPError, match="404"):
        sdk.get_datapool("Orders")


def test_it_writes_and_reads_a_log(sdk: Any) -> None:
    columns = [Column("Number", "number", 100), Column("Amount", "amount", 50)]
    sdk.new_log("Bookings", columns)
    sdk.new_log_entry("Bookings", {"number": "R-1", "amount": 2.5})
    assert sdk.get_log("Bookings") == [{"Number": "R-1", "Amount": 2.5}]
    with pytest.raises(ValueError, match="400"):
        sdk.new_log("Bookings", columns)
    sdk.delete_log("Bookings")
    with pytest.raises(ValueError, match="404"):
        sdk.get_log("Bookings")


def test_it_posts_lists_and_gets_files(sdk: Any, task: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.bin"
    for number in range(7):
        file.write_bytes(bytes([number, 0, 255]) * number)
        sdk.post_artifact(task.id, f"report-{number}", str(file))
    listed = sdk.list_artifacts()
    assert sorted(one.name for one in listed) == [f"report-{number}.bin" for number in range(7)]
    contents = {sdk.get_artifact(one.id) for one in listed}
    assert contents == {(f"report-{number}.bin", bytes([number, 0, 255]) * number) for number in range(7)}


def test_it_sends_alerts_and_messages(sandbox: SandboxThread, sdk: Any, task: Any) -> None:
    sdk.alert(task.id, "Look", "No paper", AlertType.WARN)
    sdk.alert(str(task.id), "Look", "Still no paper", AlertType.ERROR)
    sdk.message(["a@acme.example"], ["ann"], "Hello", "<b>!</b>", MessageType.HTML)
    kept = sandbox.sandbox.dump()["faces"]["botmaestro"]
    assert [one["message"] for one in kept["alerts"]] == ["No paper", "Still no paper"]
    assert [one["subject"] for one in kept["messages"]] == ["Hello"]
    with pytest.raises(ValueError, match="50 recipients"):
        sdk.message(["a@acme.example"] * 51, [], "Hello", "!", MessageType.TEXT)


def test_it_creates_reads_updates_and_removes_credentials(sdk: Any) -> None:
    sdk.create_credential("bank", "user", "ann")
    sdk.create_credential("bank", "pin", "01234")
    assert [sdk.get_credential("bank", key) for key in ("user", "pin")] == ["ann", "01234"]
    sdk.update_credential("bank", "pin", "größer")
    assert [sdk.get_credential("bank", key) for key in ("user", "pin")] == ["ann", "größer"]
    sdk.remove_credential("bank", "user")
    sdk.remove_credential("bank", "pin")
    with pytest.raises(ValueError, match="404"):
        sdk.get_credential("bank", "user")


@pytest.mark.filterwarnings(r"ignore:distro.linux_distribution\(\) is deprecated:DeprecationWarning")
def test_it_reports_an_error_with_screenshot_and_files(
    sandbox: SandboxThread, sdk: Any, task: Any, tmp_path: Path
) -> None:
    screenshot, note = tmp_path / "screen.png", tmp_path / "note.txt"
    screenshot.write_bytes(b"\x89PNG")
    note.write_text("it was dark")
    made = sdk.error(task.id, ValueError("no amount"), str(screenshot), [str(note)], {"os_name": "mine"})
    assert (made["type"], made["message"], made["tags"]["os_name"]) == ("ValueError", "no amount", "mine")
    kept = sandbox.sandbox.dump()["faces"]["botmaestro"]["incidents"][made["id"]]
    assert kept["screenshot"]["file_name"] == "screen.png"
    assert [one["file_name"] for one in kept["attachments"]] == ["piplist.txt", "note.txt"]
