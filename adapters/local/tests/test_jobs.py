from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge.contract.jobs import ItemCounts, Job, JobOutcome, JobState
from rpa_bridge.contract.logs import LogEntry
from rpa_bridge.contract.model import Severity
from rpa_bridge.contract.robots import RobotState
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError
from rpa_bridge_local import processes, runner
from rpa_bridge_local.adapter import LocalAdapter

Opener = Callable[..., LocalAdapter]
ECHO = """
import json, os, sys
inputs = json.load(sys.stdin)
print("working", inputs)
json.dump({"seen": inputs}, open(os.environ["RPA_BRIDGE_JOB_OUTPUT"], "w"))
"""
PATIENCE = 60.0
MEMORY = ":memory:"
EVERYWHERE = pytest.mark.parametrize("where", ["file", "memory"])


def python(program: str, **more: Any) -> dict[str, Any]:
    return {"command": [sys.executable, "-c", program], **more}


def shell(script: str, **more: Any) -> dict[str, Any]:
    """A light automation; the shell is the automation's own wish."""
    return {"command": ["sh", "-c", script], **more}


LONG = shell("sleep 30 & echo $!; echo up; wait")


def opened(open_local: Opener, where: str = "file", **automations: Any) -> LocalAdapter:
    place = {"path": MEMORY} if where == "memory" else {}
    return open_local(automations=automations, **place)


async def run(adapter: LocalAdapter, automation: str, inputs: dict[str, Any] | None = None) -> Job:
    job = await adapter.jobs.start(automation, inputs)
    return await adapter.jobs.wait(job, timeout=PATIENCE, poll=0.1)


async def running(adapter: LocalAdapter, automation: str, line: str = "up") -> Job:
    """A job whose command has written that it is up."""
    job = await adapter.jobs.start(automation)
    for _ in range(int(PATIENCE / 0.05)):
        if line in [entry.message async for entry in adapter.logs.find(job=job.id)]:
            return await adapter.jobs.get(job.id)
        await adapter.jobs.clock.sleep(0.05)
    raise AssertionError(f"job {job.id} did not come up: {await adapter.jobs.get(job.id)}")


async def child_of(adapter: LocalAdapter, job: Job) -> int:
    """The process that a job of LONG has started."""
    return int(next(entry.message for entry in await lines(adapter, job)))


async def is_gone(pid: int) -> bool:
    """Whether the process is gone, or will be in a moment."""
    for _ in range(100):
        if processes._start(pid) == processes.GONE:
            return True
        await asyncio.sleep(0.02)
    return False


async def lines(adapter: LocalAdapter, job: Job) -> list[LogEntry]:
    return [entry async for entry in adapter.logs.find(job=job.id)]


@EVERYWHERE
async def test_a_command_gets_its_inputs_and_gives_its_outputs(open_local: Opener, where: str) -> None:
    adapter = opened(open_local, where, Echo=python(ECHO))
    job = await run(adapter, "Echo", {"month": "größer ☃"})
    assert (job.outcome, job.outputs) == (JobOutcome.SUCCEEDED, {"seen": {"month": "größer ☃"}})
    assert job.started_at is not None
    assert job.ended_at is not None


@EVERYWHERE
async def test_the_lines_of_a_command_are_log_entries(open_local: Opener, where: str) -> None:
    adapter = opened(open_local, where, Talk=shell("echo one; echo two >&2; printf three"))
    job = await run(adapter, "Talk")
    found = {(entry.severity, entry.message) for entry in await lines(adapter, job)}
    assert found == {(Severity.INFO, "one"), (Severity.WARNING, "two"), (Severity.INFO, "three")}


@EVERYWHERE
async def test_a_command_that_fails_says_why(open_local: Opener, where: str) -> None:
    adapter = opened(open_local, where, Loud=shell("echo no paper >&2; echo >&2; exit 3"), Quiet=shell("exit 4"))
    loud, quiet = await run(adapter, "Loud"), await run(adapter, "Quiet")
    assert (loud.outcome, loud.message) == (JobOutcome.FAILED, "no paper")
    assert (quiet.outcome, quiet.message) == (JobOutcome.FAILED, "its command ended with exit code 4")


@EVERYWHERE
async def test_a_command_that_is_not_there_fails_its_job(open_local: Opener, where: str) -> None:
    adapter = opened(open_local, where, Gone={"command": ["no-such-command-at-all"]})
    job = await run(adapter, "Gone")
    assert job.outcome is JobOutcome.FAILED
    assert job.message == (
        "'no-such-command-at-all' cannot be started (No such file or directory); correct the automation's command"
    )


@pytest.mark.parametrize("output", ["no json", "[1]", '{"n": NaN}', "[" * 5000])
async def test_outputs_that_are_no_json_object_fail_the_job(open_local: Opener, output: str) -> None:
    adapter = opened(open_local, "memory", Odd=shell(f"printf %s '{output}' > $RPA_BRIDGE_JOB_OUTPUT"))
    job = await run(adapter, "Odd")
    assert job.outcome is JobOutcome.FAILED
    assert "RPA_BRIDGE_JOB_OUTPUT is no JSON object" in str(job.message)


async def test_more_output_than_is_kept_in_memory_does_not_stop_the_command(open_local: Opener) -> None:
    program = "import sys; [print('x' * 1000) for _ in range(3000)]; print('y' * 200_000); print('end')"
    adapter = opened(open_local, "memory", Talk=python(program))
    job = await run(adapter, "Talk")
    messages = [entry.message for entry in await lines(adapter, job)]
    assert messages[:3000] == ["x" * 1000] * 3000
    assert "".join(messages[3000:-1]) == "y" * 200_000
    assert max(map(len, messages)) <= processes.LONGEST_LINE
    assert messages[-1] == "end"


async def test_a_process_left_behind_does_not_hold_up_the_end(
    open_local: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "DRAIN", 0.1)
    adapter = opened(open_local, "memory", Parent=shell("sleep 20 & echo $!"))
    job = await run(adapter, "Parent")
    [child] = [entry.message for entry in await lines(adapter, job)]
    os.kill(int(child), signal.SIGKILL)
    assert job.outcome is JobOutcome.SUCCEEDED


@EVERYWHERE
async def test_a_command_that_takes_too_long_is_killed(open_local: Opener, where: str) -> None:
    adapter = opened(open_local, where, Slow=shell("trap '' TERM; sleep 30", timeout=0.2))
    job = await run(adapter, "Slow")
    assert (job.outcome, job.message) == (JobOutcome.FAILED, "it ran longer than its 0.2 seconds and was killed")


async def test_a_job_goes_on_when_its_starter_has_ended(open_local: Opener, path: str, tmp_path: Path) -> None:
    automations = {"Slow": shell(f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo done")}
    starter = f"""
import asyncio, json
from rpa_bridge.contract.adapter import AdapterContext
from rpa_bridge_local.adapter import LocalAdapter
from rpa_bridge_local.settings import LocalSettings

async def main():
    settings = LocalSettings(path={path!r}, automations={automations!r})
    adapter = LocalAdapter.open(settings, AdapterContext(connection="starter"))
    print((await adapter.jobs.start("Slow", key="once")).id)
    await adapter.aclose()

asyncio.run(main())
"""
    started = await asyncio.to_thread(subprocess.check_output, [sys.executable, "-W", "error", "-c", starter])
    adapter = open_local(automations=automations)
    job_id = started.decode().strip()
    assert not (await adapter.jobs.get(job_id)).finished
    await asyncio.to_thread((tmp_path / "go").touch)
    job = await adapter.jobs.wait(job_id, timeout=PATIENCE, poll=0.1)
    assert job.outcome is JobOutcome.SUCCEEDED
    assert [entry.message for entry in await lines(adapter, job)] == ["done"]
    assert (await adapter.jobs.start("Slow", key="once")).id == job_id


async def test_a_key_makes_one_job_across_connections(open_local: Opener) -> None:
    adapters = [opened(open_local, Quick=shell("true")) for _ in range(4)]
    jobs = await asyncio.gather(*(adapter.jobs.start("Quick", key="k") for adapter in adapters for _ in range(3)))
    assert len({job.id for job in jobs}) == 1
    assert [job.id async for job in adapters[0].jobs.find()] == [jobs[0].id]
    await adapters[0].jobs.wait(jobs[0], timeout=PATIENCE, poll=0.1)


async def test_a_key_of_another_automation_is_refused(open_local: Opener) -> None:
    adapter = opened(open_local, "memory", Quick=shell("true"), Other=shell("true"))
    job = await adapter.jobs.start("Quick", key="k")
    with pytest.raises(ConflictError, match=f"key 'k' belongs to job {job.id} of 'Quick'; use another key"):
        await adapter.jobs.start("Other", key="k")


async def runner_of(adapter: LocalAdapter, job: Job) -> int:
    row = await adapter._database.read(
        lambda db: db.execute("SELECT owner FROM jobs WHERE id = ?", (int(job.id),)).fetchone()
    )
    return int(row["owner"].split("|")[3])


async def test_a_job_whose_runner_was_killed_is_found_lost_and_not_run_again(
    open_local: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # a killed runner cannot clear up
    adapter = opened(open_local, Slow=LONG)
    job = await running(adapter, "Slow")
    os.kill(await runner_of(adapter, job), signal.SIGKILL)
    lost = await adapter.jobs.wait(job, timeout=PATIENCE, poll=0.1)
    os.killpg(os.getpgid(await child_of(adapter, job)), signal.SIGKILL)
    assert (lost.outcome, lost.native_state) == (JobOutcome.FAILED, "lost")
    assert lost.message == "lost with the process that ran it"
    assert [one.id async for one in adapter.jobs.find()] == [job.id]


async def test_a_runner_that_is_asked_to_end_takes_its_command_along(open_local: Opener) -> None:
    adapter = opened(open_local, Slow=LONG)
    job = await running(adapter, "Slow")
    os.kill(await runner_of(adapter, job), signal.SIGTERM)
    assert (await adapter.jobs.wait(job, timeout=PATIENCE, poll=0.1)).native_state == "lost"
    assert await is_gone(await child_of(adapter, job))


def test_only_a_process_that_is_surely_gone_is_lost() -> None:
    me = processes.owner_of(os.getpid())
    host, boot, room, pid, start = me.split("|")
    assert not processes.is_lost(me)
    assert not processes.is_lost(processes.UNKNOWN)
    assert processes.is_lost("|".join([host, boot, room, pid, "1"])), "a later process has its number"
    assert processes.is_lost("|".join([host, "before", room, pid, start])), "the machine has started anew"
    assert not processes.is_lost("|".join(["elsewhere", boot, room, pid, "1"])), "another machine cannot be seen"
    assert not processes.is_lost("|".join([host, boot, "container", pid, "1"])), "another container cannot be seen"


def test_a_process_that_has_ended_is_lost_even_while_nobody_has_reaped_it() -> None:
    with subprocess.Popen(["sleep", "30"]) as process:
        owner = processes.owner_of(process.pid)
        assert not processes.is_lost(owner)
        process.kill()
        while not processes.is_lost(owner):
            time.sleep(0.01)
    assert processes.is_lost(processes.owner_of(process.pid))


@EVERYWHERE
async def test_stopping_ends_the_command_and_what_it_started(open_local: Opener, where: str) -> None:
    adapter = opened(open_local, where, Slow=LONG)
    job = await running(adapter, "Slow")
    asked = await adapter.jobs.stop(job.id)
    assert (asked.state, asked.stop_requested) == (JobState.STOPPING, True)
    ended = await adapter.jobs.wait(job, timeout=PATIENCE, poll=0.1)
    assert (ended.outcome, ended.message) == (JobOutcome.STOPPED, "stopped on request")
    assert await is_gone(await child_of(adapter, job))


@EVERYWHERE
async def test_a_command_that_will_not_stop_is_killed_by_force(open_local: Opener, where: str) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True)); "
    adapter = opened(
        open_local, where, Deaf=python(deaf + "print('up', flush=True); [time.sleep(1) for _ in range(60)]")
    )
    job = await running(adapter, "Deaf")
    await adapter.jobs.stop(job.id)
    for _ in range(200):
        if "no" in [entry.message for entry in await lines(adapter, job)]:
            break
        await adapter.jobs.clock.sleep(0.05)
    assert (await adapter.jobs.get(job.id)).state is JobState.STOPPING
    await adapter.jobs.stop(job.id, force=True)
    await adapter.jobs.stop(job.id)
    assert (await adapter.jobs.wait(job, timeout=PATIENCE, poll=0.1)).outcome is JobOutcome.STOPPED


@EVERYWHERE
async def test_a_job_that_waits_for_its_time_can_be_stopped_and_never_runs(open_local: Opener, where: str) -> None:
    adapter = opened(open_local, where, Talk=shell("echo ran"))
    later = adapter.jobs.clock.now() + timedelta(hours=1)
    job = await adapter.jobs.start("Talk", not_before=later)
    assert job.state is JobState.PENDING
    stopped = await adapter.jobs.stop(job.id)
    assert (stopped.outcome, stopped.started_at) == (JobOutcome.STOPPED, None)
    assert await lines(adapter, job) == []


async def test_a_job_waits_for_its_time(open_local: Opener) -> None:
    adapter = opened(open_local, Talk=shell("true"))
    soon = adapter.jobs.clock.now() + timedelta(seconds=0.6)
    job = await adapter.jobs.wait(await adapter.jobs.start("Talk", not_before=soon), timeout=PATIENCE, poll=0.1)
    assert job.started_at is not None
    assert job.started_at >= soon


@EVERYWHERE
async def test_what_a_run_reports_of_itself_stands(open_local: Opener, where: str, tmp_path: Path) -> None:
    adapter = opened(
        open_local, where, Slow=shell(f"echo up; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; exit 1")
    )
    job = await running(adapter, "Slow")
    counts = ItemCounts(total=3, processed=2, failed=1)
    reported = await adapter.jobs.report(job.id, JobOutcome.PARTIAL, message="one bad", counts=counts, outputs={"n": 2})
    assert (reported.outcome, reported.message, reported.counts) == (JobOutcome.PARTIAL, "one bad", counts)
    await asyncio.to_thread((tmp_path / "go").touch)
    with pytest.raises(ConflictError, match="is partial; only a running one can be reported"):
        await adapter.jobs.report(job.id, JobOutcome.SUCCEEDED)
    await adapter.jobs.clock.sleep(0.5)
    assert await adapter.jobs.get(job.id) == reported


async def test_a_run_is_told_its_own_number(open_local: Opener) -> None:
    adapter = opened(open_local, Tell=shell('echo "{\\"job\\": \\"$RPA_BRIDGE_JOB\\"}" > $RPA_BRIDGE_JOB_OUTPUT'))
    job = await run(adapter, "Tell")
    assert job.outputs == {"job": job.id}


@EVERYWHERE
async def test_secrets_reach_the_command_and_no_other_place(open_local: Opener, where: str, path: str) -> None:
    canary = f"canary-job-{where}-77"
    adapter = opened(
        open_local,
        where,
        Login=shell(
            'echo up; echo "pass $PASSWORD $STAGE"; echo "$PASSWORD" >&2; cat /proc/$PPID/cmdline; sleep 0.5; exit 1',
            secrets={"PASSWORD": canary},
            env={"STAGE": "production"},
        ),
    )
    job = await running(adapter, "Login")
    listing = await asyncio.to_thread(subprocess.check_output, ["ps", "-eo", "args"])
    job = await adapter.jobs.wait(job, timeout=PATIENCE, poll=0.1)
    told = [entry.message for entry in await lines(adapter, job)]
    assert "pass *** production" in told
    assert job.message == "***"
    everything = repr(job) + repr(told) + repr(vars(adapter)) + repr(vars(adapter.jobs)) + listing.decode()
    assert canary not in everything
    if where == "file":
        files = [Path(path), Path(path + "-wal")]
        assert canary.encode() not in b"".join([await asyncio.to_thread(file.read_bytes) for file in files])


async def test_inputs_are_completed_and_checked_where_they_are_declared(open_local: Opener) -> None:
    inputs = {"month": {"type": "text", "required": True}, "copies": {"type": "integer", "default": 1}}
    adapter = opened(open_local, "memory", Print=shell("cat > $RPA_BRIDGE_JOB_OUTPUT", inputs=inputs))
    assert (await run(adapter, "Print", {"month": "10"})).outputs == {"month": "10", "copies": 1}
    with pytest.raises(InvalidError, match="the input 'month' is missing"):
        await adapter.jobs.start("Print", {"copies": 2})
    with pytest.raises(InvalidError, match="there is no input 'mont'; did you mean 'month'"):
        await adapter.jobs.start("Print", {"mont": "10"})
    [month, copies] = (await adapter.automations.schema("Print")).inputs
    assert (month.name, month.required) == ("month", True)
    assert (copies.type, copies.default) == ("integer", 1)


async def test_a_misspelt_automation_is_answered_with_the_right_one(open_local: Opener) -> None:
    adapter = opened(open_local, "memory", Invoices=shell("true"))
    with pytest.raises(NotFoundError, match="no automation 'Invoces' here; did you mean 'Invoices'"):
        await adapter.jobs.start("Invoces")


async def test_a_running_job_is_not_restarted_and_makes_the_robot_busy(open_local: Opener) -> None:
    adapter = opened(open_local, "memory", Slow=LONG)
    job = await running(adapter, "Slow")
    with pytest.raises(ConflictError, match="is still running; stop it, or wait"):
        await adapter.jobs.restart(job.id)
    [robot] = [one async for one in adapter.robots.find()]
    assert (robot.name, robot.state) == (job.robot, RobotState.BUSY)


async def test_closing_ends_what_runs_in_memory(open_local: Opener) -> None:
    adapter = opened(open_local, "memory", Slow=LONG)
    child = await child_of(adapter, await running(adapter, "Slow"))
    await adapter.aclose()
    assert await is_gone(child)


async def test_a_runner_whose_job_was_stopped_before_it_began_does_nothing(open_local: Opener, path: str) -> None:
    adapter = opened(open_local, Talk=shell("echo ran"))
    later = adapter.jobs.clock.now() + timedelta(hours=1)
    job = await adapter.jobs.start("Talk", not_before=later)
    await adapter.jobs.stop(job.id)
    order = json.dumps({"command": ["sh", "-c", "echo ran"]})
    command = [sys.executable, "-m", "rpa_bridge_local.runner", path, job.id]
    await asyncio.to_thread(subprocess.run, command, input=order, text=True, check=True)
    assert await lines(adapter, job) == []


@pytest.mark.parametrize("turns", range(12))
async def test_closing_at_any_moment_of_a_start_leaves_nothing_behind(open_local: Opener, turns: int) -> None:
    adapter = opened(open_local, "memory", Slow=shell("sleep 30"))
    await asyncio.gather(*(adapter.jobs.start("Slow") for _ in range(3)))
    for _ in range(turns):
        await asyncio.sleep(0.001)
    await asyncio.wait_for(adapter.aclose(), 10)
