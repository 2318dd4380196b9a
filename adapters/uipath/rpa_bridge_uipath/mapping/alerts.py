"""Alerts in neutral words, and ours in UiPath's."""

from __future__ import annotations

from typing import Any

from rpa_bridge.contract.alerts import Alert
from rpa_bridge.contract.jobs import Job
from rpa_bridge.contract.model import Severity
from rpa_bridge_uipath.wire.alerts import AlertDto

from .jobs import arguments

SEVERITIES: dict[str, Severity] = {  # docs: uipath.md 3.15
    "Info": Severity.INFO,
    "Success": Severity.INFO,
    "Warn": Severity.WARNING,
    "Error": Severity.ERROR,
    "Fatal": Severity.FATAL,
}
SEVERITY_WORDS = {
    Severity.DEBUG: "Info",
    Severity.INFO: "Info",
    Severity.WARNING: "Warn",
    Severity.ERROR: "Error",
    Severity.FATAL: "Fatal",
}
NOBODY = "-"
"""The name of no robot: the platform wants one."""


def alert(dto: AlertDto) -> Alert:
    """The alert: the name of its kind, and its message where its data has one."""
    data = arguments(dto.Data)
    message = data.get("Message")
    return Alert(
        id=dto.Id,
        title=str(data.get("ProcessName") or dto.NotificationName or ""),
        message=message if isinstance(message, str) else dto.Data or "",
        severity=SEVERITIES.get(dto.Severity or "", Severity.INFO),
        at=dto.CreationTime,
        raw_data=dto.raw,
    )


def process_alert(text: str, severity: Severity, title: str, job: Job | None) -> dict[str, Any]:
    """The body of RaiseProcessAlert. An alert names a process and a robot, where we know a job's."""
    told = {
        "Message": text,
        "Severity": SEVERITY_WORDS[severity],
        "RobotName": (job and job.robot) or NOBODY,
        "ProcessName": (job and job.automation) or title,
    }
    return {"processAlert": told}


def alert_text(title: str, message: str, job: str | None) -> str:
    """What people read: the platform's alerts have no title and know no job."""
    return f"{title} (job {job}): {message}" if job else f"{title}: {message}"
