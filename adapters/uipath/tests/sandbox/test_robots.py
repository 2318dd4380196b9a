from __future__ import annotations

from typing import Any

import pytest

OF = "UiPath.Server.Configuration.OData."
SESSIONS = "/odata/Sessions"
RUNTIMES = f"{SESSIONS}/{OF}GetMachineSessionRuntimes"


async def _one(wire: Any, path: str, **query: str) -> Any:
    asked = {f"${name}": value for name, value in query.items()}
    (row,) = (await wire.ask("GET", path, query=asked, status=200)).values
    return row


async def _folder_id(wire: Any) -> Any:
    return (await _one(wire, "/odata/Folders", filter="DisplayName eq 'Shared'"))["Id"]


async def test_a_folder_has_its_robot_and_no_other(wire: Any) -> None:
    robot = await _one(wire, "/odata/Robots")
    assert (await wire.ask("GET", f"/odata/Robots({robot['Id']})", status=200)).body == robot
    finance = wire.in_folder(FolderPath="Finance")
    assert (await wire.ask("GET", f"/odata/Robots({robot['Id']})", headers=finance, status=404)).code == 1002
    assert (await wire.ask("GET", "/odata/Robots", headers=wire.in_folder(), status=400)).code == 1101
    found = await _one(wire, "/odata/Robots", filter=f"Type eq 'Unattended' and Name eq '{robot['Name'].upper()}'")
    assert found == robot
    assert (await wire.ask("GET", "/odata/Robots", query={"$filter": "Type eq 'Robot'"}, status=400)).code == 1000


async def test_no_key_of_a_robot_or_a_machine_is_told(wire: Any) -> None:
    await wire.start()
    keys = {one["Key"] for one in wire.sandbox.dump()["faces"]["uipath"]["tables"]["robot keys"].values()}
    everywhere = wire.in_folder()
    seen = [
        await wire.ask("GET", "/odata/Robots", status=200),
        await wire.ask("GET", "/odata/Jobs", query={"$expand": "Robot"}, status=200),
        await wire.ask("GET", SESSIONS, query={"$expand": "Robot,Job"}, status=200),
        await wire.ask("GET", f"/odata/Robots/{OF}FindAllAcrossFolders", query={"$expand": "User"}, status=200),
        await wire.ask("GET", "/odata/Machines", headers=everywhere, status=200),
    ]
    told = repr([answer.body for answer in seen])
    assert not [key for key in keys if key in told]
    assert {row["ClientSecret"] for row in seen[-1].values} == {None}


@pytest.mark.parametrize("action", ["FindAllAcrossFolders", "GetConfiguredRobots"])
async def test_all_robots_are_found_without_a_folder(wire: Any, action: str) -> None:
    path = f"/odata/Robots/{OF}{action}"
    answer = await wire.ask("GET", path, query={"$expand": "User"}, headers=wire.in_folder(), status=200)
    assert len(answer.values) == len((await wire.ask("GET", "/odata/Folders", status=200)).values)
    assert all(row["User"]["Id"] == row["UserId"] for row in answer.values)


async def test_the_robots_of_a_folder_come_with_their_accounts(wire: Any) -> None:
    path = f"/odata/Robots/{OF}GetRobotsFromFolder(folderId={{}})"
    here = path.format(await _folder_id(wire))
    robot = await _one(wire, here)
    assert (robot["UserType"], robot["UserFullName"]) == ("DirectoryRobot", robot["Name"])
    other = await wire.ask("GET", here, query={"machineId": "1"}, status=200)
    assert other.values == []
    assert (await wire.ask("GET", here, query={"machineId": "x"}, status=400)).code == 1009
    assert (await wire.ask("GET", path.format(99), status=400)).code == 1100


async def test_a_robot_is_busy_while_its_job_runs_and_a_look_at_it_moves_nothing(wire: Any) -> None:
    wire.world.lifecycle.looks = 2
    job = await wire.start()
    assert [(await _one(wire, SESSIONS))["State"] for _ in range(4)] == ["Available"] * 4, "the job still waits"
    states = []
    for _ in range(3):
        seen = (await wire.ask("GET", f"/odata/Jobs({job['Id']})", status=200)).body["State"]
        states.append((seen, (await _one(wire, SESSIONS))["State"]))
    assert states == [("Pending", "Available"), ("Running", "Busy"), ("Successful", "Available")]


async def test_a_busy_robot_names_its_job_and_takes_a_runtime(wire: Any) -> None:
    wire.world.clock.freeze()
    wire.world.lifecycle.seconds = 60
    job = await wire.start()
    wire.world.clock.advance(40)
    session = await _one(wire, SESSIONS, expand="Robot,Job")
    assert (session["State"], session["Job"]["Id"]) == ("Busy", job["Id"])
    of_folder = await _one(wire, f"{RUNTIMES}ByFolderId(folderId={await _folder_id(wire)})")
    assert (of_folder["Status"], of_folder["Runtimes"], of_folder["UsedRuntimes"]) == ("Busy", 1, 1)
    free = await _one(wire, f"/odata/Machines/{OF}GetRuntimesForFolder(folderId={await _folder_id(wire)})")
    assert (free["Type"], free["Total"], free["Connected"], free["Available"]) == ("Unattended", 1, 1, 0)
    wire.world.clock.advance(40)
    assert (await _one(wire, SESSIONS, expand="Job"))["Job"] is None


async def test_a_session_is_found_by_its_robot(wire: Any) -> None:
    robot = await _one(wire, "/odata/Robots")
    found = await _one(wire, SESSIONS, filter=f"Robot/Id eq {robot['Id']}", select="State")
    assert found == {"State": "Available"}
    assert "Robot" not in await _one(wire, SESSIONS)
    assert (await _one(wire, SESSIONS, expand="Robot"))["Robot"]["Name"] == robot["Name"]
    none = await wire.ask("GET", SESSIONS, query={"$filter": "Robot/Id eq 1"}, status=200)
    assert none.values == []
    wrong = await wire.ask("GET", SESSIONS, query={"$filter": "State eq 'Unresponsive'"}, status=400)
    assert wrong.code == 1000, "it is a flag, no state"


@pytest.mark.parametrize(
    ("ordered", "state", "unresponsive", "connected", "available"),
    [
        ("Disconnected", "Disconnected", False, 0, 0),
        ("Unknown", "Unknown", False, 1, 0),
        ("Unresponsive", "Available", True, 1, 0),
        (None, "Available", False, 1, 1),
    ],
)
async def test_a_robot_can_be_made_silent(
    wire: Any, ordered: str | None, state: str, unresponsive: bool, connected: int, available: int
) -> None:
    wire.world.clock.freeze()
    wire.world.switches["uipath.robot_state"] = ordered
    session = await _one(wire, SESSIONS)
    assert (session["State"], session["IsUnresponsive"]) == (state, unresponsive)
    assert (session["ReportingTime"] < (await wire.start())["CreationTime"]) is (ordered is not None)
    free = await _one(wire, f"/odata/Machines/{OF}GetRuntimesForFolder(folderId={await _folder_id(wire)})")
    assert (free["Connected"], free["Available"]) == (connected, available)


async def test_sessions_and_runtimes_of_the_tenant_want_no_folder(wire: Any) -> None:
    everywhere = wire.in_folder()
    folders = {row["Id"] for row in (await wire.ask("GET", "/odata/Folders", status=200)).values}
    sessions = await wire.ask("GET", f"{SESSIONS}/{OF}GetGlobalSessions", headers=everywhere, status=200)
    assert {row["OrganizationUnitId"] for row in sessions.values} == folders
    runtimes = await wire.ask("GET", RUNTIMES, headers=everywhere, status=200)
    assert {row["SessionId"] for row in runtimes.values} == {row["Id"] for row in sessions.values}
    serverless = await wire.ask("GET", RUNTIMES, query={"runtimeType": "Serverless"}, status=200)
    assert serverless.values == []
    assert (await wire.ask("GET", RUNTIMES, query={"runtimeType": "Robot"}, status=400)).code == 1009
    other = f"{RUNTIMES}ByFolderId(folderId={await _folder_id(wire)})"
    assert (await wire.ask("GET", other, query={"robotId": "1"}, status=200)).values == []
    assert (await wire.ask("GET", f"{RUNTIMES}ByFolderId(folderId=99)", status=400)).code == 1100


async def test_machines_are_the_tenants_and_assigned_to_folders(wire: Any) -> None:
    everywhere = wire.in_folder()
    machines = (await wire.ask("GET", "/odata/Machines", headers=everywhere, status=200)).values
    robot = await _one(wire, "/odata/Robots")
    (mine,) = [one for one in machines if one["Id"] == robot["MachineId"]]
    assert (mine["Name"], mine["RobotUsers"][0]["RobotId"]) == (robot["MachineName"], robot["Id"])
    by_id = await wire.ask("GET", f"/odata/Machines({mine['Id']})", headers=everywhere, status=200)
    assert by_id.body == mine
    assigned = f"/odata/Machines/{OF}GetAssignedMachines(folderId={await _folder_id(wire)})"
    assert await _one(wire, assigned) == mine
    assert (await wire.ask("GET", "/odata/Machines(1)", status=404)).code == 1002


@pytest.mark.parametrize(
    ("scope", "robots", "machines"), [("OR.Robots.Read", 200, 403), ("OR.Machines.Read", 403, 200)]
)
async def test_machines_are_a_family_of_their_own(wire: Any, scope: str, robots: int, machines: int) -> None:
    token = (await wire.log_in(scope=scope)).body["access_token"]
    headers = wire.headers | {"Authorization": f"Bearer {token}"}
    for path, status in (("/odata/Robots", robots), (SESSIONS, robots), ("/odata/Machines", machines)):
        await wire.ask("GET", path, headers=headers, status=status)
