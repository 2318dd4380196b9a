from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge.cli.drafts import read_drafts
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import ItemDraft
from rpa_bridge.errors import InvalidError


async def read(folder: Path, *lines: Any) -> list[ItemDraft]:
    path = folder / "items.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return [draft async for draft in read_drafts(str(path))]


async def test_a_line_says_all_that_a_draft_can_hold(tmp_path: Path) -> None:
    line = {
        "values": {"number": 1},
        "reference": "A",
        "priority": "high",
        "not_before": "2030-01-01T00:00:00+00:00",
        "due_at": "2030-01-02T00:00Z",
        "mark": "run-7/1",
    }
    assert await read(tmp_path, line) == [
        ItemDraft(
            values={"number": 1},
            reference="A",
            priority=Priority.HIGH,
            not_before=datetime(2030, 1, 1, tzinfo=UTC),
            due_at=datetime(2030, 1, 2, tzinfo=UTC),
            mark="run-7/1",
        )
    ]


async def test_what_only_an_item_has_is_left_out(tmp_path: Path) -> None:
    line = {"id": "7", "state": "failed", "values": {}, "mark": "{another system's}"}
    assert await read(tmp_path, line) == [ItemDraft(values={})]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("canary", "line 2 .* is not JSON"),
        ([1], "must be an object such as"),
        ({"number": 1}, "must be an object such as"),
        ({"values": [1]}, "must be an object such as"),
        ({"values": {}, "refrence": "A"}, "did you mean 'reference'"),
        ({"values": {}, "zzz": "A"}, "an item has values, reference"),
        ({"values": {}, "reference": 7}, "reference must be text"),
        ({"values": {}, "mark": 7}, "mark must be text"),
        ({"values": {}, "priority": "urgent"}, "priority must be low, normal, high"),
        ({"values": {}, "due_at": "soon"}, "due_at must be a time"),
        ({"values": {}, "due_at": 7}, "due_at must be a time"),
    ],
)
async def test_a_line_that_is_no_draft_is_refused_by_its_number(tmp_path: Path, line: Any, complaint: str) -> None:
    with pytest.raises(InvalidError, match=complaint):
        await read(tmp_path, {"values": {}}, line)
