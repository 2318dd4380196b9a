"""Automations: what can be run (UiPath: release, shown as "process" · BotMaestro: automation, or "activity")."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from .features import Feature, Service, optional
from .model import Named, Neutral


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation(Named):
    """Something that a job can run. `name` is what `jobs.start` takes."""

    description: str | None = None
    version: str | None = None
    package: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument(Neutral):
    """One input or output of an automation. `type` is the platform's own word."""

    name: str
    type: str
    required: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomationSchema(Neutral):
    """What an automation takes and gives."""

    inputs: tuple[Argument, ...] = field(default=())
    outputs: tuple[Argument, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Package(Named):
    """A version of code that an automation is made from."""

    version: str


class AutomationService(Service):
    """See what can be run."""

    noun = "automations"

    @abstractmethod
    def find(self) -> AsyncIterator[Automation]:
        """All automations that this identity may see."""

    @abstractmethod
    async def get(self, name: str) -> Automation:
        """The automation of this name. Raises NotFoundError."""

    @optional(Feature.AUTOMATION_SCHEMA)
    async def schema(self, name: str) -> AutomationSchema:
        """What the automation takes and gives. Raises NotFoundError."""
        raise NotImplementedError

    @optional(Feature.AUTOMATION_PACKAGES)
    def packages(self) -> AsyncIterator[Package]:
        """The newest version of each package."""
        raise NotImplementedError

    @optional(Feature.AUTOMATION_OPEN_PACKAGE)
    def open_package(self, package: Package) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The package's file in pieces, for the length of a block. Raises NotFoundError on entry."""
        raise NotImplementedError

    @optional(Feature.AUTOMATION_UPLOAD_PACKAGE)
    async def upload_package(self, content: AsyncIterable[bytes] | bytes, *, size: int | None = None) -> Package:
        """The package, once the platform holds it; its name and version are in the file.

        `size` in bytes is needed where content is a stream. Raises ConflictError when the version is there already.
        """
        raise NotImplementedError
