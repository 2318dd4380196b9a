"""The state tables against the wire's own enumerations, and mapping that nothing on the wire can make raise."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpa_bridge import Failure, FailureKind, ItemDraft, ItemState, JobOutcome, JobState, Priority
from rpa_bridge.contract.jobs import ItemCounts
from rpa_bridge_botmaestro.mapping import automations, common, jobs, queues
from rpa_bridge_botmaestro.sandbox.records import EntryState, ErrorType, FieldType, FinishStatus, TaskState
from rpa_bridge_botmaestro.wire.automations import Activity
from rpa_bridge_botmaestro.wire.jobs import Task
from rpa_bridge_botmaestro.wire.queues import DataPool, Entry

TASK = {"id": 7, "state": "RUNNING", "activityLabel": "Invoices"}
ENTRY = {"id": "e-7", "state": "PROCESSING", "dataPoolLabel": "Invoices"}


def task(**members: Any) -> Task:
    return Task.of(TASK | members, "test")


def entry(**members: Any) -> Entry:
    return Entry.of(ENTRY | members, "test")


@pytest.mark.parametrize(
    ("table", "words", "seconded"),
    [
        (jobs.JOB_STATES, {"START", "RUNNING", "FINISHED", "CANCELED", "TIMEOUT"}, TaskState),
        (jobs.FINISH_STATUSES, {"SUCCESS", "FAILED", "PARTIALLY_COMPLETED"}, FinishStatus),
        (queues.ITEM_STATES, {"PENDING", "PROCESSING", "DONE", "ERROR", "TIMEOUT", "CANCELED"}, EntryState),
        (queues.FIELD_TYPES, {"TEXT", "INTEGER", "DOUBLE"}, FieldType),
    ],
)
def test_a_table_covers_its_enumeration_wholly(table: dict[str, Any], words: set[str], seconded: type[StrEnum]) -> None:
    assert set(table) == words == set(seconded)


def test_every_failure_kind_and_priority_has_its_word() -> None:
    assert set(queues.ERROR_TYPES) == set(FailureKind)
    assert set(queues.ERROR_TYPES.values()) == set(ErrorType)
    assert set(common.PRIORITIES) == set(Priority)


@pytest.mark.parametrize(
    ("members", "state", "outcome"),
    [
        ({"state": "START"}, JobState.PENDING, None),
        ({"state": "START", "interrupted": True}, JobState.PENDING, None),
        ({"state": "RUNNING", "interrupted": None, "killed": None}, JobState.RUNNING, None),
        ({"state": "RUNNING", "interrupted": False, "killed": False}, JobState.RUNNING, None),
        ({"state": "RUNNING", "interrupted": True}, JobState.STOPPING, None),
        ({"state": "RUNNING", "killed": True}, JobState.STOPPING, None),
        ({"state": "RUNNING", "interrupted": True, "killed": True}, JobState.STOPPING, None),
        ({"state": "TIMEOUT"}, JobState.UNKNOWN, None),
        ({"state": "TIMEOUT", "interrupted": True}, JobState.UNKNOWN, None),
        ({"state": "CANCELED"}, JobState.FINISHED, JobOutcome.STOPPED),
        ({"state": "CANCELED", "finishStatus": "SUCCESS"}, JobState.FINISHED, JobOutcome.STOPPED),
        ({"state": "FINISHED", "finishStatus": "SUCCESS"}, JobState.FINISHED, JobOutcome.SUCCEEDED),
        ({"state": "FINISHED", "finishStatus": "FAILED"}, JobState.FINISHED, JobOutcome.FAILED),
        ({"state": "FINISHED", "finishStatus": "PARTIALLY_COMPLETED"}, JobState.FINISHED, JobOutcome.PARTIAL),
        ({"state": "FINISHED", "finishStatus": "FAILED", "interrupted": True}, JobState.FINISHED, JobOutcome.FAILED),
        ({"state": "FINISHED", "finishStatus": "FAILED", "killed": True}, JobState.FINISHED, JobOutcome.STOPPED),
        ({"state": "FINISHED", "killed": True}, JobState.FINISHED, JobOutcome.STOPPED),
        ({"state": "FINISHED", "finishStatus": "NEW_WORD", "killed": True}, JobState.FINISHED, JobOutcome.STOPPED),
        ({"state": "FINISHED", "finishStatus": "SUCCESS", "killed": True}, JobState.FINISHED, JobOutcome.SUCCEEDED),
        ({"state": "FINISHED", "finishStatus": None}, JobState.UNKNOWN, None),
        ({"state": "FINISHED", "finishStatus": "NEW_WORD"}, JobState.UNKNOWN, None),
        ({"state": "NEW_WORD", "finishStatus": "SUCCESS"}, JobState.UNKNOWN, None),
        ({"state": ""}, JobState.UNKNOWN, None),
    ],
)
def test_where_a_task_stands(members: dict[str, Any], state: JobState, outcome: JobOutcome | None) -> None:
    job = jobs.job(task(**members))
    assert (job.state, job.outcome, job.native_state) == (state, outcome, members["state"])


@pytest.mark.parametrize("flags", [{"interrupted": True}, {"killed": True}, {"interrupted": True, "killed": True}])
def test_a_stop_that_was_asked_for_shows_in_every_state(flags: dict[str, bool]) -> None:
    assert all(jobs.job(task(state=state, **flags)).stop_requested for state in TaskState)
    assert not any(jobs.job(task(state=state, interrupted=None)).stop_requested for state in TaskState)


@pytest.mark.parametrize(
    ("total", "processed", "failed", "counts"),
    [
        (3, 2, 1, ItemCounts(total=3, processed=2, failed=1)),
        (0, 0, 0, ItemCounts(total=0, processed=0, failed=0)),
        (4, 2, 1, None),
        (0, 1, -1, None),
        (3, 2, None, None),
        (None, None, None, None),
    ],
)
def test_counts_that_do_not_add_up_are_not_passed_on(
    total: int | None, processed: int | None, failed: int | None, counts: ItemCounts | None
) -> None:
    assert jobs.job(task(totalItems=total, processedItems=processed, failedItems=failed)).counts == counts


def test_a_tasks_end_is_told_only_when_it_has_ended() -> None:
    changed = "2026-11-20T09:43:52.959+00:00"
    assert jobs.job(task(dateLastModified=changed)).ended_at is None
    ended = jobs.job(task(state="CANCELED", dateLastModified=changed)).ended_at
    assert ended == datetime.fromisoformat(changed)


@pytest.mark.parametrize(
    ("members", "state"),
    [
        ({"state": "ERROR"}, ItemState.FAILED),
        ({"state": "ERROR", "child": None}, ItemState.FAILED),
        ({"state": "ERROR", "child": "e-8"}, ItemState.RETRIED),
        ({"state": "ERROR", "child": 8}, ItemState.RETRIED),
        ({"state": "DONE", "child": "e-8"}, ItemState.DONE),
        ({"state": "TIMEOUT"}, ItemState.LAPSED),
        ({"state": "CANCELED"}, ItemState.CANCELLED),
        ({"state": "NEW_WORD", "child": "e-8"}, ItemState.UNKNOWN),
    ],
)
def test_where_an_entry_stands(members: dict[str, Any], state: ItemState) -> None:
    item = queues.item(entry(**members), "Invoices")
    assert (item.state, item.native_state) == (state, members["state"])


@pytest.mark.parametrize(
    ("number", "priority"),
    [
        (0, Priority.LOW),
        (3, Priority.LOW),
        (4, Priority.NORMAL),
        (6, Priority.NORMAL),
        (7, Priority.HIGH),
        (10, Priority.HIGH),
        (99, Priority.HIGH),
        (-1, Priority.LOW),
    ],
)
def test_priorities_come_in_three_bands(number: int, priority: Priority) -> None:
    assert jobs.job(task(priority=number)).priority is priority
    assert queues.item(entry(priority=number), "q").priority is priority


def test_our_own_priorities_come_back_as_they_went() -> None:
    assert {queues.item(entry(priority=number), "q").priority: number for number in (0, 5, 10)} == common.PRIORITIES


@pytest.mark.parametrize(
    ("message", "reason", "detail"),
    [
        (None, "", None),
        ("", "", None),
        ("no such customer", "no such customer", None),
        ("two\nlines", "two\nlines", None),
        ("reason\n\ndetail", "reason", "detail"),
        ("reason\n\ndetail\n\nmore of it", "reason", "detail\n\nmore of it"),
        ("reason\n\n", "reason", None),
    ],
)
def test_one_message_is_parted_into_reason_and_detail(message: str | None, reason: str, detail: str | None) -> None:
    failure = queues.item(entry(state="ERROR", message=message), "q").failure
    assert failure is not None
    assert (failure.reason, failure.detail) == (reason, detail)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("BUSINESS", FailureKind.BUSINESS),
        ("SYSTEM", FailureKind.APPLICATION),
        (None, FailureKind.APPLICATION),
        ("NEW_WORD", FailureKind.APPLICATION),
    ],
)
def test_an_error_of_an_unknown_kind_is_the_machinerys(word: str | None, kind: FailureKind) -> None:
    failure = queues.item(entry(state="ERROR", errorType=word), "q").failure
    assert failure is not None
    assert failure.kind is kind
    assert queues.item(entry(state="DONE", errorType=word), "q").failure is None


@pytest.mark.parametrize("output", ["{", "[1]", '"text"', "", "[" * 100_000, 17, None, {"a": 1}])
def test_an_output_that_is_not_ours_is_none(output: Any) -> None:
    item = queues.item(entry(values={queues.OUTPUT: output, "n": "1"}), "q")
    assert (item.output, item.values) == ({}, {"n": "1"})


def test_an_automation_and_a_datapool_need_nothing_but_a_label() -> None:
    automation = automations.automation(Activity.of({"label": "Größe"}, "test"))
    queue = queues.queue(DataPool.of({"label": "Größe", "schema": None, "autoRetry": None}, "test"))
    assert (automation.id, automation.name) == ("Größe", "Größe")
    assert (queue.id, queue.name, queue.fields, queue.retries, queue.active) == ("Größe", "Größe", (), 0, True)


def test_retries_count_only_where_the_datapool_retries() -> None:
    def retries(**members: Any) -> int:
        return queues.queue(DataPool.of({"label": "a"} | members, "test")).retries

    assert retries(autoRetry=True, maxAutoRetry=3) == 3
    assert retries(autoRetry=False, maxAutoRetry=3) == retries(autoRetry=True, maxAutoRetry=None) == 0


TEXTS = st.text(max_size=12)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = TEXTS | st.sampled_from(sorted(queues.HIDDEN))
VALUES = st.none() | st.dictionaries(NAMES, JSON_VALUES, max_size=6)
FLAGS = st.none() | st.booleans()
NUMBERS = st.none() | st.integers(-5, 20)
MOMENTS = st.none() | st.datetimes().map(datetime.isoformat) | TEXTS | st.integers()
LINKS = st.none() | TEXTS | st.integers()
TASKS = st.fixed_dictionaries(
    {"id": st.integers(), "state": st.sampled_from([*TaskState, "NEW_WORD"])},
    optional={
        "parameters": VALUES,
        "activityLabel": st.none() | TEXTS,
        "finishStatus": st.none() | st.sampled_from([*FinishStatus, "NEW_WORD"]),
        "finishMessage": st.none() | TEXTS,
        "interrupted": FLAGS,
        "killed": FLAGS,
        "priority": NUMBERS,
        "totalItems": NUMBERS,
        "processedItems": NUMBERS,
        "failedItems": NUMBERS,
        "machineId": LINKS,
        "minExecutionDate": MOMENTS,
        "dateCreation": MOMENTS,
        "dateLastModified": MOMENTS,
        "unheardOf": JSON_VALUES,
    },
)
ENTRIES = st.fixed_dictionaries(
    {"id": TEXTS, "state": st.sampled_from([*EntryState, "NEW_WORD"])},
    optional={
        "dataPoolLabel": st.none() | TEXTS,
        "priority": NUMBERS,
        "values": VALUES,
        "message": st.none() | TEXTS,
        "errorType": st.none() | st.sampled_from([*ErrorType, "NEW_WORD"]),
        "retryIndex": NUMBERS,
        "parent": LINKS,
        "child": LINKS,
        "dateRegister": MOMENTS,
        "dateFinished": MOMENTS,
        "unheardOf": JSON_VALUES,
    },
)


@settings(deadline=None, max_examples=200)
@given(TASKS)
def test_no_task_makes_the_mapping_raise(wire: dict[str, Any]) -> None:
    job = jobs.job(Task.of(wire, "test"))

    assert (job.state is JobState.FINISHED) == (job.outcome is not None)
    assert common.KEY not in job.inputs
    assert job.native_state == wire["state"]
    assert job.raw_data == wire


@settings(deadline=None, max_examples=200)
@given(ENTRIES)
def test_no_entry_makes_the_mapping_raise(wire: dict[str, Any]) -> None:
    item = queues.item(Entry.of(wire, "test"), "Invoices")

    assert not queues.HIDDEN.intersection(item.values)
    assert (item.failure is None) == (wire["state"] != "ERROR")
    assert item.queue
    assert item.raw_data == wire


FLAT = st.dictionaries(TEXTS.filter(lambda name: name not in queues.HIDDEN), TEXTS | st.integers() | st.none())


@settings(deadline=None)
@given(FLAT, st.none() | TEXTS.filter(bool), st.sampled_from(Priority), st.none() | TEXTS.filter(bool))
def test_a_draft_comes_back_as_it_went(
    values: dict[str, Any], reference: str | None, priority: Priority, mark: str | None
) -> None:
    body = queues.new_entry(ItemDraft(values=values, reference=reference, priority=priority), mark=mark)
    item = queues.item(Entry.of(ENTRY | json.loads(json.dumps(body)), "test"), "Invoices")
    assert (item.values, item.reference, item.priority) == (values, reference, priority)


@settings(deadline=None)
@given(st.dictionaries(TEXTS, JSON_VALUES, max_size=4))
def test_an_output_comes_back_as_it_went_and_hides_no_value(output: dict[str, Any]) -> None:
    body = queues.done(entry(values={"n": "1", queues.REFERENCE: "r"}), output)
    item = queues.item(Entry.of(ENTRY | body, "test"), "Invoices")
    assert (item.output, item.values, item.reference, item.state) == (output, {"n": "1"}, "r", ItemState.DONE)


@settings(deadline=None)
@given(st.text(max_size=20).filter(lambda text: "\n" not in text), st.none() | TEXTS.filter(bool))
def test_a_failure_comes_back_as_it_went(reason: str, detail: str | None) -> None:
    for kind in FailureKind:
        failure = Failure(kind=kind, reason=reason, detail=detail)
        body = queues.failed(entry(), failure)
        assert queues.item(Entry.of(ENTRY | body, "test"), "Invoices").failure == failure
