"""Jobs in neutral words, and starts in UiPath's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from rpa_bridge.contract.jobs import Job, JobOutcome, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge_uipath.wire.jobs import JobDto

from .common import PRIORITIES, PRIORITY_OF

JOB_STATES: dict[str, tuple[JobState, JobOutcome | None]] = {  # docs: uipath.md 3.8 "States"
    "Pending": (JobState.PENDING, None),
    "Running": (JobState.RUNNING, None),
    "Stopping": (JobState.STOPPING, None),
    "Terminating": (JobState.STOPPING, None),
    "Faulted": (JobState.FINISHED, JobOutcome.FAILED),
    "Successful": (JobState.FINISHED, JobOutcome.SUCCEEDED),
    "Stopped": (JobState.FINISHED, JobOutcome.STOPPED),
    "Suspended": (JobState.SUSPENDED, None),
    "Resumed": (JobState.PENDING, None),
}
SPECIFIC_PRIORITIES = {Priority.LOW: 25, Priority.NORMAL: 45, Priority.HIGH: 65}
"""JobPriority alone may not take effect. docs: uipath.md 3.7"""

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
COUNTED = ("ModernJobsCount", "JobsCount")
"""Strategies that start as many jobs as JobsCount says; with any other it must be absent. docs: uipath.md 3.8"""
MOST_CHARACTERS = 10_000
"""Of inputs as text; more go through an attachment. docs: uipath.md 3.8, InputArguments"""


def job(dto: JobDto) -> Job:
    """The job in neutral words."""
    state, outcome = JOB_STATES.get(dto.State, (JobState.UNKNOWN, None))
    return Job(
        id=str(dto.Id),
        automation=dto.ReleaseName or "",
        state=state,
        outcome=outcome,
        native_state=dto.State,
        inputs=arguments(dto.InputArguments),
        outputs=arguments(dto.OutputArguments),
        message=_message(dto),
        key=dto.Reference or None,
        priority=PRIORITY_OF.get(dto.JobPriority or ""),
        robot=dto.Robot.Name if dto.Robot else None,
        stop_requested=dto.State in ("Stopping", "Terminating"),
        created_at=dto.CreationTime,
        started_at=dto.StartTime,
        ended_at=dto.EndTime,
        raw_data=dto.raw,
    )


def job_state_filter(state: JobState) -> list[str]:
    """UiPath's states that mean this one; empty for UNKNOWN."""
    return [word for word, (neutral, _) in JOB_STATES.items() if neutral is state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start as a caller asked for it, with the Reference that its jobs will carry."""

    automation: str
    inputs: Mapping[str, Any]
    reference: str
    priority: Priority | None
    options: Mapping[str, Any]
    count: int = 1


def starts_one_job(options: Mapping[str, Any]) -> bool:
    """Whether a start with these options is one job, and not one for each of several robots."""
    strategy, robots = options.get("Strategy", COUNTED[0]), options.get("RobotIds")
    return strategy in COUNTED or (strategy == "Specific" and isinstance(robots, list | tuple) and len(robots) == 1)


def starts_counted_jobs(options: Mapping[str, Any]) -> bool:
    """Whether a start with these options is as many jobs as it says."""
    return bool(options.get("Strategy", COUNTED[0]) == COUNTED[0])


def start_info(release_key: str, start: Start, inputs: Mapping[str, str]) -> dict[str, Any]:
    """The body of StartJobs; `options` win. `inputs` is the member that holds them. docs: uipath.md 3.8"""
    info: dict[str, Any] = {
        "ReleaseKey": release_key,
        "Strategy": COUNTED[0],
        **inputs,
        "Reference": start.reference,
    }
    if start.priority is not None:
        info["JobPriority"] = PRIORITIES[start.priority]
        info["SpecificPriorityValue"] = SPECIFIC_PRIORITIES[start.priority]
    info |= start.options
    if info["Strategy"] in COUNTED:
        info["JobsCount"] = start.count
    return {"startInfo": info}


def arguments_text(inputs: Mapping[str, Any]) -> str:
    """Inputs as UiPath takes them: a JSON object in a string. Raises ValueError for what JSON cannot hold."""
    return _JSON.encode(dict(inputs))


def characters(text: str) -> int:
    """How long the text is for UiPath, whose characters are UTF-16's: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def arguments(text: str | None) -> dict[str, Any]:
    """Inputs or outputs as UiPath gives them; empty where they are not the JSON of an object."""
    value = None
    try:
        value = from_json(text or "{}")
    except ValueError:  # Python's own takes half of a character, and any depth
        with suppress(ValueError, RecursionError):
            value = json.loads(text or "{}")
    return value if isinstance(value, dict) else {}


def _message(dto: JobDto) -> str | None:
    """The platform's sentence on the job, or what else it says of an error."""
    error = dto.JobError
    return dto.Info or (error and (error.detail or error.title)) or dto.ErrorCode or None
