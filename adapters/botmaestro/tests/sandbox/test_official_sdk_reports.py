"""BotCity's own SDK against the face: alerts, messages, logs, errors. Its defects are named; docs: botmaestro.md 12"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botcity.maestro import AlertType, Column, MessageType

from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.testing import SandboxThread

COLUMNS = [Column("Number", "number", 100), Column("Amount", "amount", 50)]


@pytest.fixture
def log(sdk: Any) -> str:
    """The label of a log."""
    sdk.new_log("Bookings", COLUMNS)
    return "Bookings"


def _kept(sandbox: SandboxThread) -> Any:
    return sandbox.sandbox.dump()["faces"]["botmaestro"]


def test_it_sends_alerts(sandbox: SandboxThread, sdk: Any, task: Any) -> None:
    first = sdk.alert(task.id, "Look", "No paper", AlertType.WARN)
    sdk.alert(str(task.id), "Look", "Still no paper", AlertType.ERROR)
    assert (first.message, first.type, json.loads(first.payload)["taskId"]) == ("No paper", "WARN", task.id)
    assert [(one["message"], one["type"]) for one in _kept(sandbox)["alerts"]] == [
        ("No paper", "WARN"),
        ("Still no paper", "ERROR"),
    ]


def test_an_alert_that_fails_raises_a_tuple(sdk: Any) -> None:
    """Defect: the text is never put into the message."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its arguments are looked at
        sdk.alert(99, "Look", "No paper", AlertType.INFO)
    assert caught.value.args[0] == "Error during alert. %s"
    assert "Task 99 not found" in caught.value.args[1]


def test_it_sends_messages(sandbox: SandboxThread, sdk: Any) -> None:
    sent = sdk.message(["a@acme.example"], ["ann"], "Hello", "<b>!</b>", MessageType.HTML, group="ops")
    assert (sent.message, sent.type) == ("Message sent", 200)
    sdk.message([], ["ann"], "Hello again", "!", MessageType.TEXT)
    assert [(one["subject"], one["groups"]) for one in _kept(sandbox)["messages"]] == [
        ("Hello", ["ops"]),
        ("Hello again", []),
    ]
    with pytest.raises(ValueError, match="50 recipients"):
        sdk.message(["a@acme.example"] * 51, [], "Hello", "!", MessageType.TEXT)


def test_a_message_that_fails_without_json_raises_an_error_of_the_parser(sandbox: SandboxThread, sdk: Any) -> None:
    """Defect: only here the body of an error must be JSON."""
    sandbox.world.switches["botmaestro.error_body"] = "text"
    with pytest.raises(json.JSONDecodeError):
        sdk.message(["a@acme.example"] * 51, [], "Hello", "!", MessageType.TEXT)


def test_it_writes_reads_and_deletes_a_log(sdk: Any, log: str) -> None:
    assert sdk.new_log_entry(log, {"number": "R-1", "amount": 2.5}).type == 200
    sdk.new_log_entry(log, {"number": 'größer "2"', "amount": None})
    assert sdk.get_log(log) == [{"Number": "R-1", "Amount": 2.5}, {"Number": 'größer "2"', "Amount": None}]
    with pytest.raises(ValueError, match=r"Error during new log. Server returned 400"):
        sdk.new_log(log, COLUMNS)
    with pytest.raises(ValueError, match=r"Error during new log entry. Server returned 400"):
        sdk.new_log_entry(log, {"colour": "blue"})
    assert sdk.delete_log(log).type == 200
    for ask in (sdk.get_log, sdk.delete_log):
        with pytest.raises(ValueError, match="404"):
            ask(log)


def test_it_reads_a_log_from_a_day_on(sandbox: SandboxThread, sdk: Any, log: str) -> None:
    sandbox.world.switches["botmaestro.token_lifetime"] = None
    clock = sandbox.world.clock
    today = clock.now()
    clock.advance(-timedelta(days=5).total_seconds())
    sdk.new_log_entry(log, {"number": "old", "amount": 1})
    clock.set(today)
    sdk.new_log_entry(log, {"number": "new", "amount": 2})
    days_ago = [(today - timedelta(days=days)).strftime("%d/%m/%Y") for days in (2, 9)]
    assert [[row["Number"] for row in sdk.get_log(log, date)] for date in days_ago] == [["new"], ["old", "new"]]


def test_all_of_a_log_is_its_last_year(sandbox: SandboxThread, sdk: Any, log: str) -> None:
    """Defect: no date means 365 days."""
    sandbox.world.switches["botmaestro.token_lifetime"] = None
    sdk.new_log_entry(log, {"number": "old", "amount": 1})
    sandbox.world.clock.advance(timedelta(days=366).total_seconds())
    assert sdk.get_log(log) == []


def test_a_row_without_one_of_the_columns_cannot_be_read(sandbox: SandboxThread, sdk: Any, log: str) -> None:
    """Defect: a KeyError, unless the server fills what is missing."""
    sdk.new_log_entry(log, {"number": "R-1"})
    with pytest.raises(KeyError, match="amount"):
        sdk.get_log(log)
    sdk.delete_log(log)
    sandbox.world.switches["botmaestro.fill_missing_columns"] = True
    sdk.new_log(log, COLUMNS)
    sdk.new_log_entry(log, {"number": "R-1"})
    assert sdk.get_log(log) == [{"Number": "R-1", "Amount": ""}]


def test_two_columns_of_one_name_become_one(sdk: Any) -> None:
    """Defect: rows are keyed by name, though labels tell columns apart."""
    sdk.new_log("Twins", [Column("Amount", "net"), Column("Amount", "gross")])
    sdk.new_log_entry("Twins", {"net": 1, "gross": 2})
    assert sdk.get_log("Twins") == [{"Amount": 2}]


@pytest.mark.filterwarnings(r"ignore:distro.linux_distribution\(\) is deprecated:DeprecationWarning")
def test_it_reports_an_error_with_screenshot_and_files(
    sandbox: SandboxThread, sdk: Any, task: Any, tmp_path: Path
) -> None:
    screenshot, note = tmp_path / "screen.png", tmp_path / "größe.txt"
    screenshot.write_bytes(b"\x89PNG\x00")
    note.write_text("it was dark")
    made = sdk.error(task.id, ValueError("no amount"), str(screenshot), [str(note)], {"os_name": "mine", "step": "3"})
    assert (made["type"], made["message"], made["language"]) == ("ValueError", "no amount", "PYTHON")
    assert (made["tags"]["os_name"], made["tags"]["step"]) == ("mine", "3")
    assert made["tags"].keys() >= {"user_name", "host_name", "os_version", "python_version"}
    kept = _kept(sandbox)["incidents"][made["id"]]
    assert kept["screenshot"]["file_name"] == "screen.png"
    assert base64.urlsafe_b64decode(kept["screenshot"]["content"]) == b"\x89PNG\x00"
    assert [one["file_name"] for one in kept["attachments"]] == ["piplist.txt", "größe.txt"]
    assert b"botcity-maestro-sdk==" in base64.urlsafe_b64decode(kept["attachments"][0]["content"])


@pytest.mark.filterwarnings(r"ignore:distro.linux_distribution\(\) is deprecated:DeprecationWarning")
@pytest.mark.parametrize("file", ["screenshot", "attachments"])
def test_a_file_of_an_error_that_fails_leaves_the_error_behind(
    sandbox: SandboxThread, sdk: Any, task: Any, tmp_path: Path, file: str
) -> None:
    """Defect: it says that a log entry failed, and whoever reports the error again has it twice."""
    screenshot = tmp_path / "screen.png"
    screenshot.write_bytes(b"\x89PNG")
    sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, match=f"POST */{file}", status=500))
    with pytest.raises(ValueError, match=r"Error during new log entry. Server returned 500"):
        sdk.error(task.id, ValueError("no amount"), str(screenshot))
    assert len(_kept(sandbox)["incidents"]) == 1


@pytest.mark.filterwarnings(r"ignore:distro.linux_distribution\(\) is deprecated:DeprecationWarning")
def test_an_error_of_an_unknown_task_is_refused(sandbox: SandboxThread, sdk: Any) -> None:
    with pytest.raises(ValueError, match=r"Error during new error entry. Server returned 404"):
        sdk.error(99, ValueError())
    assert _kept(sandbox)["incidents"] == {}
