"""What a local connection needs to know: where its file is, and which commands are automations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Self

from platformdirs import user_data_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from rpa_bridge.contract.adapter import AdapterSettings
from rpa_bridge.redaction import REDACTOR

from .database import MEMORY


class Part(BaseModel):
    """One part of the settings. Unknown keys are refused; values are never shown in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ArgumentSettings(Part):
    """One input or output of an automation."""

    type: str = "text"
    """A word for people: nothing is checked by it."""
    required: bool = False
    default: Any = None


def _known_to_the_redactor(value: SecretStr) -> SecretStr:
    REDACTOR.add(value.get_secret_value(), lasting=True)
    return value


def _expanded(path: str) -> str:
    return os.path.expanduser(path)  # noqa: PTH111 - Path.expanduser fails for a user whom it does not know


class AutomationSettings(Part):
    """A command that jobs run. It is never given to a shell."""

    command: tuple[str, ...] = Field(min_length=1)
    description: str | None = None
    version: str | None = None
    cwd: Annotated[str, AfterValidator(_expanded)] | None = None
    """The folder it runs in; None is the folder of whoever starts the job."""
    env: dict[str, str] = Field(default_factory=dict)
    """Added to the environment of whoever starts the job."""
    secrets: dict[str, Annotated[SecretStr, AfterValidator(_known_to_the_redactor)]] = Field(default_factory=dict)
    """Added to the environment too; their values are never shown, and masked in the lines that the command writes."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds, after which it is killed and the job fails; None lets it run."""
    inputs: dict[str, ArgumentSettings] | None = None
    """What it takes; None takes anything."""
    outputs: dict[str, ArgumentSettings] = Field(default_factory=dict)


class ScheduleSettings(Part):
    """What the machine's own scheduler (cron, systemd, Task Scheduler) is set up to start."""

    automation: str
    cron: str | None = None
    timezone: str | None = None
    enabled: bool = True


class LocalSettings(AdapterSettings):
    """A local connection's settings."""

    path: str = Field(default_factory=lambda: str(user_data_path("rpa-bridge") / "local.db"))
    """The file, or ":memory:". The default outlives the process: what one command adds, the next one takes."""
    automations: dict[str, AutomationSettings] = Field(default_factory=dict)
    schedules: dict[str, ScheduleSettings] = Field(default_factory=dict)
    lapse_after: float = Field(default=86_400, gt=0)
    """Seconds after which an item that was taken and not reported counts as lapsed."""

    @field_validator("path")
    @classmethod
    def _whole_path(cls, path: str) -> str:
        return path if path == MEMORY else str(Path(_expanded(path)).absolute())

    @model_validator(mode="after")
    def _schedules_start_something(self) -> Self:
        for name, schedule in self.schedules.items():
            if schedule.automation not in self.automations:
                raise ValueError(f"schedule {name!r} starts an automation that is not among `automations`")
        return self
