"""BotCity's own SDK against the face: tasks. Defects of the SDK are named as such; docs: botmaestro.md 12"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botcity.maestro import AutomationTask, AutomationTaskFinishStatus, ServerMessage

from rpa_bridge.testing import SandboxThread

SUCCESS = AutomationTaskFinishStatus.SUCCESS


def test_it_creates_and_reads_a_task(sandbox: SandboxThread, sdk: Any) -> None:
    sandbox.world.lifecycle.hold = True
    task = sdk.create_task("Invoices", {"month": "2026-10", "größe": 1.5}, test=True, priority=7)
    seen = sdk.get_task(str(task.id))
    assert seen == task
    assert (seen.state, seen.parameters, seen.activity_label) == (
        "START",
        {"month": "2026-10", "größe": 1.5},
        "Invoices",
    )
    assert (seen.test, seen.priority, seen.agent_id, seen.finish_status) == (True, 7, "invoices", None)
    assert (seen.interrupted, seen.killed, seen.total_items) == (False, False, None)
    assert sdk.get_execution(task.id).parameters == seen.parameters
    assert json.loads(seen.to_json())["id"] == task.id


@pytest.mark.parametrize("zone", [None, UTC])
def test_it_creates_a_task_for_later(sdk: Any, zone: Any) -> None:
    later = sdk.create_task("Letters", {}, priority=10, min_execution_date=datetime(2099, 1, 1, tzinfo=zone))
    assert (sdk.get_task(later.id).state, later.priority) == ("START", 10)
    assert later.min_execution_date.startswith("2099-01-01T00:00:00")
    with pytest.raises(ValueError, match="is not datetime"):
        sdk.create_task("Letters", {}, min_execution_date="2099-01-01")


def test_it_creates_no_task_of_an_unknown_automation(sdk: Any) -> None:
    with pytest.raises(ValueError, match=r"Error during task create. Server returned 404"):
        sdk.create_task("Nothing", {})


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ({"total_items": 3, "processed_items": 2, "failed_items": 1}, (3, 2, 1)),
        ({"processed_items": 2, "failed_items": 1}, (3, 2, 1)),
        ({"total_items": 3, "failed_items": 1}, (3, 2, 1)),
        ({"total_items": 3, "processed_items": 2}, (3, 2, 1)),
        ({"total_items": 0, "processed_items": -5, "failed_items": 0}, (0, 0, 0)),
    ],
)
def test_it_finishes_a_task_and_counts_its_items(sdk: Any, task: Any, given: Any, counted: Any) -> None:
    """Defect: counts below 0 are made 0, and nobody is told."""
    answer = sdk.finish_task(task.id, AutomationTaskFinishStatus.PARTIALLY_COMPLETED, "most", **given)
    ended = sdk.get_task(task.id)
    assert AutomationTask.from_json(answer.payload) == ended
    assert (ended.state, ended.finish_status, ended.finish_message) == ("FINISHED", "PARTIALLY_COMPLETED", "most")
    assert (ended.total_items, ended.processed_items, ended.failed_items) == counted


def test_it_finishes_a_task_without_items_and_warns(sdk: Any, task: Any) -> None:
    with pytest.warns(UserWarning, match="not reporting items"):
        sdk.finish_task(str(task.id), SUCCESS)
    ended = sdk.get_task(task.id)
    assert (ended.finish_status, ended.finish_message, ended.total_items) == ("SUCCESS", "", None)


@pytest.mark.parametrize("given", [{"total_items": 3}, {"total_items": 3, "processed_items": 1, "failed_items": 1}])
def test_it_sends_no_items_that_do_not_add_up(sandbox: SandboxThread, sdk: Any, task: Any, given: Any) -> None:
    """Defect: one count alone is an error, though nothing speaks against a total."""
    asked = len(sandbox.world.exchanges)
    with pytest.raises(ValueError, match=r"items"):
        sdk.finish_task(task.id, SUCCESS, **given)
    assert len(sandbox.world.exchanges) == asked


def test_it_restarts_a_task(sandbox: SandboxThread, sdk: Any, task: Any) -> None:
    sdk.finish_task(task.id, SUCCESS, "all", 1, 1, 0)
    sandbox.world.lifecycle.hold = True
    message = sdk.restart_task(task.id)
    assert ServerMessage.from_json(message.payload) == message
    assert json.loads(message.to_json())["payload"] == message.payload
    again = sdk.get_task(task.id)
    assert (again.state, again.finish_status, again.total_items) == ("START", None, None)
    sandbox.world.switches["botmaestro.restart_production"] = False
    with pytest.raises(ValueError, match=r"Error during task restart. Server returned 400"):
        sdk.restart_task(task.id)


def test_it_interrupts_a_task_even_when_it_is_over(sdk: Any, task: Any) -> None:
    assert not sdk.get_task(task.id).is_interrupted()
    assert json.loads(sdk.interrupt_task(task.id).payload)["interrupted"] is True
    assert sdk.get_task(task.id).is_interrupted()


def test_an_unknown_task_is_an_error(sdk: Any) -> None:
    """Defect: an interruption that fails says that a finish failed."""
    with pytest.raises(ValueError, match=r"Error during task get. Server returned 404. Task 99 not found"):
        sdk.get_task(99)
    with pytest.raises(ValueError, match=r"Error during task finish. Server returned 404"):
        sdk.interrupt_task(99)
    with pytest.raises(ValueError, match=r"Error during task finish. Server returned 404"):
        sdk.finish_task(99, SUCCESS, "", 0, 0, 0)


def test_an_error_that_is_no_json_is_shown_as_it_came(sandbox: SandboxThread, sdk: Any) -> None:
    sandbox.world.switches["botmaestro.error_body"] = "text"
    with pytest.raises(ValueError, match=r"Server returned 404. Task 99 not found"):
        sdk.get_task(99)


def test_a_task_of_its_own_making_has_failed() -> None:
    """Defect: the default of finish_status is FAILED."""
    assert AutomationTask().finish_status == "FAILED"
