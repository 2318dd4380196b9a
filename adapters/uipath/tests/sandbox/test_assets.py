from __future__ import annotations

from typing import Any

import pytest

ASSETS = "/odata/Assets"
ACTION = f"{ASSETS}/UiPath.Server.Configuration.OData."
FILTERED = f"{ACTION}GetFiltered"
FOR_ROBOT = f"{ACTION}GetRobotAssetByNameForRobotKey"
BY_ROBOT = f"{ACTION}SetRobotAssetByRobotKey"
TEXT = {"Name": "Plain", "ValueScope": "Global", "ValueType": "Text", "StringValue": "v"}
CREDENTIAL = {
    "Name": "ERP",
    "ValueScope": "Global",
    "ValueType": "Credential",
    "CredentialUsername": "erp-user",
    "CredentialPassword": "canary-password",
}
SECRET = {"Name": "Pin", "ValueScope": "Global", "ValueType": "Secret", "SecretValue": "canary-secret"}


async def _robot(wire: Any, folder: str = "Shared") -> Any:
    headers = wire.in_folder(FolderPath=folder)
    return (await wire.ask("GET", "/odata/Robots", headers=headers, status=200)).values[0]


async def _key(wire: Any, folder: str = "Shared") -> str:
    robot = await _robot(wire, folder)
    key: str = wire.sandbox.dump()["faces"]["uipath"]["tables"]["robot keys"][str(robot["Id"])]["Key"]
    return key


async def _create(wire: Any, body: Any, status: int = 201) -> Any:
    return (await wire.ask("POST", ASSETS, body, status=status)).body


async def _named(wire: Any, name: str, **query: str) -> Any:
    condition = {"$filter": f"Name eq '{name}'"} | {f"${option}": value for option, value in query.items()}
    (row,) = (await wire.ask("GET", FILTERED, query=condition, status=200)).values
    return row


async def _change(wire: Any, row: Any, status: int = 200, **members: Any) -> Any:
    return await wire.ask("PUT", f"{ASSETS}({row['Id']})", row | members, status=status)


async def _reveal(wire: Any, name: str, status: int = 200, **changes: Any) -> Any:
    body = {"robotKey": await _key(wire), "assetName": name} | changes
    return await wire.ask("POST", FOR_ROBOT, body, status=status)


async def test_no_single_list_has_all_of_secrets_and_usernames(wire: Any) -> None:
    old = {row["Name"]: row for row in (await wire.ask("GET", ASSETS, status=200)).values}
    new = {row["Name"]: row for row in (await wire.ask("GET", FILTERED, status=200)).values}
    assert set(old) == {"Currency", "Retries", "DryRun", "SAP", "Inbox"}
    assert set(new) == {*old, "ApiKey"}
    assert (old["SAP"]["CredentialUsername"], new["SAP"]["CredentialUsername"]) == ("sap-user", "")
    assert [new[name]["Value"] for name in ("Currency", "Retries", "DryRun", "SAP")] == ["EUR", "3", "True", ""]


async def test_both_lists_are_asked_in_odata(wire: Any) -> None:
    for path in (ASSETS, FILTERED):
        query = {"$filter": "ValueType eq 'Integer' and startswith(Name,'ret')", "$count": "true"}
        answer = await wire.ask("GET", path, query=query, status=200)
        assert (answer.body["@odata.count"], answer.values[0]["IntValue"]) == (1, 3)
        for wrong in ("Naem eq 'x'", "ValueType eq 'Number'", "CredentialPassword eq 'x'", "UserValues/UserId eq 1"):
            assert (await wire.ask("GET", path, query={"$filter": wrong}, status=400)).code == 1000


async def test_a_name_with_a_quote_and_other_letters_is_found(wire: Any) -> None:
    created = await _create(wire, TEXT | {"Name": "O'Brien Größe", "StringValue": ""})
    assert (await _named(wire, "o''brien größe"))["Id"] == created["Id"]
    revealed = await _reveal(wire, "O'Brien Größe")
    assert (revealed.body["Name"], revealed.body["StringValue"]) == ("O'Brien Größe", "")


@pytest.mark.parametrize("body", [CREDENTIAL, SECRET])
async def test_a_secret_that_went_in_comes_out_nowhere_but_with_a_robots_key(wire: Any, body: Any) -> None:
    created = await _create(wire, body)
    seen = [created, (await wire.ask("GET", f"{ASSETS}({created['Id']})", status=200)).body]
    for path in (ASSETS, FILTERED, f"{ACTION}GetAssetsAcrossFolders"):
        seen += (await wire.ask("GET", path, query={"$expand": "UserValues,RobotValues"}, status=200)).values
    assert "canary" not in repr(seen)
    assert "canary" in repr((await _reveal(wire, body["Name"])).body)


async def test_the_list_of_requests_keeps_no_secret(wire: Any) -> None:
    row = await _create(wire, CREDENTIAL)
    await _change(wire, row, CredentialPassword="canary-two")
    asset = {"Name": "ERP", "CredentialUsername": "erp-user", "CredentialPassword": "canary-three"}
    key = await _key(wire)
    await wire.ask("POST", BY_ROBOT, {"robotKey": key, "robotAsset": asset}, status=204)
    await _reveal(wire, "ERP")
    assert "canary" not in repr(wire.world.exchanges)
    assert key not in repr(wire.world.exchanges)


async def test_a_put_replaces_the_whole_asset_and_answers_nothing(wire: Any) -> None:
    row = await _create(wire, TEXT | {"Description": "why", "Tags": [{"Name": "t"}]})
    answer = await wire.ask("PUT", f"{ASSETS}({row['Id']})", TEXT | {"StringValue": "w"}, status=200)
    assert answer.body == ""
    after = await _named(wire, "Plain")
    assert (after["StringValue"], after["Description"], after["Tags"]) == ("w", None, [])
    assert (after["Key"], after["Id"]) == (row["Key"], row["Id"])
    assert row["LastModificationTime"] is None
    assert after["LastModificationTime"] >= row["CreationTime"]


async def test_a_put_without_the_password_keeps_it_for_the_same_username_only(wire: Any) -> None:
    row = await _create(wire, CREDENTIAL)
    await _change(wire, row, Description="read, changed, written")
    assert (await _reveal(wire, "ERP")).body["CredentialPassword"] == "canary-password"
    assert (await _change(wire, row, CredentialUsername="other", status=400)).code == 1500
    await _change(wire, row, CredentialUsername="other", CredentialPassword="new")
    assert (await _reveal(wire, "ERP")).body["CredentialPassword"] == "new"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (TEXT | {"Name": "CURRENCY"}, 409, 1001),
        (TEXT | {"Name": ""}, 400, 1009),
        (TEXT | {"Name": "x" * 257}, 400, 1009),
        (TEXT | {"StringValue": "x" * 1_000_001}, 400, 1009),
        (TEXT | {"Description": "x" * 251}, 400, 1009),
        (TEXT | {"ValueScope": None}, 400, 1009),
        (TEXT | {"ValueScope": "PerUser"}, 400, 0),
        (TEXT | {"ValueType": "Number"}, 400, 0),
        (TEXT | {"StringValue": 3}, 400, 0),
        (TEXT | {"Secret": "x"}, 400, 0),
        (TEXT | {"AllowDirectApiAccess": True}, 400, 0),
        (TEXT | {"UserValues": [{"UserId": 901}]}, 400, 1009),
        (TEXT | {"RobotValues": [{"RobotId": 701}]}, 400, 1009),
        (CREDENTIAL | {"CredentialPassword": None}, 400, 1500),
        (CREDENTIAL | {"CredentialPassword": ""}, 400, 1500),
        (CREDENTIAL | {"CredentialPassword": "x" * 25_001}, 400, 1009),
        (SECRET | {"SecretValue": None}, 400, 1500),
    ],
)
async def test_a_wrong_asset_is_refused(wire: Any, body: Any, status: int, code: int) -> None:
    assert (await wire.ask("POST", ASSETS, body, status=status)).code == code


async def test_the_type_stays_and_a_name_of_another_is_not_taken_over(wire: Any) -> None:
    row = await _named(wire, "Currency")
    refused = await _change(wire, row, ValueType="Integer", IntValue=3, status=400)
    assert "AssetTypeNonUpdatable" in refused.body["message"]
    assert (await _change(wire, row, Name="retries", status=409)).code == 1001
    await _change(wire, row, Name="CURRENCY")
    assert (await _named(wire, "currency"))["StringValue"] == "EUR"


async def test_a_deleted_asset_is_gone_and_one_of_another_folder_was_never_there(wire: Any) -> None:
    row = await _named(wire, "Currency")
    finance = wire.in_folder(FolderPath="Finance")
    for method in ("GET", "PUT", "DELETE"):
        answer = await wire.ask(method, f"{ASSETS}({row['Id']})", TEXT, headers=finance, status=404)
        assert answer.code == 1002
    await wire.ask("DELETE", f"{ASSETS}({row['Id']})", status=204)
    assert (await wire.ask("DELETE", f"{ASSETS}({row['Id']})", status=404)).code == 1002


async def test_users_values_come_only_when_they_are_expanded(wire: Any) -> None:
    robot = await _robot(wire)
    assert "UserValues" not in await _named(wire, "Inbox")
    inbox = await _named(wire, "Inbox", expand="UserValues,RobotValues")
    assert (inbox["ValueScope"], inbox["HasDefaultValue"], inbox["StringValue"]) == ("PerRobot", True, "/in")
    (mine,) = inbox["UserValues"]
    assert (mine["UserId"], mine["MachineId"], mine["Value"]) == (robot["UserId"], None, f"/in/{robot['Name']}")
    assert inbox["RobotValues"] == []


async def test_a_robot_gets_its_users_value_on_its_machine_before_any_other(wire: Any) -> None:
    robot, inbox = await _robot(wire), await _named(wire, "Inbox", expand="UserValues")
    here = {"UserId": robot["UserId"], "MachineId": robot["MachineId"], "StringValue": "/in/here"}
    assert (await _reveal(wire, "Inbox")).body["StringValue"] == f"/in/{robot['Name']}"
    await _change(wire, inbox, UserValues=[*inbox["UserValues"], here])
    assert (await _reveal(wire, "Inbox")).body["StringValue"] == "/in/here"
    await _change(wire, inbox, UserValues=[])
    assert (await _reveal(wire, "Inbox")).body["StringValue"] == "/in"
    await _change(wire, inbox, UserValues=[], HasDefaultValue=False)
    assert (await _reveal(wire, "Inbox", status=404)).code == 1002


async def test_an_unknown_user_fails_the_whole_put_or_wipes_everybodys_value(wire: Any) -> None:
    inbox = await _named(wire, "Inbox")
    stranger = [{"UserId": 1, "StringValue": "x"}]
    assert (await _change(wire, inbox, UserValues=stranger, status=400)).code == 1009
    assert (await _named(wire, "Inbox"))["StringValue"] == "/in"
    wire.world.switches["uipath.unknown_asset_user_wipes"] = True
    await _change(wire, inbox, UserValues=stranger)
    wiped = await _named(wire, "Inbox", expand="UserValues")
    assert (wiped["StringValue"], wiped["HasDefaultValue"], wiped["UserValues"]) == ("", False, [])


async def test_a_users_password_survives_a_put_of_what_was_read(wire: Any) -> None:
    robot = await _robot(wire)
    own = {"UserId": robot["UserId"], "CredentialUsername": "mine", "CredentialPassword": "canary-mine"}
    row = await _create(wire, CREDENTIAL | {"ValueScope": "PerRobot", "UserValues": [own]})
    read = (await wire.ask("GET", f"{ASSETS}({row['Id']})", query={"$expand": "UserValues"}, status=200)).body
    assert read["UserValues"][0]["CredentialPassword"] == ""
    await _change(wire, read)
    revealed = (await _reveal(wire, "ERP")).body
    assert (revealed["CredentialUsername"], revealed["CredentialPassword"]) == ("mine", "canary-mine")


@pytest.mark.parametrize("folder", ["Finance", None])
async def test_only_the_key_of_the_folders_robot_opens(wire: Any, folder: str | None) -> None:
    key = await _key(wire, folder) if folder else "11111111-2222-4333-8444-555555555555"
    assert (await _reveal(wire, "SAP", robotKey=key, status=409)).code == 1302
    path = f"{ACTION}GetRobotAsset(robotId='{key}',assetName='SAP')"
    assert (await wire.ask("GET", path, status=409)).code == 1302
    body = {"robotKey": key, "robotAsset": {"Name": "Currency", "StringValue": "x"}}
    assert (await wire.ask("POST", BY_ROBOT, body, status=409)).code == 1302
    assert (await _named(wire, "Currency"))["StringValue"] == "EUR"


async def test_the_older_ways_to_ask_for_a_robots_asset(wire: Any) -> None:
    await _create(wire, CREDENTIAL | {"Name": "O'Brien"})
    key = await _key(wire)
    by_key = f"{ACTION}GetRobotAsset(robotId='{key}',assetName='O''Brien')"
    assert (await wire.ask("GET", by_key, status=200)).body["CredentialPassword"] == "canary-password"
    assert "GetRobotAsset(robotId=***,assetName=" in wire.world.exchanges[-1].path
    assert key not in repr(wire.world.exchanges)
    by_id = f"{ACTION}GetRobotAssetByRobotId(robotId={(await _robot(wire))['Id']},assetName='O''Brien')"
    shown = (await wire.ask("GET", by_id, status=200)).body
    assert (shown["CredentialUsername"], shown["CredentialPassword"]) == ("erp-user", "")
    other = by_id.replace(str((await _robot(wire))["Id"]), "1")
    assert (await wire.ask("GET", other, status=409)).code == 1302


@pytest.mark.parametrize(("scope", "status"), [("OR.Assets", 200), ("OR.Assets.Write", 200), ("OR.Assets.Read", 403)])
async def test_reading_a_secret_wants_the_scope_for_writing(wire: Any, scope: str, status: int) -> None:
    body = {"robotKey": await _key(wire), "assetName": "ApiKey"}
    token = (await wire.log_in(scope=scope)).body["access_token"]
    headers = wire.headers | {"Authorization": f"Bearer {token}"}
    await wire.ask("POST", FOR_ROBOT, body, headers=headers, status=status)


async def test_without_a_key_nothing_opens_unless_the_asset_was_opened_to_all(wire: Any) -> None:
    asked = {"assetName": "ERP", "supportsCredentialsProxyDisconnected": True}
    row = await _create(wire, CREDENTIAL)
    assert (await wire.ask("POST", FOR_ROBOT, asked, status=400)).code == 1009
    wire.world.switches["uipath.direct_asset_access"] = True
    assert (await wire.ask("POST", FOR_ROBOT, asked, status=400)).code == 1009
    assert (await _named(wire, "ERP"))["AllowDirectApiAccess"] is False
    await _change(wire, row, AllowDirectApiAccess=True)
    assert (await wire.ask("POST", FOR_ROBOT, asked, status=200)).body["CredentialPassword"] == "canary-password"


async def test_a_secret_in_an_outer_store_is_kept_by_name_and_cannot_be_read_here(wire: Any) -> None:
    await _create(wire, CREDENTIAL | {"CredentialPassword": None, "ExternalName": "vault/erp"})
    assert (await _reveal(wire, "ERP", status=400)).code == 2304


async def test_a_robot_sets_everybodys_value_or_its_own(wire: Any) -> None:
    key = await _key(wire)
    for asset in ({"Name": "Retries", "IntValue": 4}, {"Name": "Inbox", "StringValue": "/own"}):
        await wire.ask("POST", BY_ROBOT, {"robotKey": key, "robotAsset": asset}, status=204)
    assert (await _named(wire, "Retries"))["IntValue"] == 4
    inbox = await _named(wire, "Inbox", expand="UserValues")
    assert (inbox["StringValue"], [one["StringValue"] for one in inbox["UserValues"]]) == ("/in", ["/own"])
    wrong: tuple[tuple[Any, int, int], ...] = (
        ({"Name": "Retries", "ValueType": "Text", "StringValue": "4"}, 400, 1009),
        ({"Name": "None", "IntValue": 4}, 404, 1002),
        ({"Name": "Retries", "Value": "4"}, 400, 0),
    )
    for asset, status, code in wrong:
        answer = await wire.ask("POST", BY_ROBOT, {"robotKey": key, "robotAsset": asset}, status=status)
        assert answer.code == code


async def test_an_asset_may_be_in_several_folders_and_must_stay_in_one(wire: Any) -> None:
    row = await _create(wire, TEXT)
    folders = (await wire.ask("GET", "/odata/Folders", query={"$orderby": "Id"}, status=200)).values
    shared, finance = folders[:2]
    share = f"{ACTION}ShareToFolders"
    added = {"AssetIds": [row["Id"]], "ToAddFolderIds": [finance["Id"]]}
    await wire.ask("POST", share, added, status=204)
    there = await wire.ask("GET", f"{ASSETS}({row['Id']})", headers=wire.in_folder(FolderPath="Finance"), status=200)
    assert there.body["FoldersCount"] == 2
    listed = (await wire.ask("GET", f"{ACTION}GetFoldersForAsset(id={row['Id']})", status=200)).body
    assert [one["Id"] for one in listed["AccessibleFolders"]] == [shared["Id"], finance["Id"]]
    currency = await _named(wire, "Currency")
    taken = {"AssetIds": [currency["Id"]], "ToAddFolderIds": [finance["Id"]]}
    assert (await wire.ask("POST", share, taken, status=409)).code == 1001
    assert (await _change(wire, row, Name="letters there", status=200)).body == ""
    await _create(wire, TEXT)
    assert (await _change(wire, row, status=409)).code == 1001
    last = {"AssetIds": [row["Id"]], "ToRemoveFolderIds": [shared["Id"], finance["Id"]]}
    assert (await wire.ask("POST", share, last, status=409)).code == 1017
    assert (await wire.ask("POST", share, {"AssetIds": [1]}, status=404)).code == 1002
    assert (await wire.ask("POST", share, added | {"ToAddFolderIds": [1]}, status=404)).code == 1002
    query = {"excludeFolderId": str(shared["Id"]), "$filter": "Name in ('letters there','Currency')"}
    elsewhere = await wire.ask("GET", f"{ACTION}GetAssetsAcrossFolders", query=query, status=200)
    assert [one["Name"] for one in elsewhere.values] == ["Currency"] * (len(folders) - 1)
    wrong = {"excludeFolderId": "Shared"}
    assert (await wire.ask("GET", f"{ACTION}GetAssetsAcrossFolders", query=wrong, status=400)).code == 1009


async def test_assets_come_in_any_order_that_is_not_asked_for(wire: Any) -> None:
    wire.world.switches["uipath.unordered_is_shuffled"] = True
    orders = {tuple(row["Id"] for row in (await wire.ask("GET", FILTERED, status=200)).values) for _ in range(12)}
    assert len(orders) > 1
    ordered = (await wire.ask("GET", FILTERED, query={"$orderby": "Id"}, status=200)).values
    assert [row["Id"] for row in ordered] == sorted(row["Id"] for row in ordered)


async def test_secrets_are_in_the_servers_own_store(wire: Any) -> None:
    stores = "/odata/CredentialStores"
    (store,) = (await wire.ask("GET", stores, headers=wire.in_folder(), status=200)).values
    default = f"{stores}/UiPath.Server.Configuration.OData.GetDefaultStoreForResourceType(resourceType='{{}}')"
    assert (await wire.ask("GET", default.format("Secrets"), status=200)).body == {"value": store["Id"]}
    assert (await wire.ask("GET", f"{stores}({store['Id']})", status=200)).body == store
    assert (await wire.ask("GET", f"{stores}(77)", status=404)).code == 1002
    assert (await wire.ask("GET", default.format("Queues"), status=400)).code == 1009


async def test_reset_brings_back_what_was_born_and_the_next_run_keeps_what_is(wire: Any) -> None:
    born = (await wire.ask("GET", FILTERED, status=200)).values
    row = await _named(wire, "Currency")
    await wire.ask("DELETE", f"{ASSETS}({row['Id']})", status=204)
    await _create(wire, CREDENTIAL)
    kept = wire.sandbox.dump()
    wire.sandbox.reset()
    wire.headers["Authorization"] = f"Bearer {(await wire.log_in()).body['access_token']}"
    assert (await wire.ask("GET", FILTERED, status=200)).values == born
    wire.sandbox.faces["uipath"].load(kept["faces"]["uipath"])
    assert (await _reveal(wire, "ERP")).body["CredentialPassword"] == "canary-password"
