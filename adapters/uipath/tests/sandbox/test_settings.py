from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

LICENSE = "/odata/Settings/UiPath.Server.Configuration.OData.GetLicense"
ROBOTS = "/odata/Robots/UiPath.Server.Configuration.OData.FindAllAcrossFolders"
STATS = "/api/Stats/GetLicenseStats"


async def test_a_licence_has_its_dates_in_seconds_and_its_counts_by_runtime(wire: Any) -> None:
    found = (await wire.ask("GET", LICENSE, headers=wire.in_folder(), status=200)).body
    assert datetime.fromtimestamp(found["ExpireDate"], UTC) == datetime(2040, 1, 1, tzinfo=UTC)
    assert found["GracePeriodEndDate"] - found["ExpireDate"] == found["GracePeriod"] * 24 * 3600
    robots = (await wire.ask("GET", ROBOTS, status=200)).values
    assert (found["Allowed"]["Unattended"], found["Used"]["Unattended"]) == (10, len(robots))
    assert set(found["Used"]) == set(found["Allowed"])
    assert found["IsExpired"] is False


async def test_a_licence_ends_by_the_sandboxs_clock(wire: Any) -> None:
    wire.world.clock.set(datetime(2040, 1, 2, tzinfo=UTC))
    wire.headers["Authorization"] = f"Bearer {(await wire.log_in()).body['access_token']}"
    assert (await wire.ask("GET", LICENSE, status=200)).body["IsExpired"] is True


async def test_licence_statistics_are_in_the_other_case(wire: Any) -> None:
    robots = (await wire.ask("GET", ROBOTS, status=200)).values
    rows = (await wire.ask("GET", STATS, query={"days": "2", "tenantId": "1"}, status=200)).body
    unattended = [row for row in rows if row["robotType"] == "Unattended"]
    assert [row["count"] for row in unattended] == [len(robots)] * 2
    assert unattended[0]["timestamp"][:10] > unattended[1]["timestamp"][:10]
    assert (await wire.ask("GET", STATS, query={"days": "all"}, status=400)).code == 1009


async def test_settings_are_read_one_by_one_and_as_a_list(wire: Any) -> None:
    rows = (await wire.ask("GET", "/odata/Settings", headers=wire.in_folder(), status=200)).values
    for row in rows:
        one = await wire.ask("GET", f"/odata/Settings('{row['Name']}')", status=200)
        assert one.body == {"value": row["Value"]}
    found = await wire.ask("GET", "/odata/Settings", query={"$filter": "startswith(Name,'Upload.')"}, status=200)
    assert [row["Value"] for row in found.values] == ["15000"]
    assert (await wire.ask("GET", "/odata/Settings('None')", status=404)).code == 1002


@pytest.mark.parametrize(
    ("scope", "settings", "stats"), [("OR.Settings.Read", 200, 403), ("OR.Monitoring.Read", 403, 200)]
)
async def test_statistics_belong_to_monitoring(wire: Any, scope: str, settings: int, stats: int) -> None:
    token = (await wire.log_in(scope=scope)).body["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    for path, status in (("/odata/Settings", settings), (LICENSE, settings), (STATS, stats)):
        await wire.ask("GET", path, headers=headers, status=status)


async def test_an_older_server_lives_and_does_not_tell_its_version(wire: Any) -> None:
    wire.world.switches["uipath.status_version"] = False
    assert (await wire.ask("GET", "/api/Status/Version", headers={}, status=404)).code == 0
    await wire.ask("GET", "/api/Status/Get", headers={}, status=200)
