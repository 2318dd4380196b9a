from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rpa_bridge_uipath.sandbox.cron import Cron

SCHEDULES = "/odata/ProcessSchedules"
SET_ENABLED = f"{SCHEDULES}/UiPath.Server.Configuration.OData.SetEnabled"
NEW = {"Name": "O'Briens Nächte", "TimeZoneId": "UTC", "ReleaseName": "Letters", "StartProcessCron": "0 30 2 ? * *"}


@pytest.fixture
async def born(wire: Any) -> list[Any]:
    """The triggers of the folder Shared as they were born: by time, by queue."""
    found: list[Any] = (await wire.ask("GET", SCHEDULES, query={"$orderby": "Id"}, status=200)).values
    return found


async def _one(wire: Any, schedule: Any) -> Any:
    return (await wire.ask("GET", f"{SCHEDULES}({schedule['Id']})", status=200)).body


async def test_one_trigger_is_born_for_the_time_and_one_for_a_queue(wire: Any, born: list[Any]) -> None:
    by_time, by_queue = born
    assert (by_time["Enabled"], by_time["ReleaseName"], by_time["QueueDefinitionId"]) == (False, "Invoices", None)
    assert by_time["StartProcessNextOccurrence"] is None, "it is switched off"
    assert (by_queue["Enabled"], by_queue["QueueDefinitionName"]) == (True, "Invoices")
    assert by_queue["StartProcessCron"] is None
    assert "OrganizationUnitId" not in by_time
    elsewhere = await wire.ask("GET", SCHEDULES, headers=wire.in_folder(FolderPath="Finance"), status=200)
    assert elsewhere.values == []


async def test_a_trigger_is_made_and_says_when_it_comes_next(wire: Any) -> None:
    wire.world.clock.freeze(datetime(2026, 10, 3, 2, 30, tzinfo=UTC))
    made = (await wire.ask("POST", SCHEDULES, NEW | {"Enabled": None, "InputArguments": "{}"}, status=201)).body
    assert made["Enabled"] is True
    assert made["StartProcessNextOccurrence"] == "2026-10-04T02:30:00.000000Z"
    assert (made["ReleaseName"], made["PackageName"]) == ("Letters", "Acme.Letters")
    assert await _one(wire, made) == made
    found = await wire.ask("GET", SCHEDULES, query={"$filter": "Name eq 'O''Briens Nächte'"}, status=200)
    assert found.values == [made]


async def test_a_zone_that_only_windows_knows_leaves_the_next_time_open(wire: Any) -> None:
    zone = {"TimeZoneId": "W. Europe Standard Time"}
    assert (await wire.ask("POST", SCHEDULES, NEW | zone, status=201)).body["StartProcessNextOccurrence"] is None


async def test_a_trigger_is_replaced_and_what_was_left_out_is_gone(wire: Any, born: list[Any]) -> None:
    by_time = born[0]
    body = by_time | {"Name": "Renamed", "Description": "new", "JobPriority": "High"}
    answer = await wire.ask("PUT", f"{SCHEDULES}({by_time['Id']})", body, status=204)
    assert answer.body == ""
    assert await _one(wire, by_time) == body
    shorter = NEW | {"ReleaseKey": by_time["ReleaseKey"]}
    await wire.ask("PUT", f"{SCHEDULES}({by_time['Id']})", shorter, status=204)
    after = await _one(wire, by_time)
    assert (after["Key"], after["Description"], after["JobPriority"]) == (by_time["Key"], None, None)
    assert (after["ReleaseName"], after["Enabled"]) == ("Invoices", False), "nothing is switched on by leaving it out"


async def test_a_trigger_is_deleted_once(wire: Any, born: list[Any]) -> None:
    path = f"{SCHEDULES}({born[0]['Id']})"
    elsewhere = wire.in_folder(FolderPath="Finance")
    assert (await wire.ask("DELETE", path, headers=elsewhere, status=404)).code == 1002
    await wire.ask("DELETE", path, status=204)
    assert (await wire.ask("DELETE", path, status=404)).code == 1002
    assert (await wire.ask("GET", path, status=404)).code == 1002


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"Name": None}, 400, 1009),
        ({"Name": "x" * 256}, 400, 1009),
        ({"Name": "INVOICES EVERY MORNING"}, 409, 1001),
        ({"TimeZoneId": None}, 400, 1009),
        ({"ReleaseName": None}, 400, 1009),
        ({"ReleaseName": "Nothing"}, 404, 1002),
        ({"StartProcessCron": None}, 400, 1009),
        ({"StartProcessCron": "every day"}, 400, 1009),
        ({"QueueDefinitionId": 301}, 400, 1009),
        ({"StartProcessCron": None, "QueueDefinitionId": 1}, 404, 1002),
        ({"StartProcessCron": None, "QueueDefinitionId": 303}, 404, 1002),
        ({"MaxJobsForActivation": 10_001}, 400, 1009),
        ({"ConsecutiveJobFailuresThreshold": 101}, 400, 1009),
        ({"Colour": "red"}, 400, 0),
        ({"Enabled": "yes"}, 400, 0),
    ],
)
async def test_a_wrong_trigger_is_not_made(
    wire: Any, born: list[Any], change: dict[str, Any], status: int, code: int
) -> None:
    assert (await wire.ask("POST", SCHEDULES, NEW | change, status=status)).code == code
    assert (await wire.ask("GET", SCHEDULES)).values == born


async def test_its_release_cannot_be_joined(wire: Any) -> None:
    assert (await wire.ask("GET", SCHEDULES, query={"$expand": "Release"}, status=400)).code == 1000


async def test_triggers_are_switched_all_or_none(wire: Any, born: list[Any]) -> None:
    ids = [one["Id"] for one in born]
    body = {"enabled": False, "scheduleIds": [*ids, 1]}
    assert (await wire.ask("POST", SET_ENABLED, body, status=404)).code == 1002
    assert [(await _one(wire, one))["Enabled"] for one in born] == [False, True]
    answer = await wire.ask("POST", SET_ENABLED, body | {"scheduleIds": ids}, status=200)
    assert answer.body["value"] is True
    assert [(await _one(wire, one))["Enabled"] for one in born] == [False, False]


async def test_or_those_that_exist_and_a_207_names_the_others(wire: Any, born: list[Any]) -> None:
    body = {"enabled": True, "scheduleIds": [born[0]["Id"], 1], "multistatusEnabled": True}
    answer = await wire.ask("POST", SET_ENABLED, body, status=207)
    assert {name: error["errorCode"] for name, error in answer.body.items()} == {"1": 1002}
    assert (await _one(wire, born[0]))["Enabled"] is True
    assert (await wire.ask("POST", SET_ENABLED, {"enabled": True}, status=400)).code == 1009


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("0 0 6 ? * MON-FRI", "2026-10-05T06:00:00"),
        ("0 0/15 9-17 ? * *", "2026-10-03T10:15:00"),
        ("30 * * * * ?", "2026-10-03T10:00:30"),
        ("0 0 8 1,15 * ?", "2026-10-15T08:00:00"),
        ("0 0 0 29 2 ? *", "2028-02-29T00:00:00"),
        ("0 0 0 ? JAN SUN 2028", "2028-01-02T00:00:00"),
        ("0 0 0 1 1 ? 2020", None),
        ("0 0 0 L * ?", None),
        ("0 0 0 ? * 6#3", None),
    ],
)
def test_quartz_expressions_tell_the_next_time(expression: str, found: str | None) -> None:
    after = Cron(expression).after(datetime(2026, 10, 3, 10, 0, tzinfo=UTC), UTC)
    assert (after and after.isoformat()[:19]) == found


def test_the_next_time_is_one_of_its_zone() -> None:
    after = Cron("0 0 6 ? * *").after(datetime(2026, 10, 3, 5, 0, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    assert after is not None
    assert after.astimezone(UTC) == datetime(2026, 10, 4, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    ["", "0 6 * * *", "0 0 6 * * *", "0 0 6 ? * ?", "0 0 24 ? * *", "0 0 6 ? * 8", "a b c d e ?", "0/0 0 0 ? * *"],
)
def test_what_quartz_does_not_take_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Cron(expression)
