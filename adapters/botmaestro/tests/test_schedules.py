"""Schedules: each with what it starts, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rpa_bridge import Adapter, UnavailableError
from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge_botmaestro.schedules import BotMaestroSchedules


def scripted(script: Any) -> BotMaestroSchedules:
    return BotMaestroSchedules(script.client, script.clock)


async def test_a_schedule_tells_what_it_starts_and_when(maestro: Adapter) -> None:
    (found,) = [one async for one in maestro.schedules.find()]
    assert (found.id, found.name, found.automation) == ("1", "Letters", "Letters")
    assert (found.cron, found.timezone, found.enabled) == ("0 30 6 ? * MON-FRI", "UTC", True)


async def test_what_a_server_may_leave_out_or_write_otherwise_is_read(script: Any) -> None:
    script.page(
        {
            "id": 7,
            "name": "Mornings",
            "activityLabel": "Letters",
            "active": False,
            "nextExecution": "2030-01-01T06:30:00Z",
        },
        {"id": "b", "activityLabel": None, "cron": None, "active": None, "nextExecution": "some day"},
        {"id": None, "activityLabel": "Größe", "cron": "0 0 0 * * ?"},
        {},
        last=True,
    )
    found = [one async for one in scripted(script).find()]
    assert [(one.id, one.name, one.automation) for one in found] == [
        ("7", "Mornings", "Letters"),
        ("b", "b", None),
        ("Größe", "Größe", "Größe"),
        ("", "", None),
    ]
    assert [one.enabled for one in found] == [False, True, True, True]
    assert [one.next_at for one in found[:2]] == [datetime(2030, 1, 1, 6, 30, tzinfo=UTC), None]


async def test_a_list_that_cannot_be_read_is_not_an_empty_one(sandbox: Sandbox, maestro: Adapter) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match="GET */scheduling*", times=99))
    with pytest.raises(UnavailableError):
        _ = [one async for one in maestro.schedules.find()]
