"""Bad input, refused before anything is sent: the checks that every adapter makes against its declared limits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.queues import ItemDraft
from rpa_bridge.errors import Delivery, InvalidError

NO_LIMITS = Limits()
"""Of what may be as long as one likes."""
_FLAT = (str, int, float, bool, type(None))
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_MARK = re.compile(r"[A-Za-z0-9_/.-]{1,64}", re.ASCII)


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


FIELD_TYPES: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "date": _is_date,
}
"""The types of a queue's fields, each with what tells whether a value is of it."""


def refuse(operation: str, sentence: str) -> InvalidError:
    """The error for input that is refused here; nothing has been sent."""
    return InvalidError(f"{operation}: {sentence}", operation=operation, delivery=Delivery.NOT_SENT)


def check_name(operation: str, what: str, name: str, limits: Limits) -> None:
    """Refuses an empty name, and one longer than the platform can hold."""
    if not name.strip():
        raise refuse(operation, f"the {what}'s name is empty; give one")
    if limits.name_length is not None and len(name) > limits.name_length:
        raise refuse(operation, f"the {what}'s name has {len(name)} characters; at most {limits.name_length} fit")


def check_reference(operation: str, what: str, reference: str | None, limits: Limits) -> None:
    """Refuses an empty key or reference, and one longer than the platform can hold."""
    if reference is None:
        return
    if not reference.strip():
        raise refuse(operation, f"the {what} is empty; give one or leave it out")
    if limits.reference_length is not None and len(reference) > limits.reference_length:
        raise refuse(operation, f"the {what} has {len(reference)} characters; at most {limits.reference_length} fit")


def check_mark(operation: str, mark: str | None) -> None:
    """Refuses a mark that is empty, or that not every platform could keep and look for."""
    if mark is not None and not _MARK.fullmatch(mark):
        raise refuse(operation, "the mark is empty, too long, or holds what none may; take 1 to 64 of A-Z a-z 0-9 -_/.")


def check_moment(operation: str, what: str, moment: datetime | None) -> None:
    """Refuses a time without a zone: two platforms would read it differently."""
    if moment is not None and moment.utcoffset() is None:
        raise refuse(operation, f"{what} has no time zone; write it like datetime(..., tzinfo=UTC)")


def check_inputs(operation: str, inputs: Mapping[str, Any], limits: Limits) -> None:
    """Refuses inputs that JSON cannot hold, and those longer than the platform can take."""
    size = len(_json(operation, "the inputs", inputs))
    if limits.input_chars is not None and size > limits.input_chars:
        raise refuse(operation, f"the inputs have {size} characters as JSON; at most {limits.input_chars} fit")


def check_draft(operation: str, draft: ItemDraft, limits: Limits) -> int:
    """Refuses an item that the platform cannot hold as it is; the bytes that its values take as JSON."""
    check_reference(operation, "reference", draft.reference, limits)
    check_mark(operation, draft.mark)
    check_moment(operation, "not_before", draft.not_before)
    check_moment(operation, "due_at", draft.due_at)
    return check_values(operation, draft.values, limits)


def check_values(operation: str, values: Mapping[str, Any], limits: Limits) -> int:
    """Refuses values that JSON or the platform cannot hold: too large, or nested where only flat ones are kept.

    Gives the bytes that they take as JSON.
    """
    if limits.flat_values:
        for name, value in values.items():
            if not isinstance(value, _FLAT):
                raise refuse(
                    operation,
                    f"value {name!r} is a {type(value).__name__}; only text, numbers, booleans and null are kept: "
                    f"write it as JSON text",
                )
    size = len(_json(operation, "the values", values).encode("utf-8", "surrogatepass"))
    if limits.item_bytes is not None and size > limits.item_bytes:
        raise refuse(operation, f"the values have {size} bytes as JSON; at most {limits.item_bytes} fit")
    return size


def _json(operation: str, what: str, values: Mapping[str, Any]) -> str:
    for name in values:
        if not isinstance(name, str):
            raise refuse(operation, f"{what} have a name that is not text; use text for names")
    try:
        return _JSON.encode(dict(values))
    except (TypeError, ValueError, RecursionError):
        raise refuse(
            operation, f"{what} cannot be written as JSON; use text, numbers, booleans, lists and objects"
        ) from None
