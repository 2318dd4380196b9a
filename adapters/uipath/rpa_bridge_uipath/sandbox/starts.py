"""What a start asks for: the release, the robots, the inputs. docs: uipath.md 3.8, StartProcessDto"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rpa_bridge.sandbox.world import World

from .bodies import flag, guid, instant, many, nested, one_of, text, unwrap, whole
from .entities import JOB_PRIORITIES, JOB_SOURCES, RUNTIME_TYPES, Row
from .errors import invalid_argument, not_found, refusal
from .files import Files
from .state import State

MOST_INPUT = 10_000
MOST_JOBS = 1000
ID = whole(0, 2**63)

STOP = one_of("SoftStop", "Kill", first_number=1)
MACHINE_ROBOT = {"MachineId": ID, "MachineName": text(), "RobotId": ID, "RobotUserName": text()}
ATTACHMENT = {
    "attachmentId": guid,
    "jobKey": guid,
    "category": text(128),
    "attachmentName": text(256),
    "lastModificationTime": instant,
    "lastModifierUserId": ID,
    "creationTime": instant,
    "creatorUserId": ID,
    "id": guid,
}
RECORDING = one_of("None", "Failed", "All")
START_INFO = {
    "ReleaseKey": text(),
    "ReleaseName": text(),
    "Strategy": one_of("All", "Specific", "RobotCount", "JobsCount", "ModernJobsCount"),
    "RobotIds": many(ID),
    "MachineSessionIds": many(ID),
    "MachineRobots": many(nested(MACHINE_ROBOT)),
    "JobsCount": whole(0, MOST_JOBS),
    "NoOfRobots": whole(0, MOST_JOBS),
    "Source": one_of(*JOB_SOURCES),
    "JobPriority": one_of(*JOB_PRIORITIES),
    "SpecificPriorityValue": whole(1, 100),
    "RuntimeType": one_of(*RUNTIME_TYPES),
    "InputArguments": text(MOST_INPUT),
    "InputFile": guid,
    "Attachments": many(nested(ATTACHMENT)),
    "EnvironmentVariables": text(4000),
    "Reference": text(128),
    "ParentOperationId": text(128),
    "BatchExecutionKey": guid,
    "TargetFramework": one_of("Legacy", "Windows", "Portable"),
    "ResumeOnSameContext": flag,
    "RequiresUserInteraction": flag,
    "RunAsMe": flag,
    "StopProcessExpression": text(),
    "KillProcessExpression": text(),
    "StopStrategy": STOP,
    "AlertPendingExpression": text(),
    "AlertRunningExpression": text(),
    "RemoteControlAccess": one_of("None", "ReadOnly", "Full"),
    "EntryPointPath": text(),
    "VideoRecordingSettings": nested(
        {"VideoRecordingType": RECORDING, "QueueItemVideoRecordingType": RECORDING, "MaxDurationSeconds": ID}
    ),
    "AutopilotForRobots": nested({"Enabled": flag, "HealingEnabled": flag}),
    "MachineInfraTarget": nested({"MachineTemplateName": text(), "HostMachineName": text(), "ServiceUserName": text()}),
    "ProfilingOptions": text(4000),
    "FpsContext": text(2048),
    "FpsProperties": text(4000),
    "TraceId": text(255),
    "ParentSpanId": text(255),
    "RootSpanId": text(255),
}


@dataclass(frozen=True)
class Start:
    """A start that can be carried out."""

    release: Row
    given: Row
    robots: list[Row | None]
    """One for each job to make; None leaves the choice to the server."""


class Starts:
    """Reads the bodies of StartJobs and its dry run."""

    def __init__(self, world: World, state: State, files: Files) -> None:
        self._world, self._state, self._files = world, state, files

    def read(self, body: dict[str, Any], folder: Row) -> Start:
        """The start that a body describes. Raises the refusal of one that cannot be."""
        given = unwrap(body, "startInfo", START_INFO)
        release = self._release(given, folder)
        self._check_inputs(given)
        self._check_entry_point(given)
        return Start(release, given, self._robots(given, folder))

    def _release(self, given: Row, folder: Row) -> Row:
        """By key, and only without one by name."""
        if "ReleaseKey" in given:
            for release in self._state.in_folder(self._state.releases, folder):
                if release["Key"] == given["ReleaseKey"].lower():
                    return release
        elif "ReleaseName" in given:
            named = self._state.by_name(self._state.releases, folder, given["ReleaseName"])
            if named is not None:
                return named
        else:
            raise invalid_argument("ReleaseKey", "ReleaseKey or ReleaseName is required.")
        raise not_found("The release")

    def _check_inputs(self, given: Row) -> None:
        """Inputs are a JSON object, in a text or in an attachment, and not in both."""
        if "InputFile" in given and "InputArguments" in given:
            raise invalid_argument("InputFile", "InputArguments are given too.")
        for attachment in given.get("Attachments", []):
            if "attachmentId" not in attachment:
                raise invalid_argument("Attachments", "An attachmentId is missing.")
            if self._files.content_of(attachment["attachmentId"]) is None:
                raise not_found("The attachment")
        if "InputFile" in given:
            content = self._files.content_of(given["InputFile"])
            if content is None:
                raise not_found("The attachment")
            check_json_object("InputFile", content)
        else:
            check_json_object("InputArguments", given.get("InputArguments", "{}"))

    def _check_entry_point(self, given: Row) -> None:
        known = self._world.switch("uipath.entry_points", None)
        if known is not None and "EntryPointPath" in given and given["EntryPointPath"] not in known:
            raise invalid_argument("EntryPointPath", "The package has no such entry point.")

    def _robots(self, given: Row, folder: Row) -> list[Row | None]:
        """Who runs the jobs: this is what the strategy and its companions decide."""
        strategy = given.get("Strategy", "ModernJobsCount")
        if strategy in self._world.switch("uipath.refused_strategies", ["All", "RobotCount"]):
            raise refusal(400, 1009, "StrategyNotAvailableInModernFolder")
        counted = strategy in ("JobsCount", "ModernJobsCount")
        if given.get("RobotIds") and strategy != "Specific":
            raise invalid_argument("RobotIds", "It must be empty unless Strategy is Specific.")
        if given.get("JobsCount", 0) > 0 and not counted:
            raise invalid_argument("JobsCount", "It goes with JobsCount and ModernJobsCount only.")
        if given.get("NoOfRobots", 0) > 0 and strategy != "RobotCount":
            raise invalid_argument("NoOfRobots", "It goes with RobotCount only.")
        count = given.get("JobsCount", 1) if counted else given.get("NoOfRobots", 1)
        if count == 0:
            raise invalid_argument("JobsCount" if counted else "NoOfRobots", "It must be greater than 0.")
        chosen = self._chosen(given, folder)
        if strategy == "Specific":
            if not chosen:
                raise invalid_argument("RobotIds", "It must not be empty when Strategy is Specific.")
            return [*chosen]
        if strategy == "All":
            return [self._state.robots[folder["Id"]]]
        return [chosen[number % len(chosen)] if chosen else None for number in range(count)]

    def _chosen(self, given: Row, folder: Row) -> list[Row]:
        """The robots that a start names, each of which must belong to the folder."""
        wanted = [{"Id": robot_id} for robot_id in given.get("RobotIds", [])]
        wanted += [
            {_ROBOT_MEMBERS[member]: value for member, value in pair.items()} for pair in given.get("MachineRobots", [])
        ]
        robot = self._state.robots[folder["Id"]]
        for one in wanted:
            if not one or any(robot[member] != value for member, value in one.items()):
                raise invalid_argument("RobotIds", "The folder has no such robot (InvalidStartJobRobotIds).")
        return [robot] * len(wanted)


_ROBOT_MEMBERS = {"MachineId": "MachineId", "MachineName": "MachineName", "RobotId": "Id", "RobotUserName": "Username"}


def check_json_object(name: str, given: str | bytes) -> None:
    """Refuses inputs that are not a JSON object."""
    try:
        if not isinstance(json.loads(given), dict):
            raise ValueError
    except ValueError:
        raise invalid_argument(name, "It must be a JSON object.") from None
