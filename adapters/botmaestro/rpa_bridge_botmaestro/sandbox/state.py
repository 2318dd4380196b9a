"""What the face remembers, and what it is born with."""

from __future__ import annotations

from pydantic import Field

from rpa_bridge.sandbox.world import World

from .records import (
    Alert,
    Artifact,
    Automation,
    Credential,
    FieldType,
    Incident,
    Log,
    Message,
    Moment,
    Organization,
    Pool,
    Record,
    SchemaField,
    Secret,
    Task,
)


class State(Record):
    """One workspace. Everything that the wire can change is in here."""

    organization: Organization = Organization()
    tokens: dict[str, Moment] = Field(default_factory=dict)
    """When each token was given out."""
    automations: dict[str, Automation] = Field(default_factory=dict)
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
        automations={
            "Invoices": Automation(
                id=1,
                label="Invoices",
                name="Invoices of the month",
                bot_id="invoices",
                parameters=[{"label": "month", "type": "TEXT", "required": False}],
            ),
            "Letters": Automation(id=2, label="Letters", name="Letters to customers", bot_id="letters"),
        },
        pools={
            "Invoices": Pool(
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
            "Letters": Pool(
                id=world.new_uuid(),
                label="Letters",
                name="Letters to write",
                default_activity="Letters",
                auto_retry=False,
            ),
        },
        credentials={
            "erp": Credential(
                label="erp",
                secrets=[Secret(key="user", value="robot"), Secret(key="password", value="acme-sandbox-password")],
            )
        },
    )
