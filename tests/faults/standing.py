"""What stands in the sandbox's state under the keys that a harness gives: the truth, which no client has told."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from rpa_bridge.sandbox.server import Sandbox

MONTH = "month"
"""The input of a job that holds the harness's key."""
VALUE = "number"
"""The value of an item that holds it."""

Made = defaultdict[str, list[str]]
"""The ids of what was made, by key."""


def standing(sandbox: Sandbox) -> dict[str, Made]:
    """By vendor. An item's own steps stand under `done ID`, `failed ID`, `retry ID` and `taken ID`."""
    state = sandbox.dump()["faces"]
    rows = {"uipath": _uipath, "botmaestro": _botmaestro}
    found: dict[str, Made] = {}
    for vendor, face in state.items():
        found[vendor] = defaultdict(list)
        for key, made in rows[vendor](face):
            found[vendor][key].append(made)
    return found


def _uipath(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for job in state["jobs"]:
        inputs = json.loads(job["row"]["InputArguments"] or "{}")
        yield inputs.get(MONTH, ""), str(job["row"]["Id"])
    for item in state["items"]:
        made = str(item["Id"])
        if item["AncestorId"] or item["ManualAncestorId"]:
            yield f"retry {item['AncestorId'] or item['ManualAncestorId']}", made
        else:
            yield item["SpecificContent"].get(VALUE, ""), made
        if item["StartProcessing"]:
            yield f"taken {made}", made
        if item["Status"] in ("Failed", "Retried"):
            yield f"failed {made}", made
        elif item["Status"] == "Successful":
            yield f"done {made}", made
    for queue in state["queues"]:
        yield queue["Name"], str(queue["Id"])
    for asset in state["tables"]["assets"].values():
        yield asset["Name"], str(asset["Id"])
    for place in state["tables"]["blobs"]:
        yield place.rpartition("/")[2], place


def _botmaestro(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for task in state["tasks"].values():
        yield task["parameters"].get(MONTH, ""), str(task["id"])
    for pool in state["pools"].values():
        yield pool["label"], str(pool["id"])
        for entry in pool["entries"].values():
            yield f"retry {entry['parent']}" if entry["parent"] else entry["values"].get(VALUE, ""), entry["id"]
            if entry["date_processing"]:
                yield f"taken {entry['id']}", entry["id"]
            if entry["state"] in ("DONE", "ERROR"):
                yield f"{'done' if entry['state'] == 'DONE' else 'failed'} {entry['id']}", entry["id"]
    for file in state["artifacts"].values():
        if file["stored"]:
            yield file["name"], str(file["id"])
