"""What the face answers has the members that UiPath's published definition knows, and no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DEFINITION = Path(__file__).parents[5] / "shared" / "vendors" / "uipath-orchestrator.openapi.json"


@pytest.mark.skipif(not DEFINITION.exists(), reason="the published definition does not lie beside this checkout")
async def test_jobs_queues_and_items_are_shaped_as_published(wire: Any) -> None:
    schemas = json.loads(DEFINITION.read_text(encoding="utf-8"))["components"]["schemas"]
    wire.world.switches["uipath.suspend_automation"] = "Invoices"
    job = await wire.start()
    item = (await wire.add()).body
    answers = {
        "JobDto": (await wire.ask("GET", f"/odata/Jobs({job['Id']})", query={"$expand": "Robot,Release,Machine"})).body,
        "JobTriggerDto": (await wire.ask("GET", "/odata/JobTriggers")).values[0],
        "QueueDefinitionDto": (await wire.ask("GET", "/odata/QueueDefinitions")).values[0],
        "QueueItemDto": await wire.item(item["Id"]),
    }
    for name, answer in answers.items():
        assert set(answer) <= set(schemas[name]["properties"]), name
    for name, member in (("SimpleRobotDto", "Robot"), ("SimpleReleaseDto", "Release"), ("MachineDto", "Machine")):
        assert set(answers["JobDto"][member]) <= set(schemas[name]["properties"]), name
