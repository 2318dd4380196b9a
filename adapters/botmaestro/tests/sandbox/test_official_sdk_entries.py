"""BotCity's own SDK against the face: entries of datapools. Defects of the SDK are named; docs: botmaestro.md 12"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botcity.maestro import DataPoolEntry, ErrorType
from requests import HTTPError

from rpa_bridge.testing import SandboxThread


@pytest.fixture
def taken(pool: Any) -> Any:
    """An entry that is being processed."""
    pool.create_entry(DataPoolEntry(values={"amount": 3}))
    return pool.next("7")


def test_it_pushes_and_pulls_an_entry_and_reports_it_done(pool: Any, task: Any) -> None:
    pushed = pool.create_entry(DataPoolEntry(values={"amount": 3, "name": "größe"}, priority=5))
    assert (pushed.state, pushed.priority, pushed.datapool_label) == ("PENDING", 5, "Orders")
    entry = pool.next(task.id)
    assert (entry.entry_id, entry.state, entry["amount"]) == (pushed.entry_id, "PROCESSING", 3)
    entry.values["booked"] = "yes"
    assert entry.save() is entry
    assert pool.get_entry(pushed.entry_id).state == "PROCESSING"
    entry.report_done("fine")
    done = pool.get_entry(pushed.entry_id)
    assert (done.state, done.message, done.task_id) == ("DONE", "fine", str(task.id))
    assert done.values == {"amount": 3, "name": "größe", "booked": "yes"}
    assert done.date_finished >= done.date_processing >= done.date_register
    assert pool.next(task.id) is None


def test_it_reads_and_writes_values_and_members_by_name(taken: Any) -> None:
    """Defect: a new value that is set by name becomes a member of the object, and is never sent."""
    assert (taken.get_value("amount"), taken.get_value("tax"), taken.get_value("tax", "0")) == (3, None, "0")
    taken["amount"] = 4
    taken["tax"] = 1
    assert (taken["amount"], taken["tax"], taken["state"]) == (4, 1, "PROCESSING")
    taken.save()
    assert taken.values == {"amount": 4}


def test_it_writes_an_entry_as_text_and_reads_it_back(taken: Any) -> None:
    assert json.loads(taken.to_json()) == {"priority": 0, "values": {"amount": 3}}
    sent = json.loads(taken.json_to_update())
    assert (sent["dataPoolLabel"], sent["state"], sent["taskId"]) == ("Orders", "PROCESSING", "7")
    copy = DataPoolEntry().update_from_json(json.dumps({**sent, "id": taken.entry_id}).encode())
    assert copy.json_to_update() == taken.json_to_update()


def test_it_reports_errors_of_which_the_systems_are_retried(pool: Any) -> None:
    pool.create_entry(DataPoolEntry(values={"amount": 3}))
    first = pool.next("123")
    first.report_error(finish_message="crash")
    assert (first.error_type, first.message) == ("SYSTEM", "crash")
    retry = pool.next("123")
    assert (retry.entry_id, retry.parent, retry.retry_index) == (first.child, first.entry_id, 1)
    retry.report_error(ErrorType.BUSINESS, "no amount")
    assert (retry.state, retry.error_type, retry.child) == ("ERROR", "BUSINESS", None)
    assert pool.summary()["countError"] == 2


def test_it_reports_an_entry_that_timed_out(sandbox: SandboxThread, sdk: Any, pool: Any) -> None:
    pool.item_max_processing_time = 10
    pool.activate()
    pool.create_entry(DataPoolEntry())
    late = pool.next("7")
    sandbox.world.clock.advance(600)
    assert pool.get_entry(late.entry_id).state == "TIMEOUT"
    late.report_done("late")
    assert pool.get_entry(late.entry_id).state == "DONE"


def test_it_cancels_what_waits(pool: Any, taken: Any) -> None:
    entry = pool.create_entry(DataPoolEntry())
    canceled = pool.cancel_entry(entry.entry_id, "not needed")
    assert (canceled.state, canceled.message) == ("CANCELED", "not needed")
    with pytest.raises(ValueError, match="only allowed for entries in 'PENDING' state"):
        pool.cancel_entry(taken.entry_id)


def test_it_deletes_what_nobody_works_on(pool: Any, taken: Any) -> None:
    entry = pool.create_entry(DataPoolEntry())
    assert pool.delete_entry(entry.entry_id) is None
    with pytest.raises(HTTPError, match="404"):
        pool.get_entry(entry.entry_id)
    with pytest.raises(ValueError, match="Current entry state: PROCESSING"):
        pool.delete_entry(taken.entry_id)


def test_an_older_server_is_asked_to_cancel_and_delete_all_the_same(sandbox: SandboxThread, pool: Any) -> None:
    """Defect: both lack the gate that their newer backend would need."""
    entry = pool.create_entry(DataPoolEntry())
    sandbox.world.switches["botmaestro.cancel_entries"] = False
    for call in (pool.cancel_entry, pool.delete_entry):
        with pytest.raises(HTTPError, match="404"):
            call(entry.entry_id)


def test_an_entry_that_was_created_cannot_be_saved(pool: Any) -> None:
    """Defect: it does not know its server; only one that was read does."""
    entry = pool.create_entry(DataPoolEntry())
    with pytest.raises(AttributeError):
        entry.save()
    assert pool.get_entry(entry.entry_id).save().state == "PENDING"


def test_an_entry_without_a_task_is_of_the_task_none(pool: Any) -> None:
    """Defect: `next` wants a task id; None becomes the text "None", which the server believes."""
    pool.create_entry(DataPoolEntry())
    with pytest.raises(TypeError):
        pool.next()
    entry = pool.next(None)
    entry.report_done()
    assert pool.get_entry(entry.entry_id).task_id == "None"


def test_steps_that_there_are_not_are_refused_by_both_sides(pool: Any, taken: Any) -> None:
    """Defect: the state that the error names is the wanted one, and final states are not guarded at all."""
    with pytest.raises(ValueError, match="In state CANCELED, only change to states TIMEOUT,DONE,ERROR"):
        taken.state = "CANCELED"
    taken.report_done()
    with pytest.raises(HTTPError, match="400"):
        taken.report_error()
    assert pool.get_entry(taken.entry_id).state == "DONE"
