"""Waiting for jobs: look, pause a little longer, look again."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing

from rpa_bridge.clock import Clock
from rpa_bridge.contract.jobs import Job, JobService
from rpa_bridge.errors import InvalidError, RemoteError, WaitTimeoutError
from rpa_bridge.transport.call import at_most

FIRST_PAUSE = 0.2
"""Seconds between the first two looks."""
GROWTH = 1.5
"""Each pause is this much longer than the one before, up to `poll`."""
MOST_NAMED = 10
"""How many unfinished jobs an error names."""


async def wait(service: JobService, job: Job | str, *, timeout: float | None = None, poll: float = 2.0) -> Job:
    """The finished job; see `JobService.wait`."""
    async with aclosing(as_finished(service, [job], timeout=timeout, poll=poll)) as finished:
        return await anext(finished)


async def wait_all(
    service: JobService, jobs: Iterable[Job | str], *, timeout: float | None = None, poll: float = 2.0
) -> list[Job]:
    """The finished jobs, in the order given; see `JobService.wait_all`."""
    wanted = [job.id if isinstance(job, Job) else job for job in jobs]
    finished = {job_id: job async for job_id, job in _as_finished(service, wanted, timeout=timeout, poll=poll)}
    return [finished[job_id] for job_id in wanted]


async def as_finished(
    service: JobService, jobs: Iterable[Job | str], *, timeout: float | None = None, poll: float = 2.0
) -> AsyncGenerator[Job, None]:
    """Each job once, as it finishes; see `JobService.as_finished`."""
    async with aclosing(_as_finished(service, jobs, timeout=timeout, poll=poll)) as finished:
        async for _, job in finished:
            yield job


async def _as_finished(
    service: JobService, jobs: Iterable[Job | str], *, timeout: float | None, poll: float
) -> AsyncGenerator[tuple[str, Job], None]:
    """Each job with the id that it was asked for by. One round looks at all that are unfinished, in handfuls.

    A look that fails for a while (retryable) does not end the wait; any other failure does.
    """
    if (left := at_most(math.inf if timeout is None else timeout)) < math.inf:
        timeout = left
    pauses = _Pauses(service.clock, timeout, poll)
    unfinished = {job.id if isinstance(job, Job) else job: _last_word(job) for job in jobs}
    failure: RemoteError | None = None
    while unfinished:
        failure = None
        for job_ids in _batched(list(unfinished), service.looks_at):
            try:
                seen = await service.get_many(job_ids)
            except RemoteError as error:
                if not error.retryable:
                    raise
                failure = error
                continue
            for job_id, job in zip(job_ids, seen, strict=True):
                if job.finished:
                    del unfinished[job_id]
                    yield job_id, job
                else:
                    unfinished[job_id] = _last_word(job)
        if unfinished and not await pauses.next(at_least=failure.retry_after if failure else None):
            raise WaitTimeoutError(_too_late(unfinished, timeout, failure)) from failure


def _batched(things: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The things, at most `size` at once."""
    for start in range(0, len(things), size):
        yield things[start : start + size]


class _Pauses:
    """The pauses between rounds: growing, and never beyond the deadline."""

    def __init__(self, clock: Clock, timeout: float | None, longest: float) -> None:
        if not longest > 0:
            raise InvalidError(f"poll must be more than 0 seconds, not {longest}")
        self._clock = clock
        self._deadline = None if timeout is None else clock.monotonic() + timeout
        self._longest = longest
        self._pause = min(FIRST_PAUSE, longest)

    async def next(self, *, at_least: float | None) -> bool:
        """Sleeps; False when the time was already over. `at_least` is what the platform asked for, in seconds."""
        pause = max(self._pause, at_least or 0.0)
        if self._deadline is not None:
            left = self._deadline - self._clock.monotonic()
            if left <= 0:
                return False
            pause = min(pause, left)
        await self._clock.sleep(pause)
        self._pause = min(self._pause * GROWTH, self._longest)
        return True


def _last_word(job: Job | str) -> str:
    return job.state.value if isinstance(job, Job) else "not yet seen"


def _too_late(unfinished: dict[str, str], timeout: float | None, failure: RemoteError | None) -> str:
    names = [f"{job_id} ({state})" for job_id, state in unfinished.items()]
    shown = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    first = next(iter(unfinished))
    some = f"job {shown} has not finished; it goes on" if len(names) == 1 else f"jobs {shown} have not; they go on"
    blind = f"; the last look failed: {failure}" if failure else ""
    return f"after {timeout:g} seconds {some}: look again with jobs.get({first!r}), or wait longer{blind}"
