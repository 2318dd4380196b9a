"""Logs: what runs wrote down (UiPath: robot log · BotMaestro: execution log with columns)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .features import Feature, Service, optional
from .model import Named, Neutral, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Named):
    """A named log with columns."""

    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry(Neutral):
    """One line. `values` holds the columns where the platform has them."""

    at: datetime | None
    message: str = ""
    severity: Severity = Severity.INFO
    job: str | None = None
    robot: str | None = None
    values: dict[str, Any] = field(default_factory=dict)


class LogService(Service):
    """Read and write what runs wrote down."""

    noun = "logs"

    @abstractmethod
    def find(
        self,
        log: str | None = None,
        *,
        job: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[LogEntry]:
        """Entries, oldest first. `log` names one where the platform keeps several."""

    @optional(Feature.LOG_CREATE)
    async def create(self, name: str, columns: Sequence[str]) -> Log:
        """The new log. Raises ConflictError when the name is taken."""
        raise NotImplementedError

    @optional(Feature.LOG_APPEND)
    async def append(self, log: str, values: Mapping[str, Any]) -> None:
        """Writes one entry. Never repeated after an uncertain answer."""
        raise NotImplementedError

    @optional(Feature.LOG_EXPORT)
    def export(self, log: str) -> AsyncIterator[bytes]:
        """The log as CSV, in pieces."""
        raise NotImplementedError

    @optional(Feature.LOG_DELETE)
    async def delete(self, log: str) -> None:
        """Deletes the log and its entries. Raises NotFoundError."""
        raise NotImplementedError
