"""Tasks: one for each key, whoever asks and however often; filters; and what is sent to stop one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    ConflictError,
    InvalidError,
    ItemCounts,
    JobOutcome,
    JobState,
    NotFoundError,
    OutcomeUnknownError,
    Priority,
    ProtocolError,
    UnsupportedError,
)
from rpa_bridge.clock import SystemClock
from rpa_bridge.contract.features import Limits
from rpa_bridge.errors import Delivery
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge_botmaestro.client import PAGE
from rpa_bridge_botmaestro.jobs import BotMaestroJobs
from rpa_bridge_botmaestro.mapping import common

Opens = Callable[..., Adapter]
Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]
START = "POST /api/v2/task"
LIST = "GET /api/v2/task[?]*"
UPDATE = "POST /api/v2/task/*"


def sent(exchange: Exchange) -> Any:
    return json.loads(exchange.body)


async def copy_task(
    maestro: Adapter, rewrite: Rewrite, *copies: dict[str, Any], automation: str = "Invoices"
) -> list[str]:
    """Puts copies of a new task into the platform, each changed; the task itself goes. Gives their ids."""
    first = await maestro.jobs.start(automation)
    ids = [1000 + number for number in range(len(copies))]  # far from those that the platform gives next

    def replace(state: Any) -> None:
        pattern = state["tasks"].pop(first.id)
        for task_id, changes in zip(ids, copies, strict=True):
            state["tasks"][str(task_id)] = pattern | {"id": task_id} | changes

    rewrite(replace)
    return [str(task_id) for task_id in ids]


def aged(sandbox: Sandbox, *, days: float = 0, seconds: float = 0) -> dict[str, Any]:
    moment = sandbox.world.clock.now() - timedelta(days=days, seconds=seconds)
    return {"date_creation": moment.isoformat(), "date_last_modified": moment.isoformat()}


def scripted(script: Any) -> BotMaestroJobs:
    return BotMaestroJobs(script.client, script.clock, Limits(), key_days=30)


def wire_task(task_id: int, state: str = "START", **members: Any) -> dict[str, Any]:
    return {"id": task_id, "state": state, "activityLabel": "Invoices"} | members


async def test_starts_with_one_key_at_the_same_time_are_one_task(
    maestro: Adapter, requests: Requests, kept: Callable[[], Any]
) -> None:
    jobs = await asyncio.gather(*(maestro.jobs.start("Invoices", {"n": number}, key="k-1") for number in range(8)))

    assert len({job.id for job in jobs}) == len(kept()["tasks"]) == len(requests(START)) == 1


async def test_two_adapters_that_share_a_cache_folder_make_one_task(
    open_maestro: Opens, requests: Requests, kept: Callable[[], Any], tmp_path: Path
) -> None:
    here, there = (open_maestro(tmp_path, SystemClock()) for _ in range(2))

    jobs = await asyncio.gather(*(one.jobs.start("Invoices", key="k-1") for one in (here, there, here, there)))

    assert len({job.id for job in jobs}) == len(kept()["tasks"]) == len(requests(START)) == 1


async def test_other_keys_are_other_tasks(maestro: Adapter, kept: Callable[[], Any]) -> None:
    jobs = await asyncio.gather(*(maestro.jobs.start("Invoices", key=f"k-{number}") for number in range(5)))

    assert len({job.id for job in jobs}) == len(kept()["tasks"]) == 5
    assert [job.key for job in jobs] == [f"k-{number}" for number in range(5)]


async def test_the_key_of_another_automation_is_a_conflict_and_nothing_is_started(
    maestro: Adapter, requests: Requests
) -> None:
    job = await maestro.jobs.start("Letters", key="k-1")

    with pytest.raises(ConflictError, match=rf"belongs to task {job.id} of 'Letters'; use another key"):
        await maestro.jobs.start("Invoices", key="k-1")

    assert len(requests(START)) == 1


async def test_two_tasks_with_one_key_are_a_conflict_that_names_both(maestro: Adapter, requests: Requests) -> None:
    twins = [await maestro.jobs.start("Invoices", key=key) for key in ("k-1", "k-2")]
    marked = Request(
        "POST",
        "/task",
        effect=Effect.BLIND,
        operation="test",
        json={"activityLabel": "Invoices", "test": False, "parameters": {common.KEY: "k-1"}, "priority": 0},
    )
    await maestro.raw.send(marked)  # as somebody does who copies a task with its parameters

    with pytest.raises(ConflictError, match=rf"tasks [0-9]+ and {twins[0].id} both carry the key 'k-1'"):
        await maestro.jobs.start("Invoices", key="k-1")
    assert len(requests(START)) == 3


async def test_the_search_for_a_key_ends_with_the_days_of_the_settings(
    sandbox: Sandbox, open_maestro: Opens, rewrite: Rewrite, requests: Requests
) -> None:
    maestro = open_maestro(key_days=10)
    young = [aged(sandbox, days=9, seconds=number) for number in range(30)]
    old = [aged(sandbox, days=11, seconds=number) for number in range(4 * PAGE)]
    old[0]["parameters"] = {common.KEY: "k-1"}
    young[-1]["parameters"] = {common.KEY: "k-2"}
    ids = await copy_task(maestro, rewrite, *young, *old)
    starts = len(requests(START))

    assert (await maestro.jobs.start("Invoices", key="k-2")).id == ids[29]
    assert len(requests(START)) == starts
    assert (await maestro.jobs.start("Invoices", key="k-1")).id not in ids, "too old to count"
    assert len(requests(START)) == starts + 1
    assert len(requests(LIST)) == 2, "one page each: what follows is older still"


async def test_a_list_that_is_not_newest_first_is_searched_whole(script: Any) -> None:
    now = script.clock.now()

    def row(number: int, days: float, **members: Any) -> dict[str, Any]:
        return wire_task(number, dateCreation=(now - timedelta(days=days)).isoformat(), **members)

    script.page(row(1, 40), row(2, 50), row(3, 60), row(4, 1), last=False)
    script.page(*(row(100 + number, 61 + number) for number in range(50)), last=False)
    script.page(row(5, 2, parameters={common.KEY: "k-1"}), last=True)

    job = await scripted(script).start("Invoices", key="k-1")

    assert job.id == "5"
    assert script.lines == ["GET /task"] * 3, "found, so that nothing is started"


async def test_tasks_without_a_date_do_not_end_a_search(script: Any) -> None:
    script.page(wire_task(1), wire_task(2, dateCreation="?"), last=False)
    script.page(wire_task(3, parameters={common.KEY: "k-1"}), last=True)

    assert (await scripted(script).start("Invoices", key="k-1")).id == "3"


async def test_since_gives_what_is_younger_newest_first(sandbox: Sandbox, maestro: Adapter, rewrite: Rewrite) -> None:
    ids = await copy_task(maestro, rewrite, *(aged(sandbox, days=number) for number in range(60)))

    since = sandbox.world.clock.now() - timedelta(days=4, hours=1)

    assert [job.id async for job in maestro.jobs.find(since=since)] == ids[:5]
    with pytest.raises(InvalidError, match="since has no time zone"):
        [job async for job in maestro.jobs.find(since=since.replace(tzinfo=None))]


async def test_tasks_that_are_started_while_one_lists_make_no_repetition(
    sandbox: Sandbox, maestro: Adapter, rewrite: Rewrite
) -> None:
    ids = await copy_task(maestro, rewrite, *(aged(sandbox, days=1, seconds=number) for number in range(PAGE + 40)))

    seen: list[str] = []
    async for job in maestro.jobs.find():
        if len(seen) == PAGE // 2:
            for number in range(5):
                await maestro.jobs.start("Letters", {"n": number})
        seen.append(job.id)

    assert seen == ids


async def test_a_state_finds_all_that_the_platform_calls_so(
    sandbox: Sandbox, maestro: Adapter, rewrite: Rewrite, requests: Requests
) -> None:
    sandbox.world.lifecycle.hold = True
    long_ago = {"date_start_running": aged(sandbox, days=3)["date_creation"]}
    ids = await copy_task(
        maestro,
        rewrite,
        {"state": "START"},
        {"state": "RUNNING"},
        {"state": "RUNNING", "interrupted": True},
        {"state": "FINISHED", "finish_status": "SUCCESS"},
        {"state": "FINISHED", "finish_status": "FAILED"},
        {"state": "CANCELED"},
        {"state": "RUNNING"} | long_ago,
    )

    async def found(state: JobState) -> set[int]:
        return {ids.index(job.id) for job in [one async for one in maestro.jobs.find(state=state)]}

    assert await found(JobState.PENDING) == {0}
    assert await found(JobState.RUNNING) == {1}
    assert await found(JobState.STOPPING) == {2}
    assert await found(JobState.FINISHED) == {3, 4, 5}
    assert await found(JobState.UNKNOWN) == {6}
    assert await found(JobState.SUSPENDED) == set()
    filters = [one.path.partition("stateFilter=")[2].partition("&")[0] for one in requests(LIST)]
    assert filters == ["START", "RUNNING", "RUNNING", "", "", ""]


async def test_a_filter_that_the_server_does_not_heed_is_applied_here(script: Any) -> None:
    script.page(
        wire_task(1),
        wire_task(2, "RUNNING"),
        wire_task(3, activityLabel="Letters"),
        wire_task(4, parameters={common.KEY: "k-1"}),
        last=True,
    )

    jobs = scripted(script).find(automation="Invoices", state=JobState.PENDING, key="k-1")

    assert [job.id async for job in jobs] == ["4"]


async def test_stopping_a_task_that_waits_cancels_it(sandbox: Sandbox, maestro: Adapter, requests: Requests) -> None:
    sandbox.world.lifecycle.hold = True
    job = await maestro.jobs.start("Invoices")

    stopped = await maestro.jobs.stop(job.id)

    assert (stopped.state, stopped.outcome) == (JobState.FINISHED, JobOutcome.STOPPED)
    assert [sent(one) for one in requests(UPDATE)] == [{"state": "CANCELED"}]


@pytest.mark.parametrize(
    ("force", "body"), [(False, {"interrupted": True}), (True, {"interrupted": True, "killed": True})]
)
async def test_stopping_a_task_that_runs_interrupts_it_and_force_kills_it(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, force: bool, body: dict[str, bool]
) -> None:
    job = await maestro.jobs.start("Invoices")
    sandbox.world.lifecycle.seconds = 1000
    sandbox.world.clock.advance(600)

    stopping = await maestro.jobs.stop(job.id, force=force)

    assert (stopping.state, stopping.stop_requested) == (JobState.STOPPING, True)
    assert [sent(one) for one in requests(UPDATE)] == [body]
    now = await maestro.jobs.get(job.id)
    assert now.stop_requested, "what a bot polls"
    assert now.outcome is (JobOutcome.STOPPED if force else None)


@pytest.mark.parametrize("word", ["SUCCESS", "NEW_WORD"])
async def test_stopping_a_task_that_is_over_sends_nothing(script: Any, word: str) -> None:
    script.answer(wire_task(7, "FINISHED", finishStatus=word))

    assert (await scripted(script).stop("7", force=True)).native_state == "FINISHED"
    assert script.lines == ["GET /task/7"]


async def test_a_task_that_begins_while_it_is_cancelled_is_interrupted(script: Any) -> None:
    script.answer(wire_task(7))
    script.answer({"message": "A task in state RUNNING cannot be canceled"}, status=400)
    script.answer(wire_task(7, "RUNNING"))
    script.answer(wire_task(7, "RUNNING", interrupted=True))

    assert (await scripted(script).stop("7")).state is JobState.STOPPING
    assert [one.json for one in script.requests if one.method == "POST"] == [
        {"state": "CANCELED"},
        {"interrupted": True},
    ]


async def test_a_task_that_a_first_lost_request_has_cancelled_is_stopped(script: Any) -> None:
    script.answer(wire_task(7))
    script.answer({"message": "A task in state CANCELED cannot be canceled"}, status=409)
    script.answer(wire_task(7, "CANCELED"))

    assert (await scripted(script).stop("7")).outcome is JobOutcome.STOPPED


async def test_a_refused_stop_of_a_task_that_stands_still_is_told(script: Any) -> None:
    script.answer(wire_task(7))
    script.answer({"message": "You must not"}, status=409)
    script.answer(wire_task(7))

    with pytest.raises(ConflictError, match="You must not"):
        await scripted(script).stop("7")


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ({}, {"priority": 0, "test": False}),
        ({"priority": Priority.LOW}, {"priority": 0, "test": False}),
        ({"priority": Priority.NORMAL}, {"priority": 5, "test": False}),
        ({"priority": Priority.HIGH}, {"priority": 10, "test": False}),
        ({"options": {"test": True}}, {"priority": 0, "test": True}),
        ({"options": {"priority": 7}, "priority": Priority.LOW}, {"priority": 7, "test": False}),
    ],
)
async def test_options_travel_and_win(
    maestro: Adapter, requests: Requests, asked: dict[str, Any], body: dict[str, Any]
) -> None:
    await maestro.jobs.start("Invoices", {"month": "2026-10"}, **asked)

    assert sent(requests(START)[0]) == {"activityLabel": "Invoices", "parameters": {"month": "2026-10"}} | body


@pytest.mark.parametrize("options", [{"priority": value} for value in (11, -1, True, "7", 1.5, None)])
@pytest.mark.parametrize("more", [{}, {"test": True}])
async def test_a_priority_that_cannot_be_is_refused_unsent(
    maestro: Adapter, requests: Requests, options: dict[str, Any], more: dict[str, Any]
) -> None:
    with pytest.raises(InvalidError, match="'priority' must be a whole number from 0 to 10"):
        await maestro.jobs.start("Invoices", options=options | more)
    assert not requests("*")


async def test_other_options_and_names_of_ours_are_refused_unsent(maestro: Adapter, requests: Requests) -> None:
    with pytest.raises(InvalidError, match="'test' must be true or false"):
        await maestro.jobs.start("Invoices", options={"test": "yes"})
    with pytest.raises(UnsupportedError, match="start option 'activityLabel'; options are priority, test"):
        await maestro.jobs.start("Invoices", options={"activityLabel": "Letters"})
    with pytest.raises(InvalidError, match=f"'{common.KEY}' is taken by the bridge"):
        await maestro.jobs.start("Invoices", {common.KEY: "k-1"})
    assert not requests("*")


async def test_a_time_to_wait_for_carries_its_offset(maestro: Adapter, requests: Requests) -> None:
    moment = datetime(2030, 5, 1, 12, 0, tzinfo=timezone(timedelta(hours=-3)))

    job = await maestro.jobs.start("Invoices", not_before=moment)

    assert sent(requests(START)[0])["minExecutionDate"] == "2030-05-01T12:00:00-03:00"
    assert job.not_before == datetime(2030, 5, 1, 15, 0, tzinfo=UTC)


async def test_a_time_without_a_zone_is_refused_unsent(maestro: Adapter, requests: Requests) -> None:
    with pytest.raises(InvalidError, match="not_before has no time zone"):
        await maestro.jobs.start("Invoices", not_before=datetime(2030, 5, 1))  # noqa: DTZ001 - that is the point
    assert not requests("*")


async def test_the_key_is_no_input(maestro: Adapter, requests: Requests) -> None:
    job = await maestro.jobs.start("Invoices", {"n": 1}, key="k-1")

    assert (job.key, job.inputs) == ("k-1", {"n": 1})
    assert sent(requests(START)[0])["parameters"] == {"n": 1, "_rb_key": "k-1"}


@pytest.mark.parametrize("task_id", ["", "x", "-1", "1.0", "٣", "1/2", "9" * 5000])
async def test_an_id_that_no_task_can_have_is_not_found_and_not_sent(
    maestro: Adapter, requests: Requests, task_id: str
) -> None:
    for call in (
        maestro.jobs.get(task_id),
        maestro.jobs.stop(task_id),
        maestro.jobs.restart(task_id),
        maestro.jobs.report(task_id, JobOutcome.SUCCEEDED),
    ):
        with pytest.raises(NotFoundError, match="ids are numbers"):
            await call
    assert not requests("*")


async def test_the_answer_to_another_question_is_not_taken(script: Any) -> None:
    script.answer(wire_task(8))

    with pytest.raises(ProtocolError, match="asked for task 7, got 8"):
        await scripted(script).get("7")


@pytest.mark.parametrize("answer", [wire_task(8, activityLabel="Letters"), wire_task(8, parameters={"_rb_key": "k"})])
async def test_a_start_whose_answer_is_of_another_start_is_unknown(script: Any, answer: dict[str, Any]) -> None:
    script.answer(answer)

    with pytest.raises(OutcomeUnknownError, match="give starts a key") as caught:
        await scripted(script).start("Invoices")

    assert caught.value.delivery is Delivery.MAYBE
    assert script.lines == ["POST /task"]


async def running(sandbox: Sandbox, maestro: Adapter) -> str:
    """The id of a task that runs until it is reported."""
    job = await maestro.jobs.start("Invoices", {"month": "2026-10"}, key="k-1")
    sandbox.world.lifecycle.seconds = 1000
    sandbox.world.clock.advance(600)
    return job.id


async def test_a_report_finishes_the_task_with_words_and_counts(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    job_id = await running(sandbox, maestro)

    counts = ItemCounts(total=3, processed=2, failed=1)
    ended = await maestro.jobs.report(job_id, JobOutcome.PARTIAL, message="größer ☃", counts=counts)

    assert (ended.id, ended.outcome, ended.message, ended.counts) == (job_id, JobOutcome.PARTIAL, "größer ☃", counts)
    assert [sent(one) for one in requests(UPDATE)] == [
        {
            "state": "FINISHED",
            "finishStatus": "PARTIALLY_COMPLETED",
            "finishMessage": "größer ☃",
            "totalItems": 3,
            "processedItems": 2,
            "failedItems": 1,
        }
    ]
    assert (await maestro.jobs.get(job_id)).counts == counts


async def test_a_report_without_counts_sends_none_of_the_three(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    ended = await maestro.jobs.report(await running(sandbox, maestro), JobOutcome.FAILED)

    body = sent(requests(UPDATE)[0])
    assert [body[name] for name in ("totalItems", "processedItems", "failedItems")] == [None, None, None]
    assert (ended.outcome, ended.message, ended.counts) == (JobOutcome.FAILED, None, None)
    assert (
        ItemCounts(total=0, processed=0, failed=0)
        == (
            await maestro.jobs.report(
                (await maestro.jobs.start("Invoices")).id,
                JobOutcome.SUCCEEDED,
                counts=ItemCounts(total=0, processed=0, failed=0),
            )
        ).counts
    ), "zero is a number"


async def test_what_a_task_cannot_report_is_refused_unsent(maestro: Adapter, requests: Requests) -> None:
    with pytest.raises(UnsupportedError, match="outputs; upload them as a result file"):
        await maestro.jobs.report("1", JobOutcome.SUCCEEDED, outputs={"lines": 3})
    with pytest.raises(UnsupportedError, match=r"of STOPPED; .* SUCCEEDED, PARTIAL or FAILED"):
        await maestro.jobs.report("1", JobOutcome.STOPPED)
    assert not requests("*")


async def test_a_report_whose_answer_is_lost_is_sent_again_to_the_same_end(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    job_id = await running(sandbox, maestro)
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=UPDATE, when=When.AFTER))

    ended = await maestro.jobs.report(job_id, JobOutcome.SUCCEEDED, message="done")

    assert (ended.outcome, ended.message) == (JobOutcome.SUCCEEDED, "done")
    assert len(requests(UPDATE)) == 2


async def test_the_same_report_again_sends_nothing_and_another_one_is_a_conflict(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    job_id = await running(sandbox, maestro)
    counts = ItemCounts(total=1, processed=1, failed=0)
    await maestro.jobs.report(job_id, JobOutcome.SUCCEEDED, message="done", counts=counts)

    for said in ({"message": "done", "counts": counts}, {"message": "done"}, {}):
        assert (await maestro.jobs.report(job_id, JobOutcome.SUCCEEDED, **said)).message == "done"
    others: list[tuple[JobOutcome, dict[str, Any]]] = [
        (JobOutcome.FAILED, {"message": "done"}),
        (JobOutcome.SUCCEEDED, {"message": "not quite"}),
        (JobOutcome.SUCCEEDED, {"counts": ItemCounts(total=2, processed=2, failed=0)}),
    ]
    for outcome, said in others:
        with pytest.raises(ConflictError, match="has ended already, SUCCESS; its first report stands"):
            await maestro.jobs.report(job_id, outcome, **said)
    assert len(requests(UPDATE)) == 1


async def test_a_cancelled_task_cannot_be_reported(sandbox: Sandbox, maestro: Adapter, requests: Requests) -> None:
    sandbox.world.lifecycle.hold = True
    job = await maestro.jobs.start("Invoices")
    await maestro.jobs.stop(job.id)

    with pytest.raises(ConflictError, match="has ended already, CANCELED"):
        await maestro.jobs.report(job.id, JobOutcome.SUCCEEDED)
    assert len(requests(UPDATE)) == 1


async def test_a_task_that_ends_while_it_is_reported_is_looked_at(script: Any) -> None:
    for now, refused in ((wire_task(7, "FINISHED", finishStatus="SUCCESS"), False), (wire_task(7, "CANCELED"), True)):
        script.answer(wire_task(7, "RUNNING"))
        script.answer({"message": "not now"}, status=409)
        script.answer(now)
        if refused:
            with pytest.raises(ConflictError, match="has ended already, CANCELED"):
                await scripted(script).report("7", JobOutcome.SUCCEEDED)
        else:
            assert (await scripted(script).report("7", JobOutcome.SUCCEEDED)).outcome is JobOutcome.SUCCEEDED


async def test_a_refused_report_of_a_task_that_still_runs_says_the_servers_sentence(script: Any) -> None:
    script.answer(wire_task(7, "RUNNING"))
    script.answer({"message": "You must not"}, status=400)
    script.answer(wire_task(7, "RUNNING"))

    with pytest.raises(InvalidError, match="You must not"):
        await scripted(script).report("7", JobOutcome.SUCCEEDED)


async def test_a_task_that_timed_out_can_still_be_reported(sandbox: Sandbox, maestro: Adapter) -> None:
    sandbox.world.switches["botmaestro.token_lifetime"] = None
    job_id = await running(sandbox, maestro)
    await maestro.jobs.get(job_id)
    sandbox.world.lifecycle.seconds = 10_000_000
    sandbox.world.clock.advance(25 * 3600)
    assert (await maestro.jobs.get(job_id)).native_state == "TIMEOUT"

    assert (await maestro.jobs.report(job_id, JobOutcome.SUCCEEDED)).outcome is JobOutcome.SUCCEEDED


async def test_a_restart_runs_the_same_task_again(maestro: Adapter, requests: Requests, kept: Any) -> None:
    job = await maestro.jobs.wait(await maestro.jobs.start("Invoices", {"n": 1}, key="k-1"))

    again = await maestro.jobs.restart(job.id)

    assert (again.id, again.key, again.inputs, again.state) == (job.id, "k-1", {"n": 1}, JobState.PENDING)
    assert (again.outcome, again.message) == (None, None)
    assert [sent(one) for one in requests(UPDATE)] == [{"state": "START"}]
    assert len(kept()["tasks"]) == 1
    assert (await maestro.jobs.wait(again)).outcome is JobOutcome.SUCCEEDED


async def test_a_task_that_has_not_ended_is_not_restarted(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    with pytest.raises(ConflictError, match="is RUNNING; only one that has ended can be restarted"):
        await maestro.jobs.restart(await running(sandbox, maestro))
    assert not requests(UPDATE)


async def test_two_restarts_at_once_are_one_run(sandbox: Sandbox, maestro: Adapter, requests: Requests) -> None:
    job = await maestro.jobs.wait(await maestro.jobs.start("Invoices"))
    sandbox.world.lifecycle.hold = True

    done = await asyncio.gather(*(maestro.jobs.restart(job.id) for _ in range(3)), return_exceptions=True)

    assert sorted(type(one).__name__ for one in done) == ["ConflictError", "ConflictError", "Job"]
    assert len(requests(UPDATE)) == 1


@pytest.mark.parametrize("over", [False, True], ids=["it waits", "it is over again"])
async def test_a_restart_whose_answer_is_lost_is_looked_for_and_not_sent_again(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, over: bool
) -> None:
    job = await maestro.jobs.wait(await maestro.jobs.start("Invoices"))
    sandbox.world.clock.advance(60)
    sandbox.world.lifecycle.hold = not over
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=UPDATE, when=When.AFTER))

    again = await maestro.jobs.restart(job.id)

    assert again.state is (JobState.FINISHED if over else JobState.PENDING)
    assert again.started_at != job.started_at
    assert len(requests(UPDATE)) == 1


async def test_a_restart_that_never_arrived_is_unknown_and_not_repeated(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    job = await maestro.jobs.wait(await maestro.jobs.start("Invoices"))
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=UPDATE))

    with pytest.raises(OutcomeUnknownError, match=f"a new run of task {job.id} was not found") as caught:
        await maestro.jobs.restart(job.id)

    assert caught.value.delivery is Delivery.MAYBE
    assert len(requests(UPDATE)) == 1
    assert (await maestro.jobs.get(job.id)).outcome is JobOutcome.SUCCEEDED


async def test_a_server_that_restarts_tests_alone_says_so_itself(sandbox: Sandbox, maestro: Adapter) -> None:
    sandbox.world.switches["botmaestro.restart_production"] = False
    job = await maestro.jobs.wait(await maestro.jobs.start("Invoices"))
    test = await maestro.jobs.wait(await maestro.jobs.start("Invoices", options={"test": True}))

    with pytest.raises(InvalidError, match="Only test tasks can be restarted"):
        await maestro.jobs.restart(job.id)
    assert (await maestro.jobs.restart(test.id)).id == test.id


async def test_the_answer_about_another_task_is_not_taken(script: Any) -> None:
    script.answer(wire_task(7, "FINISHED", finishStatus="SUCCESS"))
    script.answer(wire_task(8))
    script.answer(wire_task(7))

    assert (await scripted(script).restart("7")).id == "7", "it was looked at instead"
    assert script.lines == ["GET /task/7", "POST /task/7", "GET /task/7"]
