from __future__ import annotations

from typing import Any

import pytest

WEBHOOKS = "/odata/Webhooks"
ACTION = "UiPath.Server.Configuration.OData."
HOOK = {
    "Name": "Büro",
    "Url": "https://hooks.acme.example/rpa?x=1",
    "Enabled": True,
    "SubscribeToAllEvents": False,
    "AllowInsecureSsl": False,
    "Secret": "canary-secret",
    "Events": [{"EventType": "job.faulted"}],
}


async def _ask(wire: Any, method: str, path: str, body: Any = None, *, status: int) -> Any:
    """No folder header: webhooks are the tenant's."""
    return await wire.ask(method, WEBHOOKS + path, body, headers=wire.in_folder(), status=status)


def _kept(wire: Any, hook: Any) -> Any:
    return wire.sandbox.dump()["faces"]["uipath"]["tables"]["webhooks"][str(hook["Id"])]["Secret"]


@pytest.fixture
async def hook(wire: Any) -> Any:
    return (await _ask(wire, "POST", "", HOOK, status=201)).body


async def test_a_secret_is_masked_on_every_way_out(wire: Any, hook: Any) -> None:
    path = f"({hook['Id']})"
    answers = [
        hook,
        (await _ask(wire, "GET", path, status=200)).body,
        (await _ask(wire, "GET", "", status=200)).values[0],
        (await _ask(wire, "PATCH", path, {"Enabled": False}, status=200)).body,
        (await _ask(wire, "PUT", path, HOOK, status=200)).body,
    ]
    assert {one["Secret"] for one in answers} == {"********"}
    assert _kept(wire, hook) == "canary-secret"
    assert "canary" not in repr(wire.world.exchanges)
    without = (await _ask(wire, "POST", "", HOOK | {"Name": "open", "Secret": None}, status=201)).body
    assert without["Secret"] is None


async def test_writing_back_what_was_read_makes_the_mask_the_secret(wire: Any, hook: Any) -> None:
    await _ask(wire, "PUT", f"({hook['Id']})", hook | {"Enabled": False}, status=200)
    assert _kept(wire, hook) == "********"


async def test_a_put_drops_what_it_does_not_name_and_a_patch_keeps_it(wire: Any, hook: Any) -> None:
    path = f"({hook['Id']})"
    changed = (await _ask(wire, "PATCH", path, {"Description": "why"}, status=200)).body
    assert (changed["Description"], changed["Name"], changed["Events"]) == ("why", "Büro", HOOK["Events"])
    short = {name: HOOK[name] for name in ("Name", "Url", "Enabled", "SubscribeToAllEvents", "AllowInsecureSsl")}
    replaced = (await _ask(wire, "PUT", path, short, status=200)).body
    assert (replaced["Description"], replaced["Secret"], replaced["Events"]) == (None, None, [])
    assert (replaced["Key"], replaced["Id"]) == (hook["Key"], hook["Id"])
    assert (await _ask(wire, "PUT", path, {"Name": "Büro"}, status=400)).code == 1009


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"Name": "BÜRO"}, 409, 1001),
        ({"Name": ""}, 400, 1009),
        ({"Name": "x" * 129}, 400, 1009),
        ({"Url": "hooks.acme.example"}, 400, 1009),
        ({"Url": "https://" + "x" * 2000}, 400, 1009),
        ({"Enabled": None}, 400, 1009),
        ({"Enabled": "yes"}, 400, 0),
        ({"Secret": "x" * 101}, 400, 1009),
        ({"Events": [{"EventType": "job.exploded"}]}, 400, 1009),
        ({"Events": ["job.faulted"]}, 400, 0),
        ({"Folder": "Shared"}, 400, 0),
    ],
)
async def test_a_wrong_webhook_is_refused(wire: Any, hook: Any, change: Any, status: int, code: int) -> None:
    body = HOOK | {"Name": f"not {hook['Name']}"} | change
    assert (await _ask(wire, "POST", "", body, status=status)).code == code
    assert len((await _ask(wire, "GET", "", status=200)).values) == 1


async def test_a_ping_is_promised_and_a_deleted_webhook_has_none(wire: Any, hook: Any) -> None:
    ping = f"({hook['Id']})/{ACTION}Ping"
    event = (await _ask(wire, "POST", ping, status=202)).body
    assert (event["Type"], event["EntityKey"]) == ("ping", hook["Key"])
    assert event["EventId"] != (await _ask(wire, "POST", ping, status=202)).body["EventId"]
    await _ask(wire, "DELETE", f"({hook['Id']})", status=204)
    for method, path in (("DELETE", f"({hook['Id']})"), ("GET", f"({hook['Id']})"), ("POST", ping)):
        assert (await _ask(wire, method, path, status=404)).code == 1002


async def test_webhooks_and_their_event_types_are_asked_in_odata(wire: Any, hook: Any) -> None:
    for condition, count in (("Name eq 'büro' and Enabled", 1), ("contains(Url,'other')", 0)):
        found = await wire.ask("GET", WEBHOOKS, query={"$filter": condition}, status=200)
        assert len(found.values) == count
    wrong = await wire.ask("GET", WEBHOOKS, query={"$filter": "Secret eq 'canary-secret'"}, status=400)
    assert wrong.code == 1000
    kinds = (await wire.ask("GET", f"{WEBHOOKS}/{ACTION}GetEventTypes", status=200)).values
    assert {"Name": "queueItem.transactionFailed", "Group": "queueItem"} in kinds
    await _ask(wire, "PATCH", f"({hook['Id']})", {"Events": [{"EventType": one["Name"]} for one in kinds]}, status=200)


async def test_webhooks_have_a_scope_of_their_own(wire: Any, hook: Any) -> None:
    token = (await wire.log_in(scope="OR.Webhooks.Read OR.Settings")).body["access_token"]
    headers = wire.in_folder() | {"Authorization": f"Bearer {token}"}
    await wire.ask("GET", WEBHOOKS, headers=headers, status=200)
    await wire.ask("DELETE", f"{WEBHOOKS}({hook['Id']})", headers=headers, status=403)
