"""Assets on UiPath: servers of every age, values of single robots that no change may lose, and lost answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import Adapter, ConflictError, InvalidError, NotFoundError, OutcomeUnknownError, ProtocolError
from rpa_bridge.contract.assets import Asset, AssetType
from rpa_bridge.errors import Delivery, DeniedError
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.assets import AssetRows, UiPathAssets
from rpa_bridge_uipath.mapping import assets as mapping
from rpa_bridge_uipath.sandbox.asset_values import VALUE_TYPES
from rpa_bridge_uipath.wire.assets import AssetDto

Requests = Callable[[str], list[Exchange]]
MAKE, CHANGE, DELETE = "POST */odata/Assets", "PUT */odata/Assets*", "DELETE */odata/Assets*"
FILTERED = "GET *GetFiltered*"
BAD_QUERY = '{"message":"Invalid OData query options.","errorCode":1000}'
ROW = {"Id": 5, "Name": "Inbox", "ValueType": "Text", "ValueScope": "Global", "StringValue": "/in"}


def scripted(script: Any) -> UiPathAssets:
    """The service on answers on order."""
    return UiPathAssets(script.clock, AssetRows(script.client))


async def found(erp: Adapter) -> dict[str, Asset]:
    """All assets by name."""
    return {one.name: one async for one in erp.assets.find()}


def test_every_type_of_asset_is_an_asset_or_a_credential() -> None:
    assert {*mapping.ASSET_TYPES, *mapping.CREDENTIAL_FIELDS} == set(VALUE_TYPES)
    assert not set(mapping.ASSET_TYPES) & set(mapping.CREDENTIAL_FIELDS)


async def test_a_look_that_fails_after_a_lost_answer_does_not_sound_as_if_nothing_had_been_made(
    erp: Adapter, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=MAKE, when=When.AFTER))
    sandbox.faults.add(Fault(FaultKind.STATUS, status=403, match=FILTERED, skip=1))

    made = await erp.assets.put("Limit", 5)  # it was refused once, then looked for again

    assert made.value == 5


async def test_a_look_that_fails_after_a_change_does_not_sound_as_if_nothing_had_been_changed(
    erp: Adapter, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, status=403, match="GET */odata/Assets(*", skip=1))

    with pytest.raises(DeniedError) as refused:
        await erp.assets.put("Currency", "CHF")

    assert refused.value.delivery is Delivery.MAYBE
    assert (await erp.assets.get("Currency")).value == "CHF"


async def test_all_but_credentials_are_found_with_the_values_of_single_robots(erp: Adapter) -> None:
    assets = await found(erp)

    assert {name: (one.type, one.value) for name, one in assets.items()} == {
        "Currency": (AssetType.TEXT, "EUR"),
        "Retries": (AssetType.INTEGER, 3),
        "DryRun": (AssetType.BOOLEAN, True),
        "Inbox": (AssetType.TEXT, "/in"),
    }
    assert assets["Inbox"].robot_values == {"robot-701": "/in/robot-701"}
    assert assets["Currency"].robot_values == {}
    assert await erp.assets.get("inbox") == assets["Inbox"]


@pytest.mark.parametrize(
    ("members", "value", "robot_values"),
    [
        ({"HasDefaultValue": False, "UserValues": [{"UserName": "ann", "StringValue": "a"}]}, None, {"ann": "a"}),
        ({"HasDefaultValue": None, "RobotValues": [{"RobotName": "r1", "StringValue": "b"}]}, None, {"r1": "b"}),
        (
            {"HasDefaultValue": True, "UserValues": [{"UserName": "ann", "MachineId": 7, "MachineName": "M"}]},
            "/in",
            {"ann on M": ""},
        ),
        ({"UserValues": [{"UserId": 9, "MachineId": 7}], "HasDefaultValue": False}, None, {"9 on 7": ""}),
    ],
)
def test_a_value_of_single_robots_names_their_accounts(
    members: dict[str, Any], value: str | None, robot_values: dict[str, str]
) -> None:
    asset = mapping.asset(AssetDto.of(ROW | {"ValueScope": "PerRobot"} | members, "assets.get"))

    assert (asset.value, asset.robot_values) == (value, robot_values)


@pytest.mark.parametrize("kind", ["DBConnectionString", "HttpConnectionString", "KeyValueList", "Unheard of"])
def test_a_type_without_a_neutral_name_is_other_and_shows_no_value(kind: str) -> None:
    row = ROW | {"ValueType": kind, "UserValues": [{"UserName": "ann", "StringValue": "s3cret"}]}
    asset = mapping.asset(AssetDto.of(row, "assets.get"))

    assert (asset.type, asset.value, asset.robot_values) == (AssetType.OTHER, None, {})
    assert "s3cret" not in repr(asset)


async def test_a_credential_is_no_asset_and_its_name_is_taken(erp: Adapter, requests: Requests) -> None:
    with pytest.raises(NotFoundError, match="'SAP' is a credential"):
        await erp.assets.get("SAP")
    with pytest.raises(NotFoundError, match="'SAP' is a credential"):
        await erp.assets.delete("SAP")
    with pytest.raises(ConflictError, match="of type Credential") as caught:
        await erp.assets.put("SAP", "text")
    assert caught.value.code == "AssetTypeNonUpdatable"
    assert requests(CHANGE) == requests(DELETE) == []


async def test_an_older_server_is_asked_for_its_plain_list_and_that_is_remembered(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, match=FILTERED, status=404, times=9))

    assert (await erp.assets.get("Currency")).value == "EUR"
    assert (await erp.assets.get("Inbox")).robot_values == {"robot-701": "/in/robot-701"}
    assert len(requests(FILTERED)) == 1


async def test_a_server_that_knows_only_one_kind_of_robots_values_is_asked_for_that(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, match="GET *UserValues%2CRobotValues*", status=400, body=BAD_QUERY))

    assert (await erp.assets.get("Inbox")).robot_values == {"robot-701": "/in/robot-701"}
    await erp.assets.put("Inbox", "/new")
    assert len(requests("GET *RobotValues*")) == 1


async def test_a_server_that_refuses_every_expansion_is_never_written_to(script: Any) -> None:
    for _ in range(3):
        script.answer(json.loads(BAD_QUERY), status=400)

    with pytest.raises(InvalidError, match="Invalid OData"):
        await scripted(script).put("Inbox", "/new")
    assert [one.params["$expand"] for one in script.requests] == [
        "UserValues,RobotValues", "UserValues", "RobotValues",
    ]  # fmt: skip


async def test_a_wrong_folder_is_no_older_server(sandbox: Sandbox, open_erp: Callable[..., Adapter]) -> None:
    with pytest.raises(NotFoundError, match="check `folder` in the settings"):
        await open_erp(folder="Nowhere").assets.get("Currency")
    assert len(sandbox.world.exchanges) == 2, "the log-in, and one request"


async def test_more_assets_than_a_page_are_found_once_each(erp: Adapter) -> None:
    for number in range(105):
        await erp.assets.put(f"a{number}", number)

    names = [one.name async for one in erp.assets.find()]
    assert len(names) == len(set(names)) == 109


@pytest.mark.parametrize("name", ["O'Brien & Söhne", "a'' or 1 eq 1", "50 % / ☃ #?+", "back\\slash"])
async def test_awkward_names_are_kept_found_and_deleted(erp: Adapter, name: str) -> None:
    made = await erp.assets.put(name, "x")

    assert (made.name, await erp.assets.get(name.upper())) == (name, made)
    await erp.assets.delete(name)
    with pytest.raises(NotFoundError):
        await erp.assets.get(name)


async def test_a_change_keeps_the_values_of_single_robots_and_what_is_not_named(
    erp: Adapter, requests: Requests
) -> None:
    before = await erp.assets.get("Inbox")
    after = await erp.assets.put("inbox", "/new", description="größer")

    assert (after.id, after.name, after.value, after.description) == (before.id, "Inbox", "/new", "größer")
    assert after.robot_values == before.robot_values
    assert (await erp.assets.put("Inbox", "/newer")).description == "größer"
    assert len(requests(CHANGE)) == 2


async def test_a_value_for_everybody_is_given_to_an_asset_that_has_none(script: Any) -> None:
    row = ROW | {"ValueScope": "PerRobot", "HasDefaultValue": False, "StringValue": ""}
    row |= {"@odata.context": "x", "Value": "", "UserValues": [{"Id": 1, "UserName": "ann", "StringValue": "a"}]}
    changed = row | {"HasDefaultValue": True, "StringValue": "/all"}
    script.page(row)
    script.answer(row)
    script.answer()
    script.answer(changed)

    asset = await scripted(script).put("Inbox", "/all")

    assert (asset.value, asset.robot_values) == ("/all", {"ann": "a"})
    written = script.requests[2].json
    assert written["UserValues"] == row["UserValues"]
    assert (written["HasDefaultValue"], written["StringValue"]) == (True, "/all")
    assert not {"@odata.context", "Value"} & set(written), "what the server computes is not written"


async def test_a_value_that_an_older_server_drops_is_told(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.world.switches["uipath.unknown_asset_user_wipes"] = True
    rows = sandbox.faces["uipath"].dump()["tables"]["assets"].values()
    next(row for row in rows if row["Name"] == "Inbox")["UserValues"][0]["UserId"] = 4711

    with pytest.raises(ConflictError, match="dropped the value of 'Inbox'"):
        await erp.assets.put("Inbox", "/new")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (2**31, "integer of 32 bits"),
        (-(2**31) - 1, "integer of 32 bits"),
        (1.5, "a float is no value"),
        (None, "a NoneType is no value"),
        (b"x", "a bytes is no value"),
        ("x" * 1_000_001, "at most 1000000 fit"),
    ],
)
async def test_a_value_that_no_asset_holds_is_refused_unsent(
    sandbox: Sandbox, erp: Adapter, value: Any, told: str
) -> None:
    with pytest.raises(InvalidError, match=told):
        await erp.assets.put("New", value)
    assert sandbox.world.exchanges == []


@pytest.mark.parametrize(("name", "description"), [("", None), ("  ", None), ("x" * 257, None), ("New", "x" * 251)])
async def test_a_name_or_description_that_does_not_fit_is_refused_unsent(
    sandbox: Sandbox, erp: Adapter, name: str, description: str | None
) -> None:
    with pytest.raises(InvalidError):
        await erp.assets.put(name, "x", description=description)
    assert sandbox.world.exchanges == []


@pytest.mark.parametrize("value", [2**31 - 1, -(2**31), 0, False, ""])
async def test_the_last_value_that_fits_is_kept_as_it_is(erp: Adapter, value: Any) -> None:
    await erp.assets.put("New", value)

    kept = (await erp.assets.get("New")).value
    assert (kept, type(kept)) == (value, type(value))


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.STATUS])
async def test_a_new_asset_whose_answer_is_lost_is_made_once(
    sandbox: Sandbox, erp: Adapter, requests: Requests, kind: FaultKind
) -> None:
    sandbox.faults.add(Fault(kind, match=MAKE, when=When.AFTER, status=502))

    made = await erp.assets.put("New", 7, description="d")

    assert [one.status for one in requests(MAKE)][1:] == [409]
    assert (await found(erp))["New"] == made


async def test_a_new_asset_whose_answer_cannot_be_read_is_looked_up(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.HTML, match=MAKE, when=When.AFTER))

    assert (await erp.assets.put("New", 7)).value == 7
    assert len(requests(MAKE)) == 1


async def test_somebody_elses_asset_after_a_lost_answer_is_not_taken_for_ours(script: Any) -> None:
    script.page()
    script.answer(status=502)
    script.answer({"message": "The name is already used.", "errorCode": 1001}, status=409)
    script.page(ROW | {"Name": "New", "StringValue": "theirs"})

    with pytest.raises(ConflictError, match="somebody else has just made the asset 'New'"):
        await scripted(script).put("New", "ours")


async def test_a_name_that_is_taken_meanwhile_is_a_conflict(script: Any) -> None:
    script.page()
    script.answer({"message": "The name is already used.", "errorCode": 1001}, status=409)

    with pytest.raises(ConflictError, match="the name is taken") as caught:
        await scripted(script).put("New", "ours")
    assert not caught.value.maybe_applied


async def test_a_new_asset_that_is_never_found_leaves_the_outcome_unknown(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.faults.add(Fault(FaultKind.HTML, match=MAKE))

    with pytest.raises(OutcomeUnknownError, match="an asset named 'New' was not found"):
        await erp.assets.put("New", 7)


async def test_a_deletion_whose_answer_is_lost_is_done(sandbox: Sandbox, erp: Adapter, requests: Requests) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=DELETE, when=When.AFTER))

    await erp.assets.delete("Currency")

    assert [one.status for one in requests(DELETE)] == [None, 404]
    with pytest.raises(NotFoundError, match="no asset 'Currency' in this folder"):
        await erp.assets.delete("Currency")


async def test_an_answer_about_another_asset_is_not_believed(script: Any) -> None:
    script.page(ROW)
    script.answer(ROW | {"Id": 6})

    with pytest.raises(ProtocolError, match="asked for asset 5, got 6"):
        await scripted(script).put("Inbox", "/new")
