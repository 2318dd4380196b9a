"""Releases on UiPath: what can be run, and with what."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import Adapter, NotFoundError, ProtocolError
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.automations import UiPathAutomations

RELEASE = {"Id": 1, "Key": "r", "Name": "Invoices", "ProcessKey": "Acme.O'Brien & Söhne", "ProcessVersion": "1.2.0"}
TYPE = "System.String, System.Private.CoreLib"


def scripted(script: Any) -> UiPathAutomations:
    """The service on answers on order."""
    return UiPathAutomations(script.client, script.clock)


def arguments(inputs: Any, outputs: Any = None) -> dict[str, Any]:
    """The argument lists of a release, as JSON in texts."""
    return {"Arguments": {"Input": inputs and json.dumps(inputs), "Output": outputs and json.dumps(outputs)}}


async def test_a_release_is_an_automation_with_its_package(erp: Adapter) -> None:
    found = {one.name: one for one in [one async for one in erp.automations.find()]}

    invoices = found["Invoices"]
    assert (invoices.package, invoices.version) == ("Acme.Invoices", "1.2.0")
    assert await erp.automations.get("INVOICES") == invoices


async def test_a_name_with_a_quote_is_asked_for_as_it_is(
    sandbox: Sandbox, erp: Adapter, requests: Callable[[str], list[Exchange]]
) -> None:
    face: Any = sandbox.faces["uipath"]
    folder = next(iter(face._state.folders.values()))
    face._state.add_release(folder, "O'Brien & Söhne 100 %", "[]", "[]")

    assert (await erp.automations.get("O'Brien & Söhne 100 %")).name == "O'Brien & Söhne 100 %"
    with pytest.raises(NotFoundError, match="no automation"):
        await erp.automations.get("x' or Name ne '")


async def test_the_schema_names_types_and_whether_an_input_is_needed(erp: Adapter) -> None:
    schema = await erp.automations.schema("Invoices")

    assert [(one.name, one.type, one.required) for one in schema.inputs] == [("month", "System.String", False)]
    assert [(one.name, one.type) for one in schema.outputs] == [("month", "System.String")]


async def test_the_releases_own_inputs_are_the_defaults(script: Any) -> None:
    inputs = [{"name": "month", "type": TYPE, "required": True, "hasDefault": True}, {"name": "n", "type": "Int32"}]
    script.page(RELEASE | arguments(inputs) | {"InputArguments": '{"month": "2026-10", "other": 1}'})

    schema = await scripted(script).schema("Invoices")

    told = [(one.name, one.type, one.required, one.default) for one in schema.inputs]
    assert told == [("month", TYPE, True, "2026-10"), ("n", "Int32", False, None)]
    assert schema.outputs == ()


async def test_a_release_that_names_no_arguments_is_looked_up_in_its_package(script: Any) -> None:
    script.page(RELEASE)
    script.answer({"Input": '[{"name": "month", "type": "System.String"}]', "Output": None})

    assert [one.name for one in (await scripted(script).schema("Invoices")).inputs] == ["month"]
    asked = script.requests[-1].path
    assert asked.endswith("OData.GetArguments(key='Acme.O%27%27Brien%20%26%20S%C3%B6hne%3A1.2.0')")


@pytest.mark.parametrize("text", ["{not json", '{"type": "object"}', '"month"', "[1]", '[{"type": "System.String"}]'])
async def test_arguments_that_cannot_be_read_are_not_taken_for_none(script: Any, text: str) -> None:
    script.page(RELEASE | {"Arguments": {"Input": text, "Output": None}})

    with pytest.raises(ProtocolError, match=r"automations\.schema"):
        await scripted(script).schema("Invoices")
