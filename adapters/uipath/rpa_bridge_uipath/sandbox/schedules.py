"""Triggers: what starts jobs by time or by the items of a queue. The sandbox's start none. docs: uipath.md 3.16"""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, flag, free, guid, instant, many, one_of, text, whole
from .cron import Cron
from .entities import JOB_PRIORITIES, RUNTIME_TYPES, Entity, Row, enums, members
from .errors import RefusalError, invalid_argument, name_taken, not_found
from .gate import Call, Route
from .odata import Query, read_query
from .state import State
from .times import from_wire, to_wire

SCOPE = "OR.Jobs"
ACTION = "UiPath.Server.Configuration.OData."
TABLE = "schedules"

_ID = whole(0, 2**63)
_ITEMS = whole(1, 10_000)
GIVEN = {
    "Name": text(255),
    "TimeZoneId": text(80),
    "Description": text(512),
    "Enabled": flag,
    "ReleaseId": _ID,
    "ReleaseKey": guid,
    "ReleaseName": text(),
    "EntryPointPath": text(),
    "JobPriority": one_of(*JOB_PRIORITIES),
    "SpecificPriorityValue": whole(1, 100),
    "RuntimeType": one_of(*RUNTIME_TYPES),
    "StartProcessCron": text(),
    "StartProcessCronDetails": text(),
    "StartStrategy": whole(0, 2**31),
    "ExecutorRobots": many(free),
    "MachineRobots": many(free),
    "StopProcessExpression": text(),
    "StopStrategy": one_of("SoftStop", "Kill", first_number=1),
    "KillProcessExpression": text(),
    "StopProcessDate": instant,
    "AlertPendingExpression": text(),
    "AlertRunningExpression": text(),
    "CalendarId": _ID,
    "CalendarKey": guid,
    "InputArguments": text(10_000),
    "InputFile": guid,
    "QueueDefinitionId": _ID,
    "ItemsActivationThreshold": _ITEMS,
    "ItemsPerJobActivationTarget": _ITEMS,
    "MaxJobsForActivation": _ITEMS,
    "ActivateOnJobComplete": flag,
    "ResumeOnSameContext": flag,
    "RunAsMe": flag,
    "ConsecutiveJobFailuresThreshold": whole(0, 100),
    "JobFailuresGracePeriodInHours": whole(0, 720),
    "Tags": many(free),
}
_TOLD = (
    "Id", "Key", "PackageName", "EnvironmentName", "EnvironmentId", "StartProcessCronSummary", "CalendarName",
    "StartProcessNextOccurrence", "ExternalJobKey", "ExternalJobKeyScheduler", "TimeZoneIana", "UseCalendar",
    "QueueDefinitionName", "IsConnected",
)  # fmt: skip
"""What only the server sets; a client may send back what it has read."""
SET_ENABLED = {"enabled": flag, "scheduleIds": many(_ID), "multistatusEnabled": flag}


SCHEDULE = Entity(
    "ProcessSchedules",
    members(
        number="Id ReleaseId QueueDefinitionId CalendarId StartStrategy SpecificPriorityValue MaxJobsForActivation"
        " ItemsActivationThreshold ItemsPerJobActivationTarget ConsecutiveJobFailuresThreshold",
        guid="Key CalendarKey",
        text="Name Description ReleaseKey ReleaseName PackageName TimeZoneId StartProcessCron QueueDefinitionName",
        date="StartProcessNextOccurrence StopProcessDate",
        bool="Enabled ActivateOnJobComplete RunAsMe",
    )
    | enums(JobPriority=JOB_PRIORITIES, RuntimeType=RUNTIME_TYPES),
)


class Schedules:
    """The triggers of a folder. In Shared: one by time, switched off, and one by a queue."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state

    def bear(self) -> None:
        """Makes the first two."""
        folder = next(iter(self._state.folders.values()))
        queue = next(iter(self._state.in_folder(self._state.queues, folder)))
        by_time = {"Name": "Invoices every morning", "StartProcessCron": "0 0 6 ? * MON-FRI", "Enabled": False}
        by_queue = {
            "Name": "Invoices as they come",
            "QueueDefinitionId": queue["Id"],
            "ItemsActivationThreshold": 1,
            "ItemsPerJobActivationTarget": 10,
            "MaxJobsForActivation": 3,
        }
        for given in (by_time, by_queue):
            self._save(folder, {"TimeZoneId": "UTC", "ReleaseName": "Invoices", **given})

    def routes(self) -> list[Route]:
        """Its operations."""
        one = r"/odata/ProcessSchedules({id:\d+})"
        return [
            Route("GET", "/odata/ProcessSchedules", self.find, SCOPE),
            Route("GET", one, self.get, SCOPE),
            Route("POST", "/odata/ProcessSchedules", self.create, SCOPE),
            Route("PUT", one, self.replace, SCOPE),
            Route("DELETE", one, self.delete, SCOPE),
            Route("POST", f"/odata/ProcessSchedules/{ACTION}SetEnabled", self.set_enabled, SCOPE),
        ]

    async def find(self, call: Call) -> web.Response:
        query = _query(call)
        return web.json_response(query.answer(query.run(map(self._shown, self._all(call.folder)))))

    async def get(self, call: Call) -> web.Response:
        return web.json_response(_query(call).view(self._shown(self._schedule(call.id, call.folder))))

    async def create(self, call: Call) -> web.Response:
        row = self._save(call.folder, await _given(call))
        return web.json_response(self._shown(row), status=201)

    async def replace(self, call: Call) -> web.Response:
        """What the body leaves out is as if it were new, but for Enabled, which stays."""
        self._save(call.folder, await _given(call), self._schedule(call.id, call.folder))
        return web.Response(status=204)

    async def delete(self, call: Call) -> web.Response:
        del self._state.table(TABLE)[str(self._schedule(call.id, call.folder)["Id"])]
        return web.Response(status=204)

    async def set_enabled(self, call: Call) -> web.Response:
        """All or none; with `multistatusEnabled` those that exist, and a 207 that names the others."""
        given = bind(await body_of(call.request), SET_ENABLED, "scheduleIds")
        if not {"enabled", "scheduleIds"} <= set(given):
            raise invalid_argument("scheduleIds", "enabled and scheduleIds are required.")
        found, failed = [], {}
        for schedule_id in given["scheduleIds"]:
            try:
                found.append(self._schedule(schedule_id, call.folder))
            except RefusalError as refusal:
                if not given.get("multistatusEnabled"):
                    raise
                failed[str(schedule_id)] = refusal.body
        for row in found:
            row["Enabled"] = given["enabled"]
        if failed:
            return web.json_response(failed, status=207)
        return web.json_response({"@odata.context": "$metadata#Edm.Boolean", "value": True})

    def _all(self, folder: Row) -> list[Row]:
        return [row for row in self._state.table(TABLE).values() if row["OrganizationUnitId"] == folder["Id"]]

    def _schedule(self, schedule_id: int, folder: Row) -> Row:
        found = self._state.table(TABLE).get(str(schedule_id))
        if found is None or found["OrganizationUnitId"] != folder["Id"]:
            raise not_found("The trigger")
        return found

    def _save(self, folder: Row, given: Row, known: Row | None = None) -> Row:
        """The trigger that these members make, in the place of a known one. Raises what is wrong with them."""
        release, queue = self._release(folder, given), self._queue(folder, given)
        beside = [one["Name"].casefold() for one in self._all(folder) if one is not known]
        if given["Name"].casefold() in beside:
            raise name_taken(given["Name"])
        row = {
            **dict.fromkeys((*GIVEN, *_TOLD)),
            "Enabled": known["Enabled"] if known else True,  # docs: uipath.md 3.16: null on POST becomes true
            **given,
            "Id": known["Id"] if known else self._state.next_id("schedule", 6001),
            "Key": known["Key"] if known else self._world.new_uuid(),
            "ReleaseId": release["Id"],
            "ReleaseKey": release["Key"],
            "ReleaseName": release["Name"],
            "PackageName": release["ProcessKey"],
            "QueueDefinitionName": queue and queue["Name"],
            "OrganizationUnitId": folder["Id"],
        }
        self._state.table(TABLE)[str(row["Id"])] = row
        return row

    def _release(self, folder: Row, given: Row) -> Row:
        """By the first of id, key and name that is given."""
        for member, theirs in (("ReleaseId", "Id"), ("ReleaseKey", "Key"), ("ReleaseName", "Name")):
            if member in given:
                for release in self._state.in_folder(self._state.releases, folder):
                    if release[theirs] == given[member]:
                        return release
                raise not_found("The release")
        raise invalid_argument("ReleaseId", "It is required.")

    def _queue(self, folder: Row, given: Row) -> Row | None:
        """The queue of a queue trigger; None for a time trigger."""
        if ("QueueDefinitionId" in given) == ("StartProcessCron" in given):
            raise invalid_argument("StartProcessCron", "A trigger has either it or QueueDefinitionId.")
        if "QueueDefinitionId" not in given:
            return None
        queue = self._state.queues.get(given["QueueDefinitionId"])
        if queue is None or queue["OrganizationUnitId"] != folder["Id"]:
            raise not_found("The queue")
        return queue

    def _shown(self, row: Row) -> Row:
        shown = row | {"StartProcessNextOccurrence": self._next(row)}
        del shown["OrganizationUnitId"]
        return shown

    def _next(self, row: Row) -> str | None:
        """None too where only Windows knows the time zone's name."""
        zone = _zone(row["TimeZoneId"])
        if not row["Enabled"] or row["StartProcessCron"] is None or zone is None:
            return None
        found = Cron(row["StartProcessCron"]).after(from_wire(self._state.now()), zone)
        return None if found is None else to_wire(found)


async def _given(call: Call) -> Row:
    """What a client may say of a trigger."""
    given = bind(await body_of(call.request), GIVEN | dict.fromkeys(_TOLD, _anything), "processScheduleDto")
    for name in ("Name", "TimeZoneId"):
        if not given.get(name):
            raise invalid_argument(name, f"The {name} field is required.")
    if "StartProcessCron" in given:
        try:
            Cron(given["StartProcessCron"])
        except ValueError as reason:
            raise invalid_argument("StartProcessCron", f"It is no Quartz expression: {reason}.") from None
    return {name: value for name, value in given.items() if name not in _TOLD}


def _anything(_: str, value: Any) -> Any:
    return value


def _query(call: Call) -> Query:
    return read_query(call.request.query.items(), SCHEDULE)


def _zone(name: str) -> tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None
