"""Automations: by their label, with what they take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import Adapter, InvalidError, NotFoundError, ProtocolError
from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_botmaestro.automations import BotMaestroAutomations

Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]


def scripted(script: Any) -> BotMaestroAutomations:
    return BotMaestroAutomations(script.client, script.clock)


async def test_an_automation_is_called_by_the_label_that_starts_it(maestro: Adapter) -> None:
    found = [one async for one in maestro.automations.find()]
    assert [(one.id, one.name, one.description, one.package) for one in found] == [
        ("1", "Invoices", "Invoices of the month", "invoices"),
        ("2", "Letters", "Letters to customers", "letters"),
    ]
    assert await maestro.automations.get("Letters") == found[1]


async def test_the_schema_names_the_parameters(maestro: Adapter, rewrite: Rewrite) -> None:
    more = {"label": "größe", "type": "INTEGER", "required": True}
    rewrite(lambda state: state["automations"]["Invoices"]["parameters"].append(more))

    schema = await maestro.automations.schema("Invoices")

    assert [(one.name, one.type, one.required) for one in schema.inputs] == [
        ("month", "TEXT", False),
        ("größe", "INTEGER", True),
    ]
    assert (await maestro.automations.schema("Letters")).inputs == schema.outputs == ()


async def test_what_is_not_there_is_named_with_the_mend(maestro: Adapter) -> None:
    for call in (maestro.automations.get("Größe ☃"), maestro.automations.schema("Größe ☃")):
        with pytest.raises(NotFoundError, match="no automation 'Größe ☃'; `rpa-bridge automations list`"):
            await call


@pytest.mark.parametrize("label", ["a/b", "a?b", "a#b", "100%", "", "..", "a\\b"])
async def test_a_label_that_no_address_can_carry_is_refused_unsent(
    maestro: Adapter, requests: Requests, label: str
) -> None:
    for call in (maestro.automations.get(label), maestro.automations.schema(label)):
        with pytest.raises(InvalidError):
            await call
    assert not requests("*")


async def test_what_a_server_may_leave_out_is_read(script: Any) -> None:
    script.answer({"label": "a", "parameters": None, "name": None, "botId": None, "id": None})
    script.answer({"label": "a", "parameters": [{"label": "n", "type": None, "required": None, "new": {}}]})
    assert (await scripted(script).schema("a")).inputs == ()
    (one,) = (await scripted(script).schema("a")).inputs
    assert (one.name, one.type, one.required) == ("n", "", False)


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.STATUS])
async def test_what_is_no_list_of_automations_is_told(sandbox: Sandbox, maestro: Adapter, kind: FaultKind) -> None:
    sandbox.world.faults.add(Fault(kind, match="GET */activity", status=200, body='{"content": []}', times=9))
    with pytest.raises(ProtocolError):
        _ = [one async for one in maestro.automations.find()]
