"""What the face remembers, and what it is born with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import Field

from rpa_bridge.sandbox.world import World

from .records import (
    RUNNER,
    Alert,
    Artifact,
    Automation,
    Bot,
    Credential,
    FieldType,
    Incident,
    Log,
    Machine,
    Message,
    Moment,
    Organization,
    Pool,
    Record,
    Schedule,
    SchemaField,
    Secret,
    StoredFile,
    Task,
    Technology,
)

LabelledT = TypeVar("LabelledT", Automation, Pool, Credential)
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


class State(Record):
    """One workspace. Everything that the wire can change is in here."""

    organization: Organization = Organization()
    tokens: dict[str, Moment] = Field(default_factory=dict)
    """When each token was given out."""
    automations: dict[str, Automation] = Field(default_factory=dict)
    bots: dict[str, dict[str, Bot]] = Field(default_factory=dict)
    """By id and version, oldest version first."""
    machines: dict[str, Machine] = Field(default_factory=dict)
    schedules: dict[int, Schedule] = Field(default_factory=dict)
    tasks: dict[int, Task] = Field(default_factory=dict)
    pools: dict[str, Pool] = Field(default_factory=dict)
    deleted_pools: list[str] = Field(default_factory=list)
    """Labels that cannot be used again. docs: botmaestro.md 9"""
    artifacts: dict[int, Artifact] = Field(default_factory=dict)
    logs: dict[str, Log] = Field(default_factory=dict)
    alerts: list[Alert] = Field(default_factory=list)
    messages: list[Message] = Field(default_factory=list)
    incidents: dict[str, Incident] = Field(default_factory=dict)
    credentials: dict[str, Credential] = Field(default_factory=dict)


def newborn(world: World) -> State:
    """A workspace with some content to play with."""
    return State(
        automations=_by_label(_automations()),
        bots={name: {"1.0.0": _bot(name)} for name in ("invoices", "letters")},
        machines={one.machine_id: one for one in _machines()},
        schedules={1: Schedule(id=1, activity_label="Letters", cron="0 30 6 ? * MON-FRI")},
        pools=_by_label(_pools(world)),
        credentials=_by_label([_credential()]),
    )


def _automations() -> list[Automation]:
    month = {"label": "month", "type": "TEXT", "required": False}
    return [
        Automation(id=1, label="Invoices", name="Invoices of the month", bot_id="invoices", parameters=[month]),
        Automation(id=2, label="Letters", name="Letters to customers", bot_id="letters"),
    ]


def _bot(bot_id: str) -> Bot:
    return Bot(
        bot_id=bot_id,
        version="1.0.0",
        technology=Technology.PYTHON,
        released=True,
        stored=StoredFile(file_name=f"{bot_id}.zip", content=EMPTY_ZIP),
    )


def _machines() -> list[Machine]:
    return [
        Machine(id=1, machine_id=RUNNER, name=RUNNER, is_online=True),
        Machine(id=2, machine_id="runner-2", name="runner-2", is_online=False),
    ]


def _pools(world: World) -> list[Pool]:
    return [
        Pool(
            id=world.new_uuid(),
            label="Invoices",
            name="Invoices to book",
            default_activity="Invoices",
            schema_=[
                SchemaField(label="number", unique_id=True, display_value=True),
                SchemaField(label="amount", type=FieldType.DOUBLE),
            ],
            max_auto_retry=1,
            item_max_processing_time=60,
        ),
        Pool(
            id=world.new_uuid(),
            label="Letters",
            name="Letters to write",
            default_activity="Letters",
            auto_retry=False,
        ),
    ]


def _credential() -> Credential:
    secrets = [Secret(key="user", value="robot"), Secret(key="password", value="acme-sandbox-password")]
    return Credential(label="erp", secrets=secrets)


def _by_label(records: Iterable[LabelledT]) -> dict[str, LabelledT]:
    return {one.label: one for one in records}
