"""How jobs live: started, moving on, suspended and resumed, asked to stop. docs: uipath.md 3.8, states"""

from __future__ import annotations

import json
from typing import Any

from rpa_bridge.sandbox.lifecycle import Ending, Stage
from rpa_bridge.sandbox.world import World

from .entities import Row
from .files import Files
from .inboxes import Inboxes
from .starts import Start
from .state import Job, State
from .times import from_wire

FINAL = {"Faulted", "Successful", "Stopped"}
WAITING = {"Pending", "Suspended", "Resumed"}
"""Where no robot works on a job, so that a stop takes effect at once."""
MOST_OUTPUT = 10_240
"""Longer outputs go to a file. docs: uipath.md 3.8, size"""
PRIORITIES = {"Low": 25, "Normal": 45, "High": 65}
"""docs: uipath.md 3.7"""
SETTINGS = (
    "InputArguments", "InputFile", "Reference", "EnvironmentVariables", "RuntimeType", "EntryPointPath",
    "RequiresUserInteraction", "ResumeOnSameContext", "RemoteControlAccess", "ProfilingOptions", "FpsContext",
    "FpsProperties", "TraceId", "ParentSpanId", "RootSpanId", "AutopilotForRobots",
)  # fmt: skip
"""What a job shows of its start as it was given."""


class Runs:
    """The rules; they know nothing of HTTP."""

    def __init__(self, world: World, state: State, files: Files) -> None:
        self._world, self._state, self._files = world, state, files
        self._inboxes = Inboxes(world, state)

    def start(self, start: Start) -> list[Job]:
        """The new jobs, waiting: all of them, with one reference and one batch."""
        batch = start.given.get("BatchExecutionKey") or self._world.new_uuid()
        return [self._new(start.release, start.given | {"BatchExecutionKey": batch}, robot) for robot in start.robots]

    def restart(self, job: Job, release: Row) -> Job:
        """A new job that is started as this one was."""
        kept = (*SETTINGS, "JobPriority", "SpecificPriorityValue")
        given = {name: job.row[name] for name in kept if job.row[name] is not None}
        if not self._world.switch("uipath.restart_keeps_reference", False):
            given.pop("Reference", None)
        return self._new(release, given | {"BatchExecutionKey": self._world.new_uuid()}, None)

    def settle(self, job: Job) -> None:
        """Lets the job go where time and looks have brought it."""
        row, lifecycle = job.row, self._world.lifecycle
        if row["State"] in FINAL or row["State"] == "Suspended" or lifecycle.hold:
            return
        stage = lifecycle.stage(looks=job.looks, created=from_wire(job.since), now=self._world.clock.now())
        if row["State"] in ("Stopping", "Terminating"):
            if stage is Stage.ENDED:
                self._stopped(job)
        elif stage is Stage.ENDED:
            self._run(job)
            if self._suspends(row):
                self._suspend(row)
            else:
                self._end(job)
        elif stage is Stage.RUNNING:
            self._run(job)

    def pass_time(self, job: Job) -> None:
        """Lets the job go where time alone has brought it; for requests that do not look at it."""
        if self._world.lifecycle.seconds > 0:
            self.settle(job)

    def stop(self, job: Job, strategy: str) -> None:
        """Asks the job to stop; one that waits is stopped at once, one that is over or killed stays as it is."""
        row = job.row
        if row["State"] in FINAL or row["State"] == "Terminating":
            return
        row["StopStrategy"] = strategy
        if row["State"] in WAITING:
            self._finish(row, "Stopped", "Stopped on request." if row["StartTime"] else "Cancelled before it ran.")
            return
        self._turn(job, "Terminating" if strategy == "Kill" else "Stopping")

    def resume(self, job: Job, answer: dict[str, Any]) -> None:
        """Wakes a suspended job, which will be dispatched again. docs: uipath.md 3.8, states"""
        self._inboxes.close(job.row["Id"], answer)
        job.row["ResumeVersion"] += 1
        job.row["ResumeTime"] = self._state.now()
        job.answer = job.answer | answer
        self._turn(job, "Resumed")

    def robot(self, job: Job) -> Row | None:
        """The robot that has the job, or is to have it."""
        return None if job.robot_id is None else self._state.robots[job.row["OrganizationUnitId"]]

    def _new(self, release: Row, given: Row, robot: Row | None) -> Job:
        now = self._state.now()
        row: Row = dict.fromkeys(SETTINGS) | {
            "RuntimeType": "Unattended",
            "InputArguments": None if "InputFile" in given else release["InputArguments"],
            "EntryPointPath": release["EntryPointPath"],
        }
        row |= {name: given[name] for name in SETTINGS if name in given}
        row |= _priority(given, release) | {
            "Key": self._world.new_uuid(),
            "StartTime": None,
            "EndTime": None,
            "ResumeTime": None,
            "State": "Pending",
            "SubState": None,
            "Source": given.get("Source", "Manual"),
            "SourceType": given.get("Source", "Manual"),
            "BatchExecutionKey": given["BatchExecutionKey"],
            "Info": None,
            "CreationTime": now,
            "LastModificationTime": now,
            "StartingScheduleId": None,
            "ReleaseName": release["Name"],
            "Type": "Unattended",
            "OutputArguments": None,
            "OutputFile": None,
            "HostMachineName": None,
            "StopStrategy": None,
            "PersistenceId": None,
            "ResumeVersion": 0,
            "ErrorCode": self._world.switch("uipath.pending_error", None),
            "JobError": None,
            "ParentJobKey": None,
            "ProcessType": "Process",
            "OrganizationUnitId": release["OrganizationUnitId"],
            "OrganizationUnitFullyQualifiedName": release["OrganizationUnitFullyQualifiedName"],
            "Id": self._state.next_id("job", 40001),
        }
        job = Job(row, release["Id"], since=now, robot_id=robot["Id"] if robot else None)
        self._state.jobs[job.row["Id"]] = job
        for one in given.get("Attachments", []):
            self._files.attach(one["attachmentId"], job.row["Key"], one.get("category"))
        return job

    def _run(self, job: Job) -> None:
        row = job.row
        if row["State"] not in WAITING:
            return
        robot = self._state.robots[row["OrganizationUnitId"]]
        job.robot_id, row["HostMachineName"] = robot["Id"], robot["MachineName"]
        row["State"], row["ErrorCode"] = "Running", None
        row["LastModificationTime"] = self._state.now()
        row["StartTime"] = row["StartTime"] or self._state.now()

    def _suspends(self, row: Row) -> bool:
        """Whether the job goes to sleep instead of ending: the switch names the automation that does."""
        if row["ReleaseName"] != self._world.switch("uipath.suspend_automation", None):
            return False
        return bool(row["ResumeVersion"] < self._world.switch("uipath.suspensions", 1))

    def _suspend(self, row: Row) -> None:
        row["State"], row["LastModificationTime"] = "Suspended", self._state.now()
        row["PersistenceId"] = row["PersistenceId"] or self._world.new_uuid()
        self._inboxes.open(row["Id"])

    def _end(self, job: Job) -> None:
        ending = self._world.lifecycle.ending(job.row["ReleaseName"])
        if ending.outcome == "failed":
            self._fault(job.row, ending.message or "The sandbox was told to let this job fail.")
            return
        self._put_out(job, json.dumps(self._outputs(job, ending), ensure_ascii=False))
        self._finish(job.row, "Successful", ending.message or "Job completed")

    def _outputs(self, job: Job, ending: Ending) -> dict[str, Any]:
        if ending.outputs is not None:
            return ending.outputs
        if job.row["InputFile"] is None:
            given: str | bytes = job.row["InputArguments"] or "{}"
        else:
            given = self._files.content_of(job.row["InputFile"]) or b"{}"
        inputs: dict[str, Any] = json.loads(given)
        return inputs | job.answer

    def _put_out(self, job: Job, outputs: str) -> None:
        """Robots before 2025.10.1 lose long outputs without a word. docs: uipath.md 3.8, size"""
        if len(outputs) <= MOST_OUTPUT:
            job.row["OutputArguments"] = outputs
        elif self._world.switch("uipath.attachments", True) and not self._world.switch("uipath.old_robot", False):
            job.row["OutputFile"] = self._files.create(f"{job.row['Key']}.json", outputs.encode())

    def _fault(self, row: Row, message: str) -> None:
        error = {"code": "Robot", "title": message, "detail": message, "category": "User", "status": 0}
        error["timestamp"] = self._state.now()
        if self._world.switch("uipath.job_error_capitals", False):
            error = {name.capitalize(): value for name, value in error.items()}
        row["ErrorCode"], row["JobError"] = "Robot", error
        self._finish(row, "Faulted", message)

    def _stopped(self, job: Job) -> None:
        """A soft stop is a request: the job may still reach its end."""
        if job.row["State"] == "Stopping" and self._world.switch("uipath.soft_stop_ignored", False):
            self._end(job)
        else:
            self._finish(job.row, "Stopped", "Stopped on request.")

    def _turn(self, job: Job, state: str) -> None:
        """Brings the job into a state from which its looks and seconds count anew."""
        job.row["State"] = state
        job.row["LastModificationTime"] = job.since = self._state.now()
        job.looks = 0

    def _finish(self, row: Row, state: str, info: str) -> None:
        row["State"], row["Info"] = state, info
        row["EndTime"] = row["LastModificationTime"] = self._state.now()


def _priority(given: Row, release: Row) -> Row:
    """The number decides, and the word follows it. docs: uipath.md 3.7"""
    value = given.get("SpecificPriorityValue")
    if value is None:
        value = PRIORITIES[given["JobPriority"]] if "JobPriority" in given else release["SpecificPriorityValue"]
    word = min(PRIORITIES, key=lambda name: abs(PRIORITIES[name] - value))
    return {"JobPriority": word, "SpecificPriorityValue": value}
