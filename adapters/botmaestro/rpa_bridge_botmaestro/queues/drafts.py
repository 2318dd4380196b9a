"""Drafts of datapools that BotMaestro cannot hold, refused before anything is sent. docs: botmaestro.md 9"""

from __future__ import annotations

from rpa_bridge.contract.queues import QueueDraft
from rpa_bridge.errors import UnsupportedError
from rpa_bridge.helpers.checks import refuse
from rpa_bridge_botmaestro.client import label_segment
from rpa_bridge_botmaestro.mapping.queues import HIDDEN, SHOWN, WIRE_TYPES

WORDS = {"consumptionPolicy": ("FIFO", "LIFO"), "trigger": ("ALWAYS", "NEVER", "NO_TASK_ACTIVE")}
TEXTS = frozenset({"defaultAutomation", "repositoryLabel"})
FLAGS = frozenset({"abortOnError", "enableProcessingTime"})
NUMBERS = frozenset({"itemMaxProcessingTime", "maxErrorsBeforeInactive"})
"""Minutes, and errors in a row; 0 is no limit."""
OPTIONS = sorted({*WORDS, *TEXTS, *FLAGS, *NUMBERS, SHOWN})
"""What a caller may give through `options`."""


def check_queue_draft(operation: str, draft: QueueDraft) -> None:
    """Refuses a datapool that the platform cannot hold as it is."""
    label_segment(operation, "queue", draft.name)
    if draft.retries < 0:
        raise refuse(operation, f"a queue's retries must be 0 or more, not {draft.retries}")
    if draft.unique_references:  # docs: whether a second unique key is refused is not known, botmaestro.md 9
        hint = "mark a field as unique instead, which names items in the portal"
        raise UnsupportedError("queues with unique references", adapter="botmaestro", hint=hint)
    _check_fields(operation, draft)
    for name, value in draft.options.items():
        _check_option(operation, draft, name, value)


def _check_fields(operation: str, draft: QueueDraft) -> None:
    names = [field.name for field in draft.fields]
    for field in draft.fields:
        if not field.name.strip() or field.name in HIDDEN or names.count(field.name) > 1:
            raise refuse(
                operation, f"the field name {field.name!r} is empty, given twice or taken by the bridge; rename it"
            )
        if field.type not in WIRE_TYPES:
            hint = f"types are {', '.join(WIRE_TYPES)}"
            raise UnsupportedError(f"queue fields of type {field.type!r}", adapter="botmaestro", hint=hint)
        if field.required:
            raise UnsupportedError("required queue fields", adapter="botmaestro", hint="leave `required` out")


def _check_option(operation: str, draft: QueueDraft, name: str, value: object) -> None:
    if name not in OPTIONS:
        hint = f"options are {', '.join(OPTIONS)}"
        raise UnsupportedError(f"queue option {name!r}", adapter="botmaestro", hint=hint)
    expected = _expected(draft, name, value)
    if expected is not None:
        raise refuse(operation, f"queue option {name!r} must be {expected}")


def _expected(draft: QueueDraft, name: str, value: object) -> str | None:
    """What the option's value should have been; None where it is."""
    if name in WORDS:
        return None if value in WORDS[name] else f"one of {', '.join(WORDS[name])}"
    if name in TEXTS:
        return None if isinstance(value, str) and value.strip() else "a text that is not empty"
    if name in FLAGS:
        return None if isinstance(value, bool) else "true or false"
    if name in NUMBERS:
        return None if type(value) is int and value >= 0 else "a whole number, 0 or more"
    names = [field.name for field in draft.fields]
    return None if isinstance(value, list) and all(one in names for one in value) else "a list of names of its fields"
