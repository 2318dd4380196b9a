"""What a caller may set of a start through `options`, under UiPath's names. docs: uipath.md 3.8, StartProcessDto"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rpa_bridge.errors import UnsupportedError
from rpa_bridge.helpers.checks import refuse
from rpa_bridge_uipath import odata


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be, in words and as a test."""

    words: str
    fits: Callable[[Any], bool]


def _text(most: int | None = None) -> Rule:
    if most is None:
        return Rule("text", lambda value: isinstance(value, str))
    return Rule(f"text of at most {most} characters", lambda value: isinstance(value, str) and len(value) <= most)


def _one_of(*words: str) -> Rule:
    return Rule(f"one of {', '.join(words)}", lambda value: value in words)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and all(fits(one) for one in value)


def _is_object(value: Any) -> bool:
    with suppress(TypeError, ValueError, RecursionError):
        return isinstance(value, dict) and bool(json.dumps(value, allow_nan=False))
    return False


def _is_guid(value: Any) -> bool:
    return isinstance(value, str) and odata.guid(value) is not None


_FLAG = Rule("true or false", lambda value: isinstance(value, bool))
_NUMBERS = Rule("a list of whole numbers", lambda value: _is_list(value, _is_whole))
_OBJECT = Rule("an object", _is_object)
_OBJECTS = Rule("a list of objects", lambda value: _is_list(value, _is_object))
_ATTACHMENTS = Rule(
    "a list of objects with an attachmentId",
    lambda value: _is_list(value, lambda one: _is_object(one) and _is_guid(one.get("attachmentId"))),
)

START_OPTIONS: Mapping[str, Rule] = {
    "AlertPendingExpression": _text(),
    "AlertRunningExpression": _text(),
    "Attachments": _ATTACHMENTS,
    "AutopilotForRobots": _OBJECT,
    "BatchExecutionKey": Rule("a GUID", _is_guid),
    "EntryPointPath": _text(),
    "EnvironmentVariables": _text(4000),
    "FpsContext": _text(2048),
    "FpsProperties": _text(4000),
    "KillProcessExpression": _text(),
    "MachineInfraTarget": _OBJECT,
    "MachineRobots": _OBJECTS,
    "MachineSessionIds": _NUMBERS,
    "ParentOperationId": _text(128),
    "ParentSpanId": _text(255),
    "ProfilingOptions": _text(4000),
    "RemoteControlAccess": _one_of("None", "ReadOnly", "Full"),
    "RequiresUserInteraction": _FLAG,
    "ResumeOnSameContext": _FLAG,
    "RobotIds": _NUMBERS,
    "RootSpanId": _text(255),
    "RunAsMe": _FLAG,
    "RuntimeType": _text(),  # newer servers know more words than we do
    "Source": _text(),
    "SpecificPriorityValue": Rule("a whole number from 1 to 100", lambda value: _is_whole(value) and 1 <= value <= 100),
    "StopProcessExpression": _text(),
    "StopStrategy": _one_of("SoftStop", "Kill"),
    "Strategy": _text(),
    "TargetFramework": _one_of("Legacy", "Windows", "Portable"),
    "TraceId": _text(255),
    "VideoRecordingSettings": _OBJECT,
}
"""Members of startInfo but those that have a place of their own: the automation, inputs, key, priority and count."""


def check_options(operation: str, options: Mapping[str, Any]) -> None:
    """Refuses an option that StartJobs does not have, and a value that it cannot take; values are not shown."""
    for name, value in options.items():
        rule = START_OPTIONS.get(name)
        if rule is None:
            hint = f"options are {', '.join(START_OPTIONS)}"
            raise UnsupportedError(f"start option {name!r}", adapter="uipath", hint=hint)
        if not rule.fits(value):
            raise refuse(operation, f"option {name} must be {rule.words}")
