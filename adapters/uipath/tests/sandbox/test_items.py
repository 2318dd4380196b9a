"""Queue items that are changed, reviewed, retried by hand, and asked for their history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

BULK = "/odata/QueueItems/UiPathODataSvc."
NOWHERE = "11111111-aaaa-4111-8111-111111111111"
BUSINESS = {"Reason": "no amount", "Type": "BusinessException"}
APPLICATION = {"Reason": "crash", "Type": "ApplicationException"}


async def _put(wire: Any, item: Any, body: dict[str, Any], status: int = 200) -> Any:
    return await wire.ask("PUT", f"/odata/QueueItems({item['Id']})", body, status=status)


async def _failed(wire: Any, queue: str = "Invoices", why: Any = BUSINESS, **data: Any) -> Any:
    await wire.add(queue, **data)
    taken = (await wire.take(queue)).body
    await wire.finish(taken["Id"], IsSuccessful=False, ProcessingException=why)
    return await wire.item(taken["Id"])


def _versioned(*items: Any) -> list[dict[str, Any]]:
    return [{"Id": item["Id"], "RowVersion": item["RowVersion"]} for item in items]


async def _review(wire: Any, status: str, *items: Any) -> Any:
    body = {"status": status, "queueItems": _versioned(*items)}
    return (await wire.ask("POST", f"{BULK}SetItemReviewStatus", body, status=200)).body


async def test_a_put_changes_five_members_and_no_more(wire: Any) -> None:
    old = (await wire.add(Reference="r-1", SpecificContent={"n": 1})).body
    body = {
        "Name": "Letters",
        "Reference": "r-2",
        "RiskSlaDate": "2031-01-01T00:00:00Z",
        "Progress": "half",
        "Priority": "High",
        "DueDate": "2031-01-02T00:00:00Z",
        "DeferDate": "2031-01-01T00:00:00+01:00",
        "SpecificContent": {"zip": "01234", "zip@odata.type": "#String"},
    }
    assert (await _put(wire, old, body)).body == ""
    new = await wire.item(old["Id"])
    assert (new["Progress"], new["Priority"], new["SpecificContent"]) == ("half", "High", {"zip": "01234"})
    assert new["SpecificData"] == '{"DynamicProperties": {"zip": "01234"}}'
    assert (new["DueDate"], new["DeferDate"]) == ("2031-01-02T00:00:00.000000Z", "2030-12-31T23:00:00.000000Z")
    assert (new["Reference"], new["RiskSlaDate"]) == ("r-1", None)
    assert new["QueueDefinitionId"] == old["QueueDefinitionId"]
    assert new["RowVersion"] != old["RowVersion"]


async def test_a_put_clears_what_it_leaves_out_unless_the_server_keeps_it(wire: Any) -> None:
    data: dict[str, Any] = {"SpecificContent": {"n": 1}, "Priority": "Low", "Progress": "begun"}
    item = (await wire.add(**data)).body
    wire.world.switches["uipath.put_item_keeps_absent"] = True
    await _put(wire, item, {"Progress": "half"})
    assert {name: (await wire.item(item["Id"]))[name] for name in data} == data | {"Progress": "half"}
    wire.world.switches["uipath.put_item_keeps_absent"] = False
    await _put(wire, item, {})
    cleared: dict[str, Any] = {"SpecificContent": {}, "Priority": "Normal", "Progress": None}
    assert {name: (await wire.item(item["Id"]))[name] for name in data} == cleared


async def test_a_changed_item_stands_where_it_now_belongs(wire: Any) -> None:
    wire.world.clock.freeze()
    first, second = (await wire.add(Reference="a")).body, (await wire.add(Reference="b")).body
    await _put(wire, second, {"Priority": "High"})
    await _put(wire, first, {"Priority": "Low"})
    later = (wire.world.clock.now() + timedelta(hours=1)).isoformat()
    await wire.add(Reference="c")
    await _put(wire, second, {"Priority": "High", "DeferDate": later})
    assert [(await wire.take()).body["Reference"] for _ in range(2)] == ["c", "a"]
    await wire.take(status=204)
    wire.world.clock.advance(3601)
    wire.headers["Authorization"] = f"Bearer {(await wire.log_in()).body['access_token']}"
    assert (await wire.take()).body["Reference"] == "b"
    await wire.take(status=204)


async def test_only_new_items_can_be_changed(wire: Any) -> None:
    item = (await wire.add()).body
    await wire.take()
    assert (await _put(wire, item, {"Progress": "half"}, 409)).code == 1017
    assert (await _put(wire, {"Id": 1}, {"Progress": "half"}, 404)).code == 1002
    fresh = (await wire.add()).body
    assert (await _put(wire, fresh, {"itemData": {}}, 400)).code == 0
    assert (await _put(wire, fresh, {"SpecificContent": {"a": [1]}}, 400)).code == 1009
    assert (await _put(wire, fresh, {"SpecificContent": {"a": "x" * 512 * 1024}}, 400)).code == 1009
    assert (await wire.item(fresh["Id"])) == fresh


async def test_many_items_are_deleted_and_stale_ones_are_named(wire: Any) -> None:
    fresh, stale, twice = [(await wire.add()).body for _ in range(3)]
    await _put(wire, stale, {"Progress": "changed meanwhile"})
    unknown = {"Id": 1, "RowVersion": fresh["RowVersion"]}
    body = {"queueItems": [*_versioned(fresh, stale, twice, twice), unknown, {"Id": stale["Id"]}]}
    answer = (await wire.ask("POST", f"{BULK}DeleteBulk", body, status=200)).body
    assert (answer["Success"], answer["FailedItems"]) == (False, [stale["Id"], twice["Id"], 1, stale["Id"]])
    assert [item["Status"] for item in await wire.items()] == ["Deleted", "New", "Deleted"]
    assert (await wire.take()).body["Id"] == stale["Id"]
    finance = wire.in_folder(FolderPath="Finance")
    elsewhere = {"queueItems": _versioned(await wire.item(stale["Id"]))}
    answer = (await wire.ask("POST", f"{BULK}DeleteBulk", elsewhere, headers=finance, status=200)).body
    assert answer["FailedItems"] == [stale["Id"]]
    good = (await wire.ask("POST", f"{BULK}DeleteBulk", elsewhere, status=200)).body
    assert (good["Success"], good["FailedItems"]) == (True, [])


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("DeleteBulk", {}, 1009),
        ("DeleteBulk", {"queueItems": [1]}, 0),
        ("DeleteBulk", {"QueueItems": []}, 0),
        ("SetItemReviewStatus", {"queueItems": []}, 1009),
        ("SetItemReviewStatus", {"queueItems": [], "status": "Again"}, 0),
    ],
)
async def test_a_wrong_bulk_is_refused(wire: Any, name: str, body: Any, code: int) -> None:
    assert (await wire.ask("POST", BULK + name, body, status=400)).code == code


async def test_a_failed_item_is_retried_by_hand_as_a_new_one(wire: Any) -> None:
    old = await _failed(wire, Reference="r-1", SpecificContent={"n": 1})
    assert (await _review(wire, "Retried", old))["Success"] is True
    seen = await wire.item(old["Id"])
    assert (seen["Status"], seen["ReviewStatus"]) == ("Failed", "Retried")
    new = (await wire.take()).body
    assert (new["Key"], new["Reference"], new["SpecificContent"]) == (old["Key"], "r-1", {"n": 1})
    assert (new["ManualAncestorId"], new["ManualAncestorUniqueKey"]) == (old["Id"], old["UniqueKey"])
    assert (new["ManualRetryNumber"], new["AncestorId"], new["RetryNumber"]) == (1, None, 0)
    await wire.take(status=204)


async def test_a_row_version_guards_against_a_second_retry(wire: Any) -> None:
    old = await _failed(wire)
    await _review(wire, "Retried", old)
    again = await _review(wire, "Retried", old)
    assert (again["Success"], again["FailedItems"]) == (False, [old["Id"]])
    assert len(await wire.items()) == 2
    await _review(wire, "Retried", await wire.item(old["Id"]))
    assert len(await wire.items()) == 3, "with the version of now it is one more retry"


async def test_a_retry_by_hand_may_end_the_old_status(wire: Any) -> None:
    wire.world.switches["uipath.manual_retry_ends_status"] = True
    old = await _failed(wire)
    await _review(wire, "Retried", old)
    seen = await wire.item(old["Id"])
    assert (seen["Status"], seen["ReviewStatus"]) == ("Retried", "Retried")
    assert (await _review(wire, "Retried", seen))["Success"] is False


async def test_what_was_abandoned_can_be_retried_and_what_was_not_failed_cannot(wire: Any) -> None:
    wire.world.switches["uipath.token_lifetime"] = 10**6
    wire.headers["Authorization"] = f"Bearer {(await wire.log_in()).body['access_token']}"
    fresh = (await wire.add("Letters", Reference="x")).body
    await wire.add()
    taken = (await wire.take()).body
    assert (await _review(wire, "Retried", fresh, taken))["FailedItems"] == [fresh["Id"], taken["Id"]]
    wire.world.clock.advance(24 * 3600 + 1)
    abandoned = await wire.item(taken["Id"])
    assert abandoned["Status"] == "Abandoned"
    assert (await _review(wire, "Retried", abandoned))["Success"] is True
    assert (await wire.take()).body["ManualAncestorId"] == taken["Id"]


async def test_a_review_is_noted_and_brings_no_item(wire: Any) -> None:
    failed = await _failed(wire)
    for status in ("InReview", "Verified", "None"):
        failed = await wire.item(failed["Id"])
        assert (await _review(wire, status, failed))["Success"] is True
        assert [item["ReviewStatus"] for item in await wire.items()] == [status]


async def test_the_last_retry_and_the_history_follow_the_chain(wire: Any) -> None:
    first = await _failed(wire, why=APPLICATION)
    second = (await wire.take()).body
    await wire.finish(second["Id"], IsSuccessful=False, ProcessingException=BUSINESS)
    await _review(wire, "Retried", await wire.item(second["Id"]))
    await wire.add()
    path = f"/odata/QueueItems({first['Id']})/"
    last = (await wire.ask("GET", f"{path}UiPath.Server.Configuration.OData.GetItemLastRetry", status=200)).body
    assert (last["Status"], last["ManualAncestorId"]) == ("New", second["Id"])
    by_key = f"{BULK}GetItemLastRetryByKey(key={first['UniqueKey']})"
    assert (await wire.ask("GET", by_key, status=200)).body == last
    query = {"$orderby": "Id desc", "$select": "Id"}
    history = await wire.ask("GET", f"{path}UiPathODataSvc.GetItemProcessingHistory", query=query, status=200)
    assert [item["Id"] for item in history.values] == [last["Id"], second["Id"], first["Id"]]


async def test_an_item_that_was_never_retried_has_no_last_retry(wire: Any) -> None:
    item = (await wire.add()).body
    path = f"/odata/QueueItems({item['Id']})/UiPath.Server.Configuration.OData.GetItemLastRetry"
    assert (await wire.ask("GET", path, status=404)).code == 1002
    wire.world.switches["uipath.last_retry_is_itself"] = True
    assert (await wire.ask("GET", path, status=200)).body == item
    assert (await wire.ask("GET", f"{BULK}GetItemLastRetryByKey(key={NOWHERE})", status=404)).code == 1002
