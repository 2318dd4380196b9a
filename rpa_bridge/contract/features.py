"""What a platform may or may not be able to do.

An optional verb is declared once, in the contract, with `@optional`. Overriding it *is* the declaration that a
platform supports it, so the list of features is read off the code and cannot drift from it.
"""

from __future__ import annotations

import functools
import inspect
from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, ParamSpec, Self, TypeVar

from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.errors import UnsupportedError

P = ParamSpec("P")
R = TypeVar("R")
N = TypeVar("N", int, float)


class Feature(StrEnum):
    """One optional verb, as `noun.verb`."""

    AUTOMATION_SCHEMA = "automations.schema"
    AUTOMATION_PACKAGES = "automations.packages"
    AUTOMATION_OPEN_PACKAGE = "automations.open_package"
    AUTOMATION_UPLOAD_PACKAGE = "automations.upload_package"
    JOB_START_MANY = "jobs.start_many"
    JOB_STOP = "jobs.stop"
    JOB_RESTART = "jobs.restart"
    JOB_RESUME = "jobs.resume"
    JOB_REPORT = "jobs.report"
    QUEUE_FIND = "queues.find"
    QUEUE_CREATE = "queues.create"
    QUEUE_UPDATE = "queues.update"
    QUEUE_DELETE = "queues.delete"
    QUEUE_ITEMS = "queues.items"
    QUEUE_GET_ITEM = "queues.get_item"
    QUEUE_ADD_MANY = "queues.add_many"
    QUEUE_PROGRESS = "queues.progress"
    QUEUE_POSTPONE = "queues.postpone"
    QUEUE_REMOVE = "queues.remove"
    QUEUE_RETRY = "queues.retry"
    QUEUE_STATS = "queues.stats"
    QUEUE_ACTIVATE = "queues.activate"
    QUEUE_DEACTIVATE = "queues.deactivate"
    ASSET_PUT = "assets.put"
    ASSET_DELETE = "assets.delete"
    CREDENTIAL_REVEAL = "credentials.reveal"
    CREDENTIAL_PUT = "credentials.put"
    CREDENTIAL_DELETE = "credentials.delete"
    ARTIFACT_UPLOAD = "artifacts.upload"
    ARTIFACT_DELETE = "artifacts.delete"
    ROBOT_GET = "robots.get"
    ROBOT_MACHINES = "robots.machines"
    LOG_CREATE = "logs.create"
    LOG_APPEND = "logs.append"
    LOG_EXPORT = "logs.export"
    LOG_DELETE = "logs.delete"
    ALERT_SEND = "alerts.send"
    ALERT_FIND = "alerts.find"
    INCIDENT_REPORT = "incidents.report"
    INCIDENT_FIND = "incidents.find"
    MESSAGE_SEND = "messages.send"
    FOLDER_FIND = "folders.find"
    FOLDER_GET = "folders.get"
    SCHEDULE_FIND = "schedules.find"
    WEBHOOK_FIND = "webhooks.find"
    WEBHOOK_CREATE = "webhooks.create"
    WEBHOOK_DELETE = "webhooks.delete"
    WEBHOOK_PING = "webhooks.ping"


class Service(ABC):
    """What all nouns share: whose they are, and a clock."""

    noun: ClassVar[str]
    is_absent: ClassVar[bool] = False
    """Whether the platform lacks the noun, so that every verb refuses."""

    def __init__(self, adapter_name: str, clock: Clock) -> None:
        self.adapter_name = adapter_name
        self.clock = clock

    @classmethod
    def absent(cls, adapter_name: str) -> Self:
        """A stand-in for a noun that the platform lacks: every verb refuses, before any I/O."""
        required: frozenset[str] = getattr(cls, "__abstractmethods__", frozenset())
        body: dict[str, Any] = {name: _refuser(getattr(cls, name), cls.noun) for name in required}
        body["is_absent"] = True
        stand_in: type[Self] = type(f"Absent{cls.__name__}", (cls,), body)
        return stand_in(adapter_name, SystemClock())


def _refuser(method: Callable[..., Any], what: str) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def refuse_when_awaited(self: Service, *_args: Any, **_kwargs: Any) -> Any:
            raise UnsupportedError(what, adapter=self.adapter_name)

        refuser: Callable[..., Any] = refuse_when_awaited
    else:

        @functools.wraps(method)
        def refuse(self: Service, *_args: Any, **_kwargs: Any) -> Any:
            raise UnsupportedError(what, adapter=self.adapter_name)

        refuser = refuse
    refuser.__dict__.pop("__isabstractmethod__", None)  # functools.wraps copied it
    return refuser


def optional(feature: Feature) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes a contract verb optional: until overridden, it refuses without I/O."""

    def mark(method: Callable[P, R]) -> Callable[P, R]:
        refuser = _refuser(method, feature)
        refuser.__feature__ = feature  # type: ignore[attr-defined]
        return refuser

    return mark


def features_of(service: type[Service]) -> frozenset[Feature]:
    """The optional verbs that this class implements."""
    declared = {
        name: method.__feature__
        for base in service.__mro__
        for name, method in vars(base).items()
        if hasattr(method, "__feature__")
    }
    return frozenset(f for name, f in declared.items() if not hasattr(getattr(service, name), "__feature__"))


class FilePlace(StrEnum):
    """What an uploaded file must belong to."""

    ANYTHING = "anything"
    """A container, a job, or neither."""
    CONTAINER_OR_JOB = "container or job"
    """One of them."""
    JOB = "job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Facts of size and shape that cannot be read off the code; None means "no limit is known"."""

    name_length: int | None = None
    """Characters of a queue's name; names of other things may be longer."""
    reference_length: int | None = None
    item_bytes: int | None = None
    """Bytes of an item's values as JSON."""
    input_chars: int | None = None
    """Characters of a job's inputs as JSON."""
    batch_size: int | None = None
    """Items in one request of `add_many`."""
    flat_values: bool = False
    """Item values may only be text, numbers, booleans and null."""
    unique_references: bool = False
    """A queue can refuse a second item with the same reference."""
    reads_secrets: bool = False
    """Credentials can be read back."""
    finds_starts_by_key: bool = False
    """A start carries its key on the wire, so that a lost answer can be looked up."""
    item_times: bool = True
    """Items can have `not_before` and `due_at`."""
    field_types: frozenset[str] = frozenset()
    """Types of fields that a queue can expect; without any, queues have no fields."""
    required_fields: bool = False
    """A queue's field can be required."""
    credential_fields: tuple[frozenset[str], ...] = ()
    """The sets of fields of which a credential has one; without any, fields can have all names."""
    descriptions: frozenset[str] = frozenset({"queues", "assets", "credentials"})
    """The nouns whose things can have a description."""
    file_place: FilePlace = FilePlace.ANYTHING
    page_size: int | None = None
    """Rows in one answer to a list of items."""
    lists_per_minute: int | None = None
    """Lists of items that the platform allows to one connection."""
    calls_per_second: float | None = None
    """All other requests that one connection sends at most."""

    def __and__(self, other: Limits) -> Limits:
        """What holds on both sides."""

        def lower(a: N | None, b: N | None) -> N | None:
            return min((n for n in (a, b) if n is not None), default=None)

        return Limits(
            name_length=lower(self.name_length, other.name_length),
            reference_length=lower(self.reference_length, other.reference_length),
            item_bytes=lower(self.item_bytes, other.item_bytes),
            input_chars=lower(self.input_chars, other.input_chars),
            batch_size=lower(self.batch_size, other.batch_size),
            flat_values=self.flat_values or other.flat_values,
            unique_references=self.unique_references and other.unique_references,
            reads_secrets=self.reads_secrets and other.reads_secrets,
            finds_starts_by_key=self.finds_starts_by_key and other.finds_starts_by_key,
            item_times=self.item_times and other.item_times,
            field_types=self.field_types & other.field_types,
            required_fields=self.required_fields and other.required_fields,
            credential_fields=_common(self.credential_fields, other.credential_fields),
            descriptions=self.descriptions & other.descriptions,
            file_place=max(self.file_place, other.file_place, key=list(FilePlace).index),
            page_size=lower(self.page_size, other.page_size),
            lists_per_minute=lower(self.lists_per_minute, other.lists_per_minute),
            calls_per_second=lower(self.calls_per_second, other.calls_per_second),
        )


def _common(a: tuple[frozenset[str], ...], b: tuple[frozenset[str], ...]) -> tuple[frozenset[str], ...]:
    """The sets that both take; a side without any takes all. With none in common it is one that nobody can fill."""
    if not a or not b:
        return a or b
    return tuple(one for one in a if one in b) or (frozenset(),)
