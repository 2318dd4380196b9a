"""Robot logs in neutral words."""

from __future__ import annotations

from rpa_bridge.contract.logs import LogEntry
from rpa_bridge.contract.model import Severity
from rpa_bridge_uipath.wire.logs import LogDto

SEVERITIES = {  # docs: uipath.md 3.14, Level
    "Trace": Severity.DEBUG,
    "Debug": Severity.DEBUG,
    "Info": Severity.INFO,
    "Warn": Severity.WARNING,
    "Error": Severity.ERROR,
    "Fatal": Severity.FATAL,
}


def entry(line: LogDto) -> LogEntry:
    """The line in neutral words. Its job is the job's key, which `jobs.get` takes."""
    return LogEntry(
        at=line.TimeStamp,
        message=line.Message or "",
        severity=SEVERITIES.get(line.Level or "", Severity.INFO),
        job=line.JobKey or None,
        robot=line.RobotName or None,
        raw_data=line.raw,
    )
