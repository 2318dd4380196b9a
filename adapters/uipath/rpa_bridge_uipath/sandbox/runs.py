"""How jobs live: started, moving on, asked to stop. docs: uipath.md 3.8"""

from __future__ import annotations

import json
from typing import Any

from rpa_bridge.sandbox.lifecycle import Ending, Stage
from rpa_bridge.sandbox.world import World

from .entities import Row
from .state import Job, State
from .times import from_wire

FINAL = {"Faulted", "Successful", "Stopped"}
MOST_OUTPUT = 10_240
"""Longer outputs are lost while the job is successful. docs: uipath.md 3.8, size"""


class Runs:
    """The rules; they know nothing of HTTP."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state

    def start(self, release: Row, given: Row, folder: Row) -> list[Job]:
        """The new jobs, waiting."""
        batch = given.get("BatchExecutionKey") or self._world.new_uuid()
        return [self._new(release, given, folder, batch) for _ in range(given.get("JobsCount", 1))]

    def settle(self, job: Job) -> None:
        """Lets the job go where time and looks have brought it."""
        row, lifecycle = job.row, self._world.lifecycle
        if row["State"] in FINAL or lifecycle.hold:
            return
        stage = lifecycle.stage(looks=job.looks, created=from_wire(job.since), now=self._world.clock.now())
        if row["State"] in ("Stopping", "Terminating"):
            if stage is Stage.ENDED:
                self._stopped(job)
        elif stage is Stage.ENDED:
            self._end(job)
        elif stage is Stage.RUNNING:
            self._run(row)

    def pass_time(self, job: Job) -> None:
        """Lets the job go where time alone has brought it; for requests that do not look at it."""
        if self._world.lifecycle.seconds > 0:
            self.settle(job)

    def stop(self, job: Job, strategy: str) -> None:
        """Asks the job to stop; one that waits is stopped at once, one that is over stays as it is."""
        row = job.row
        if row["State"] in FINAL:
            return
        row["StopStrategy"] = strategy
        if row["State"] == "Pending":
            self._finish(row, "Stopped", "Cancelled before it ran.")
            return
        row["State"] = "Terminating" if strategy == "Kill" else "Stopping"
        row["LastModificationTime"] = job.since = self._state.now()
        job.looks = 0

    def _new(self, release: Row, given: Row, folder: Row, batch: str) -> Job:
        now = self._state.now()
        job_id = self._state.next_id("job", 40001)
        row = {
            "Key": self._world.new_uuid(),
            "StartTime": None,
            "EndTime": None,
            "State": "Pending",
            "JobPriority": given.get("JobPriority", release["JobPriority"]),
            "SpecificPriorityValue": given.get("SpecificPriorityValue", release["SpecificPriorityValue"]),
            "Source": given.get("Source", "Manual"),
            "SourceType": given.get("Source", "Manual"),
            "BatchExecutionKey": batch,
            "Info": None,
            "CreationTime": now,
            "LastModificationTime": now,
            "ReleaseName": release["Name"],
            "Type": "Unattended",
            "InputArguments": given.get("InputArguments", release["InputArguments"]),
            "OutputArguments": None,
            "HostMachineName": None,
            "Reference": given.get("Reference"),
            "StopStrategy": None,
            "RuntimeType": given.get("RuntimeType", "Unattended"),
            "EntryPointPath": given.get("EntryPointPath", release["EntryPointPath"]),
            "ResumeVersion": 0,
            "ErrorCode": None,
            "JobError": None,
            "OrganizationUnitId": folder["Id"],
            "OrganizationUnitFullyQualifiedName": folder["FullyQualifiedName"],
            "Id": job_id,
        }
        self._state.jobs[job_id] = Job(row, release["Id"], since=now)
        return self._state.jobs[job_id]

    def _run(self, row: Row) -> None:
        if row["State"] != "Pending":
            return
        row["State"] = "Running"
        row["StartTime"] = row["LastModificationTime"] = self._state.now()
        row["HostMachineName"] = self._state.robots[row["OrganizationUnitId"]]["MachineName"]

    def _end(self, job: Job) -> None:
        self._run(job.row)
        ending = self._world.lifecycle.ending(job.row["ReleaseName"])
        if ending.outcome == "failed":
            self._fault(job.row, ending.message or "The sandbox was told to let this job fail.")
            return
        outputs = _outputs(ending, job.row["InputArguments"])
        job.row["OutputArguments"] = outputs if len(outputs) <= MOST_OUTPUT else None
        self._finish(job.row, "Successful", ending.message or "Job completed")

    def _fault(self, row: Row, message: str) -> None:
        row["ErrorCode"] = "Robot"
        row["JobError"] = {"Code": "Robot", "Title": message, "Detail": message, "Category": "User", "Status": 0}
        self._finish(row, "Faulted", message)

    def _stopped(self, job: Job) -> None:
        """A soft stop is a request: the job may still reach its end. docs: uipath.md 3.8, states"""
        if job.row["State"] == "Stopping" and self._world.switch("uipath.soft_stop_ignored", False):
            self._end(job)
        else:
            self._finish(job.row, "Stopped", "Stopped on request.")

    def _finish(self, row: Row, state: str, info: str) -> None:
        row["State"], row["Info"] = state, info
        row["EndTime"] = row["LastModificationTime"] = self._state.now()


def _outputs(ending: Ending, inputs: str | None) -> str:
    outputs: Any = ending.outputs if ending.outputs is not None else json.loads(inputs or "{}")
    return json.dumps(outputs, ensure_ascii=False)
