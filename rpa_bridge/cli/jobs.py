"""`rpa-bridge jobs`: start automations and follow their runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import click

from rpa_bridge.contract.jobs import ItemCounts, Job, JobOutcome, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.errors import BridgeError

from .commands import Noun, examples
from .exits import Exit
from .options import Duration, Moment, Word, limit_option
from .session import Session, on_connection
from .values import pairs_option, read_object

COLUMNS = ("id", "automation", "state", "outcome", "key", "created_at", "ended_at", "message")
BAD_ENDS = frozenset({JobOutcome.FAILED, JobOutcome.STOPPED})


@click.group(cls=Noun)
def jobs() -> None:
    """Start automations and follow their runs."""


def _exit_as(ended: Sequence[Job]) -> None:
    if any(job.outcome in BAD_ENDS for job in ended):
        raise click.exceptions.Exit(Exit.JOB_FAILED)


@jobs.command(
    "start",
    epilog=examples(
        "rpa-bridge jobs start Invoices -i month=2026-10 -i limit:=50 --wait",
        "rpa-bridge jobs start Invoices --inputs-file inputs.json --key invoices-2026-10",
        "rpa-bridge jobs start Invoices --not-before 2h --priority high --on uipath-prod",
        "rpa-bridge jobs start Letters --count 5 --key letters-2026-10 --wait",
    ),
)
@click.argument("automation")
@pairs_option("-i", "--input", "inputs", help="One input, as text or typed. It wins over --inputs-file.")
@click.option("--inputs-file", metavar="FILE", help="Inputs as a JSON object; - reads standard input.")
@click.option("--key", help="Start at most once: a second start with this key shows the job that exists.")
@click.option("--priority", type=Word(Priority), help="What goes first.")
@click.option("--not-before", type=Moment(+1), help="Earliest start: a time, or a duration from now.")
@pairs_option("--option", "options", help="A setting of this platform's own, under its own name.")
@click.option("--count", type=click.IntRange(min=2), help="Start this many jobs with the same inputs, all or none.")
@click.option("--wait", is_flag=True, help="Wait for the end; exit code 3 when the job failed or was stopped.")
@click.option("--timeout", type=Duration(), help="With --wait: give up waiting after so long; the job goes on.")
@on_connection
async def start(
    session: Session,
    /,
    automation: str,
    *,
    inputs: dict[str, Any],
    inputs_file: str | None,
    key: str | None,
    priority: Priority | None,
    not_before: datetime | None,
    options: dict[str, Any],
    count: int | None,
    wait: bool,
    timeout: float | None,
) -> None:
    """Starts an automation and shows the job."""
    if timeout is not None and not wait:
        raise click.UsageError("--timeout says how long to wait; say --wait too")
    if count is not None and not_before is not None:
        raise click.UsageError("--count starts jobs now; leave --not-before out")
    service = session.adapter.jobs
    given = {**(read_object(inputs_file) if inputs_file else {}), **inputs}
    if count is not None:
        many = await service.start_many(automation, count, given, key=key, priority=priority, options=options or None)
        await _show_many(session, many, wait=wait, timeout=timeout)
        return
    job = await service.start(
        automation, given, key=key, priority=priority, not_before=not_before, options=options or None
    )
    if wait:
        session.note(f"started job {job.id}")
        try:
            job = await service.wait(job, timeout=timeout)
        except BridgeError:
            session.show(job)  # whatever the wait came to, the job that was started must not be lost
            raise
    session.show(job)
    _exit_as([job])


async def _show_many(session: Session, started: list[Job], *, wait: bool, timeout: float | None) -> None:
    ended: list[Job] = []
    if wait:
        session.note(f"started jobs {', '.join(job.id for job in started)}")
        found = _noted(session.adapter.jobs.as_finished(started, timeout=timeout), ended)
    else:
        found = _noted(_each(started), [])
    await session.show_all(found, COLUMNS, 0)
    _exit_as(ended)


@jobs.command("get", epilog=examples("rpa-bridge jobs get 4711 -o json"))
@click.argument("job_id")
@on_connection
async def get(session: Session, /, job_id: str) -> None:
    """Shows a job as it is now."""
    session.show(await session.adapter.jobs.get(job_id))


@jobs.command(
    "list",
    epilog=examples("rpa-bridge jobs list --state running", "rpa-bridge jobs list --automation Invoices --since 2h"),
)
@click.option("--automation", help="Only jobs of this automation.")
@click.option("--state", type=Word(JobState), help="Only jobs in this state.")
@click.option("--key", help="Only jobs started with this key.")
@click.option("--since", type=Moment(-1), help="Only jobs created since then: a time, or a duration back from now.")
@limit_option
@on_connection
async def list_(
    session: Session,
    /,
    *,
    automation: str | None,
    state: JobState | None,
    key: str | None,
    since: datetime | None,
    limit: int | None,
) -> None:
    """Lists jobs, newest first."""
    found = session.adapter.jobs.find(automation=automation, state=state, key=key, since=since)
    await session.show_all(found, COLUMNS, limit)


@jobs.command(
    "wait", epilog=examples("rpa-bridge jobs wait 4711 --timeout 15m", "rpa-bridge jobs wait 4711 4712 -o jsonl")
)
@click.argument("job_ids", metavar="JOB_ID...", nargs=-1, required=True)
@click.option("--timeout", type=Duration(), help="Give up waiting after so long; the jobs go on.")
@on_connection
async def wait(session: Session, /, job_ids: tuple[str, ...], timeout: float | None) -> None:
    """Waits for jobs to end; exit code 3 when one failed or was stopped."""
    ended: list[Job] = []
    if len(job_ids) == 1:
        ended.append(await session.adapter.jobs.wait(job_ids[0], timeout=timeout))
        session.show(ended[0])
    else:
        await session.show_all(_noted(session.adapter.jobs.as_finished(job_ids, timeout=timeout), ended), COLUMNS, 0)
    _exit_as(ended)


async def _each(jobs: list[Job]) -> AsyncIterator[Job]:
    for job in jobs:
        yield job


async def _noted(found: AsyncIterator[Job], into: list[Job]) -> AsyncIterator[Job]:
    async for job in found:
        into.append(job)
        yield job


@jobs.command("stop", epilog=examples("rpa-bridge jobs stop 4711", "rpa-bridge jobs stop 4711 --force"))
@click.argument("job_id")
@click.option("--force", is_flag=True, help="Kill it instead of asking it to end.")
@on_connection
async def stop(session: Session, /, job_id: str, force: bool) -> None:
    """Asks a job to end."""
    session.show(await session.adapter.jobs.stop(job_id, force=force))


@jobs.command("restart", epilog=examples("rpa-bridge jobs restart 4711"))
@click.argument("job_id")
@on_connection
async def restart(session: Session, /, job_id: str) -> None:
    """Runs a job again with the same inputs, and shows the new job."""
    session.show(await session.adapter.jobs.restart(job_id))


@jobs.command("resume", epilog=examples("rpa-bridge jobs resume 4711 -i approved:=true"))
@click.argument("job_id")
@pairs_option("-i", "--input", "inputs", help="What the suspended job waits for.")
@on_connection
async def resume(session: Session, /, job_id: str, inputs: dict[str, Any]) -> None:
    """Wakes a suspended job."""
    session.show(await session.adapter.jobs.resume(job_id, inputs or None))


@jobs.command(
    "report",
    epilog=examples('rpa-bridge jobs report 4711 partial --processed 98 --failed 2 --message "two unreadable"'),
)
@click.argument("job_id")
@click.argument("outcome", type=Word(JobOutcome))
@click.option("--message", help="What to tell people.")
@click.option("--processed", type=click.IntRange(min=0), help="How many items went well.")
@click.option("--failed", type=click.IntRange(min=0), help="How many items failed.")
@pairs_option("-r", "--result", "outputs", help="One output of the run.")
@on_connection
async def report(
    session: Session,
    /,
    job_id: str,
    outcome: JobOutcome,
    *,
    message: str | None,
    processed: int | None,
    failed: int | None,
    outputs: dict[str, Any],
) -> None:
    """Finishes a job from inside its run."""
    counts = None
    if processed is not None or failed is not None:
        done, bad = processed or 0, failed or 0
        counts = ItemCounts(total=done + bad, processed=done, failed=bad)
    session.show(
        await session.adapter.jobs.report(job_id, outcome, message=message, counts=counts, outputs=outputs or None)
    )
