"""Error entries in neutral words, and exceptions in BotMaestro's."""

from __future__ import annotations

import getpass
import platform
import socket
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from rpa_bridge.contract.incidents import Incident
from rpa_bridge.redaction import REDACTOR
from rpa_bridge_botmaestro.wire.incidents import ErrorRecord


def incident(record: ErrorRecord) -> Incident:
    """The error entry."""
    return Incident(
        id=str(record.id),
        type=record.type or "",
        message=record.message or "",
        job=None if record.taskId is None else str(record.taskId),
        stack_trace=record.stackTrace or None,
        tags={name: "" if value is None else str(value) for name, value in (record.tags or {}).items()},
        at=record.dateCreation,
        raw_data=record.raw,
    )


def new_error(error: BaseException, task: int, tags: Mapping[str, str]) -> dict[str, Any]:
    """The body that reports an exception; known secrets are masked in its texts. docs: botmaestro.md 7"""
    told = traceback.TracebackException.from_exception(error)  # it bears with an exception that has no text
    return {
        "taskId": task,
        "type": type(error).__name__,
        "message": _shown(str(told)),
        "stackTrace": _shown("".join(told.format())),
        "language": "PYTHON",
        "tags": {name: _shown(value) for name, value in {**environment(), **tags}.items()},
    }


def _shown(text: str) -> str:
    """The text without known secrets, and without halves of characters, which JSON cannot hold."""
    return REDACTOR.clean(text).encode("utf-8", "backslashreplace").decode()


def environment() -> dict[str, str]:
    """The tags that tell where a run took place, under the names that the official SDK gives them."""
    tags = {
        "host_name": socket.gethostname(),
        "os_name": platform.system(),
        "os_version": platform.version(),
        "python_version": platform.python_version(),
    }
    with suppress(OSError, KeyError, ImportError):  # an account without a name
        tags["user_name"] = getpass.getuser()
    return tags
