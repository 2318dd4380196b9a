from __future__ import annotations

import json
from typing import Any

import pytest

RAISE = "/odata/Alerts/UiPath.Server.Configuration.OData.RaiseProcessAlert"
MARK = "/odata/Alerts/UiPath.Server.Configuration.OData.MarkAsRead"
UNREAD = "/odata/Alerts/UiPath.Server.Configuration.OData.GetUnreadCount"
ALERT = {"Message": "It's late, Jürgen", "Severity": "Warn", "RobotName": "robot-701", "ProcessName": "Invoices"}


async def _raise(wire: Any, **changes: Any) -> Any:
    given = {name: value for name, value in (ALERT | changes).items() if value is not None}
    return await wire.ask("POST", RAISE, {"processAlert": given}, headers=wire.in_folder())


async def _alerts(wire: Any, **options: str) -> list[Any]:
    query = {f"${name}": value for name, value in options.items()}
    found: list[Any] = (await wire.ask("GET", "/odata/Alerts", query=query, status=200)).values
    return found


async def test_an_alert_is_raised_with_an_empty_answer_and_found(wire: Any) -> None:
    answer = await _raise(wire)
    assert (answer.status, answer.body) == (200, "")
    (alert,) = await _alerts(wire)
    assert (alert["Severity"], alert["State"], alert["Component"]) == ("Warn", "Unread", "Process")
    assert json.loads(alert["Data"])["Message"] == ALERT["Message"]


async def test_nothing_keeps_the_same_alert_from_being_raised_twice(wire: Any) -> None:
    await _raise(wire)
    await _raise(wire)
    first, second = await _alerts(wire)
    assert first["Id"] != second["Id"]


async def test_alerts_are_found_by_severity_and_newest_first(wire: Any) -> None:
    wire.world.clock.freeze()
    for severity in ("Info", "Fatal", "Error"):
        await _raise(wire, Severity=severity)
        wire.world.clock.advance(1)
    found = await _alerts(wire, filter="Severity ge 'Error'", orderby="CreationTime desc")
    assert [alert["Severity"] for alert in found] == ["Error", "Fatal"]


async def test_reading_alerts_tells_how_many_are_left(wire: Any) -> None:
    for _ in range(3):
        await _raise(wire)
    ids = [alert["Id"] for alert in await _alerts(wire)]
    assert (await wire.ask("GET", UNREAD, status=200)).body["value"] == 3
    answer = await wire.ask("POST", MARK, {"ids": [ids[0], ids[0], "11111111-aaaa-4111-8111-111111111111"]}, status=200)
    assert answer.body["value"] == 2
    assert [alert["Id"] for alert in await _alerts(wire, filter="State eq 'Unread'")] == ids[1:]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Message": None}, 1009),
        ({"RobotName": None}, 1009),
        ({"ProcessName": ""}, 1009),
        ({"Message": "x" * 513}, 1009),
        ({"Severity": "Awful"}, 0),
        ({"JobKey": "x"}, 0),
    ],
)
async def test_a_wrong_alert_is_not_raised(wire: Any, change: Any, code: int) -> None:
    answer = await _raise(wire, **change)
    assert (answer.status, answer.code) == (400, code)
    assert await _alerts(wire) == []


async def test_an_alert_without_its_wrapper_is_not_raised(wire: Any) -> None:
    assert (await wire.ask("POST", RAISE, ALERT, status=400)).code == 0
    assert (await wire.ask("POST", MARK, {}, status=400)).code == 1009


async def test_newer_servers_have_no_alerts(wire: Any) -> None:
    wire.world.switches["uipath.alerts"] = False
    for method, path in (("GET", "/odata/Alerts"), ("GET", UNREAD), ("POST", RAISE), ("POST", MARK)):
        assert (await wire.ask(method, path, {} if method == "POST" else None, status=404)).code == 0
