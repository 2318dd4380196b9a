"""One typed interface for RPA platforms. Start with `Bridge`.

Names are imported when first used, so that `import rpa_bridge` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge
    from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterInfo, AdapterSettings, Capabilities, Finding
    from rpa_bridge.contract.alerts import Alert
    from rpa_bridge.contract.artifacts import Artifact
    from rpa_bridge.contract.assets import Asset, AssetType
    from rpa_bridge.contract.automations import Automation, AutomationSchema
    from rpa_bridge.contract.credentials import Credential, RevealedCredential
    from rpa_bridge.contract.features import Feature, Limits
    from rpa_bridge.contract.folders import Folder
    from rpa_bridge.contract.incidents import Incident
    from rpa_bridge.contract.jobs import ItemCounts, Job, JobOutcome, JobState
    from rpa_bridge.contract.logs import Log, LogEntry
    from rpa_bridge.contract.model import Priority, Severity
    from rpa_bridge.contract.queues import (
        AddResult,
        AddStatus,
        AddSummary,
        Failure,
        FailureKind,
        Field,
        Item,
        ItemDraft,
        ItemState,
        Queue,
        QueueDraft,
        QueueStats,
    )
    from rpa_bridge.contract.robots import Machine, Robot, RobotState
    from rpa_bridge.contract.schedules import Schedule
    from rpa_bridge.contract.webhooks import Webhook
    from rpa_bridge.errors import (
        AdapterLoadError,
        AuthError,
        BridgeError,
        BusinessError,
        ConfigError,
        ConflictError,
        DeniedError,
        InvalidError,
        MigrationError,
        NotFoundError,
        OutcomeUnknownError,
        ProtocolError,
        RateLimitedError,
        RemoteError,
        UnavailableError,
        UnsupportedError,
        WaitTimeoutError,
    )
    from rpa_bridge.transport.call import deadline

_HOME = {
    "rpa_bridge.bridge": ("Bridge",),
    "rpa_bridge.contract.adapter": (
        "Adapter",
        "AdapterContext",
        "AdapterInfo",
        "AdapterSettings",
        "Capabilities",
        "Finding",
    ),
    "rpa_bridge.contract.alerts": ("Alert",),
    "rpa_bridge.contract.artifacts": ("Artifact",),
    "rpa_bridge.contract.assets": ("Asset", "AssetType"),
    "rpa_bridge.contract.automations": ("Automation", "AutomationSchema"),
    "rpa_bridge.contract.credentials": ("Credential", "RevealedCredential"),
    "rpa_bridge.contract.features": ("Feature", "Limits"),
    "rpa_bridge.contract.folders": ("Folder",),
    "rpa_bridge.contract.incidents": ("Incident",),
    "rpa_bridge.contract.jobs": ("ItemCounts", "Job", "JobOutcome", "JobState"),
    "rpa_bridge.contract.logs": ("Log", "LogEntry"),
    "rpa_bridge.contract.model": ("Priority", "Severity"),
    "rpa_bridge.contract.queues": (
        "AddResult",
        "AddStatus",
        "AddSummary",
        "Failure",
        "FailureKind",
        "Field",
        "Item",
        "ItemDraft",
        "ItemState",
        "Queue",
        "QueueDraft",
        "QueueStats",
    ),
    "rpa_bridge.contract.robots": ("Machine", "Robot", "RobotState"),
    "rpa_bridge.contract.schedules": ("Schedule",),
    "rpa_bridge.contract.webhooks": ("Webhook",),
    "rpa_bridge.errors": (
        "AdapterLoadError",
        "AuthError",
        "BridgeError",
        "BusinessError",
        "ConfigError",
        "ConflictError",
        "DeniedError",
        "InvalidError",
        "MigrationError",
        "NotFoundError",
        "OutcomeUnknownError",
        "ProtocolError",
        "RateLimitedError",
        "RemoteError",
        "UnavailableError",
        "UnsupportedError",
        "WaitTimeoutError",
    ),
    "rpa_bridge.transport.call": ("deadline",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "Adapter",
    "AdapterContext",
    "AdapterInfo",
    "AdapterLoadError",
    "AdapterSettings",
    "AddResult",
    "AddStatus",
    "AddSummary",
    "Alert",
    "Artifact",
    "Asset",
    "AssetType",
    "AuthError",
    "Automation",
    "AutomationSchema",
    "Bridge",
    "BridgeError",
    "BusinessError",
    "Capabilities",
    "ConfigError",
    "ConflictError",
    "Credential",
    "DeniedError",
    "Failure",
    "FailureKind",
    "Feature",
    "Field",
    "Finding",
    "Folder",
    "Incident",
    "InvalidError",
    "Item",
    "ItemCounts",
    "ItemDraft",
    "ItemState",
    "Job",
    "JobOutcome",
    "JobState",
    "Limits",
    "Log",
    "LogEntry",
    "Machine",
    "MigrationError",
    "NotFoundError",
    "OutcomeUnknownError",
    "Priority",
    "ProtocolError",
    "Queue",
    "QueueDraft",
    "QueueStats",
    "RateLimitedError",
    "RemoteError",
    "RevealedCredential",
    "Robot",
    "RobotState",
    "Schedule",
    "Severity",
    "UnavailableError",
    "UnsupportedError",
    "WaitTimeoutError",
    "Webhook",
    "__version__",
    "deadline",
]
