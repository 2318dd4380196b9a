"""Alerts in neutral words, and ours in BotMaestro's."""

from __future__ import annotations

from rpa_bridge.contract.alerts import Alert
from rpa_bridge.contract.model import Severity
from rpa_bridge_botmaestro.wire.alerts import AlertRecord

SEVERITIES = {"INFO": Severity.INFO, "WARN": Severity.WARNING, "ERROR": Severity.ERROR}  # docs: botmaestro.md 5
ALERT_TYPES = {
    Severity.DEBUG: "INFO",
    Severity.INFO: "INFO",
    Severity.WARNING: "WARN",
    Severity.ERROR: "ERROR",
    Severity.FATAL: "ERROR",
}


def alert(record: AlertRecord) -> Alert:
    """The alert."""
    return Alert(
        id=str(record.id),
        title=record.title or "",
        message=record.message or "",
        severity=SEVERITIES.get(record.type or "", Severity.INFO),
        job=None if record.taskId is None else str(record.taskId),
        at=record.date,
        raw_data=record.raw,
    )
