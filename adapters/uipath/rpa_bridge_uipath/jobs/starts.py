"""Starting jobs at most once: each start carries a Reference that is looked up after a lost answer.

docs: uipath.md 5.5
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.jobs import Job
from rpa_bridge.errors import ConflictError, NotFoundError, OutcomeUnknownError, ProtocolError
from rpa_bridge.helpers.checks import NO_LIMITS, check_inputs, check_name, check_reference
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.call import apart
from rpa_bridge.transport.outbox import Intent
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.automations import UiPathAutomations
from rpa_bridge_uipath.client import Client
from rpa_bridge_uipath.mapping import jobs as mapping
from rpa_bridge_uipath.mapping.jobs import Start
from rpa_bridge_uipath.wire.jobs import JobDto
from rpa_bridge_uipath.wire.lists import Page

from .arguments import Arguments
from .lookup import job_by_number
from .options import check_options

LOG = logging.getLogger("rpa_bridge.uipath")
MOST_NAMED = 10
"""How many jobs an error names."""


class Starts:
    """Starts of one connection, one job or many together."""

    def __init__(
        self, client: Client, clock: Clock, automations: UiPathAutomations, arguments: Arguments, limits: Limits
    ) -> None:
        self._client, self._clock, self._automations = client, clock, automations
        self._arguments, self._limits = arguments, limits

    async def begin(self, start: Start, *, keyed: bool, operation: str) -> list[Job]:
        """The jobs of the start; with `keyed`, those that carry its Reference already."""
        check_options(operation, start.options)
        check_name(operation, "automation", start.automation, NO_LIMITS)
        check_reference(operation, "key", start.reference, self._limits)
        check_inputs(operation, start.inputs, self._limits)
        if not keyed:
            return await self._begin(start, operation)
        async with self._client.exclusive.hold(f"uipath start {start.reference}"):
            found = await self._existing(start, operation) or await self._earlier(start, operation)
            return found or await self._begin(start, operation)

    async def begun(self, intent: Intent) -> tuple[str, ...]:
        """The ids of the jobs that a start has made whose end nobody saw."""
        start = Start(
            automation=intent.subject, inputs={}, reference=intent.key, priority=None, options={}, count=intent.count
        )
        return tuple(str(row.Id) for row in await self._with_reference(start, intent.operation))

    async def _earlier(self, start: Start, operation: str) -> list[Job] | None:
        return await self._client.effects.earlier(
            lambda: self._existing(start, operation), operation=operation, what=_wanted(start), key=start.reference
        )

    async def _begin(self, start: Start, operation: str) -> list[Job]:
        release_key = await self._automations.release_key(start.automation, operation)
        text = mapping.arguments_text(start.inputs)
        file = await self._arguments.store(text, operation)
        inputs = {"InputArguments": text} if file is None else {"InputFile": str(file)}
        try:
            return await self._send_once(start, mapping.start_info(release_key, start, inputs), operation)
        except NotFoundError:  # nothing was started; the remembered release may have been made anew
            self._automations.forget_key(start.automation)
        release_key = await self._automations.release_key(start.automation, operation)
        return await self._send_once(start, mapping.start_info(release_key, start, inputs), operation)

    async def _send_once(self, start: Start, body: dict[str, object], operation: str) -> list[Job]:
        seen: list[JobDto] = []

        async def look_up() -> list[Job] | None:
            seen[:] = await self._with_reference(start, operation)
            if len(seen) != start.count:
                return None
            return [self._arguments.known(row) for row in await self._whole(seen, operation)]

        try:
            return await self._client.effects.once(
                lambda: self._send(start, body, operation),
                look_up,
                operation=operation,
                what=_wanted(start),
                subject=start.automation,
                key=start.reference,
                count=start.count,
            )
        except OutcomeUnknownError as error:
            if not seen:
                raise
            unknown = error
        raise OutcomeUnknownError(
            f"{operation}: no usable answer came, and {len(seen)} of {start.count} jobs with Reference "
            f"{start.reference!r} were seen ({_named(seen)}); look at them on the platform before you repeat",
            status=unknown.status,
            code=unknown.code,
            operation=operation,
            request_id=unknown.request_id,
            attempts=unknown.attempts,
        )

    async def _send(self, start: Start, body: dict[str, object], operation: str) -> list[Job]:
        path = f"/odata/Jobs/{odata.ACTION}StartJobs"
        answer = await self._client.call(
            "POST", path, effect=Effect.FINDABLE, operation=operation, json=body, mark=start.reference
        )
        jobs = JobDto.many(Page.of(answer, operation).value, operation)
        ours = {job.Id for job in jobs if job.Reference == start.reference}
        if not len(ours) == len(jobs) == start.count:
            raise ProtocolError(
                f"{operation}: the answer does not name our start ({len(jobs)} jobs in it)", operation=operation
            )
        self._check_automation(start, jobs, operation)
        return [self._arguments.known(job) for job in jobs]

    def _check_automation(self, start: Start, jobs: Sequence[JobDto], operation: str) -> None:
        """Tells of jobs that another automation runs: the remembered release was renamed in the last minute.

        It is no error: they were started, and whoever gets one starts them once more.
        """
        names = {job.ReleaseName for job in jobs if job.ReleaseName and not _is_of(job, start.automation)}
        if names:
            self._automations.forget_key(start.automation)
            LOG.warning(
                "%s: asked for %r, but the release that had this name a moment ago is now %r, and was started: job %s; "
                "stop what must not run",
                operation,
                start.automation,
                ", ".join(sorted(names)),
                _named(jobs),
            )

    async def _existing(self, start: Start, operation: str) -> list[Job] | None:
        """The jobs that carry the start's Reference; None without. Raises ConflictError when of another number."""
        found = await self._with_reference(start, operation)
        if found and len(found) != start.count:
            raise _another_number(found, start, operation)
        if len(found) == 1:
            whole = await self._whole(found, operation)
            return [await self._arguments.complete(whole[0], operation)]
        return [self._arguments.known(row) for row in found] or None

    async def _whole(self, rows: Sequence[JobDto], operation: str) -> Sequence[JobDto]:
        """The jobs of a list's rows, which may lack inputs: one is read whole, many are not, being many reads."""
        return [await job_by_number(self._client, rows[0].Id, operation)] if len(rows) == 1 else rows

    async def _with_reference(self, start: Start, operation: str) -> list[JobDto]:
        """The rows with this Reference. Raises ConflictError when they are another automation's, or too many."""
        condition = odata.where("Reference", "eq", start.reference)
        rows = self._client.all_rows(JobDto, "Jobs", operation=operation, condition=condition)
        with apart():  # an empty list means that the start may be sent
            found = [row async for row in rows if row.Reference == start.reference]  # the server ignores case
        for row in found:
            if not _is_of(row, start.automation):
                raise ConflictError(
                    f"{operation}: the key {start.reference!r} belongs to job {row.Id} of {row.ReleaseName!r}; "
                    f"use another key",
                    operation=operation,
                )
        if len(found) > start.count:
            raise _another_number(found, start, operation)
        return found


def _is_of(job: JobDto, automation: str) -> bool:
    return (job.ReleaseName or "").casefold() == automation.casefold()


def _wanted(start: Start) -> str:
    if start.count == 1:
        return f"a job with Reference {start.reference!r}"
    return f"all {start.count} jobs with Reference {start.reference!r}"


def _another_number(found: Sequence[JobDto], start: Start, operation: str) -> ConflictError:
    return ConflictError(
        f"{operation}: {len(found)} jobs carry the key {start.reference!r}, not {start.count}: {_named(found)}; "
        f"look at them, and use another key",
        operation=operation,
    )


def _named(jobs: Sequence[JobDto]) -> str:
    more = f" and {len(jobs) - MOST_NAMED} more" if len(jobs) > MOST_NAMED else ""
    return ", ".join(str(job.Id) for job in jobs[:MOST_NAMED]) + more
