from __future__ import annotations

from typing import Any

import pytest

BULK = "/odata/Queues/UiPathODataSvc.BulkAddQueueItems"


async def test_queues_are_found_by_name_and_id(wire: Any) -> None:
    found = await wire.ask("GET", "/odata/QueueDefinitions", query={"$filter": "Name eq 'letters'"}, status=200)
    (queue,) = found.values
    assert (queue["Name"], queue["EnforceUniqueReference"]) == ("Letters", True)
    assert (await wire.ask("GET", f"/odata/QueueDefinitions({queue['Id']})", status=200)).body == queue
    finance = wire.in_folder(FolderPath="Finance")
    assert (await wire.ask("GET", f"/odata/QueueDefinitions({queue['Id']})", headers=finance, status=404)).code == 1002


async def test_some_servers_do_not_filter_queues_by_name(wire: Any) -> None:
    wire.world.switches["uipath.no_queue_name_filter"] = True
    answer = await wire.ask("GET", "/odata/QueueDefinitions", query={"$filter": "Name eq 'Letters'"}, status=400)
    assert answer.code == 1000


async def test_a_queue_is_created_once(wire: Any) -> None:
    body = {"Name": "Orders", "MaxNumberOfRetries": 3, "AcceptAutomaticallyRetry": True}
    queue = (await wire.ask("POST", "/odata/QueueDefinitions", body, status=201)).body
    assert (queue["Name"], queue["MaxNumberOfRetries"], queue["EnforceUniqueReference"]) == ("Orders", 3, False)
    await wire.add("orders")
    assert (await wire.ask("POST", "/odata/QueueDefinitions", {"Name": "ORDERS"}, status=409)).code == 1001
    await wire.ask("POST", "/odata/QueueDefinitions", body, headers=wire.in_folder(FolderPath="Finance"), status=201)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 1009),
        ({"Name": " "}, 1009),
        ({"Name": "x" * 51}, 1009),
        ({"Name": "x", "MaxNumberOfRetries": 51}, 1009),
        ({"Name": "x", "Retries": 1}, 0),
        ({"Name": 3}, 0),
    ],
)
async def test_a_wrong_queue_is_refused(wire: Any, body: Any, code: int) -> None:
    assert (await wire.ask("POST", "/odata/QueueDefinitions", body, status=400)).code == code


async def test_an_item_comes_back_as_it_was_added(wire: Any) -> None:
    content = {"name": "Ä", "count": 3, "price": 1.5, "good": True, "none": None}
    dates = {"DueDate": "2031-01-02T03:04:05Z", "DeferDate": "2030-01-02T03:04:05+01:00"}
    added = (await wire.add(SpecificContent=content, Reference="r-1", Priority="High", Progress="begun", **dates)).body
    assert (added["Status"], added["SpecificContent"], added["RetryNumber"]) == ("New", content, 0)
    assert (added["Reference"], added["Priority"], added["Progress"]) == ("r-1", "High", "begun")
    assert (added["DueDate"], added["DeferDate"]) == ("2031-01-02T03:04:05.000000Z", "2030-01-02T02:04:05.000000Z")
    assert await wire.item(added["Id"]) == added


async def test_values_may_have_a_type_beside_them(wire: Any) -> None:
    content = {"zip": "01234", "zip@odata.type": "#String", "n": "12", "n@odata.type": "#Int64"}
    content |= {"at": "2026-10-01T10:00:00.500+02:00", "at@odata.type": "#String"}
    added = await wire.add(SpecificContent=content)
    assert added.body["SpecificContent"] == {"zip": "01234", "n": 12, "at": "2026-10-01T10:00:00.500+02:00"}
    for wrong in (
        {"n": "twelve", "n@odata.type": "#Int64"},
        {"n": 1, "n@odata.type": "#Guess"},
        {"n@odata.type": "#Int64"},
    ):
        assert (await wire.add(SpecificContent=wrong, status=400)).code == 0


async def test_what_looks_like_a_time_comes_back_in_utc(wire: Any) -> None:
    content = {"at": "2026-10-01T10:00:00.500+02:00", "whole": "2026-10-01T10:00:00.000Z", "day": "2026-10-01"}
    added = await wire.add(SpecificContent=content)
    assert added.body["SpecificContent"] == {
        "at": "2026-10-01T08:00:00.5Z",
        "whole": "2026-10-01T10:00:00Z",
        "day": "2026-10-01",
    }


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ({"Name": "Invoces"}, 404, 1002),
        ({"Name": None}, 404, 1002),
        ({"SpecificContent": {"a": {"b": 1}}}, 400, 1009),
        ({"SpecificContent": {"a": [1]}}, 400, 1009),
        ({"SpecificContent": {"a.b": 1}}, 400, 1009),
        ({"SpecificContent": {"long": "x" * 512 * 1024}}, 400, 1009),
        ({"Reference": "r" * 129}, 400, 1009),
        ({"Priority": "Urgent"}, 400, 0),
        ({"Priority": 7}, 400, 0),
        ({"DueDate": "tomorrow"}, 400, 0),
        ({"Content": {}}, 400, 0),
        ({"SpecificContent": "text"}, 400, 0),
    ],
)
async def test_a_wrong_item_is_refused_and_not_added(wire: Any, data: Any, status: int, code: int) -> None:
    assert (await wire.add(status=status, **data)).code == code
    assert await wire.items() == []


@pytest.mark.parametrize("body", [{"Name": "Invoices"}, {"itemData": None}, {"ItemData": {"Name": "Invoices"}}, []])
async def test_an_item_wants_its_wrapper(wire: Any, body: Any) -> None:
    answer = await wire.ask("POST", "/odata/Queues/UiPathODataSvc.AddQueueItem", body, status=400)
    assert answer.code == 0
    assert "must not be null" in answer.body["message"]


async def test_a_reference_is_unique_where_the_queue_says_so(wire: Any) -> None:
    first = (await wire.add("Letters", Reference="r-1")).body
    assert (await wire.add("Letters", Reference="R-1", status=409)).code == 1016
    assert (await wire.add("Letters", status=400)).code == 1009
    await wire.add("Letters", Reference="r-2")
    await wire.add("Invoices", Reference="r-1")
    await wire.add("Invoices", Reference="r-1")
    await wire.ask("DELETE", f"/odata/QueueItems({first['Id']})", status=204)
    await wire.add("Letters", Reference="r-1")


async def _bulk(wire: Any, commit: str, *references: str | None) -> Any:
    items = [{"SpecificContent": {"n": n}, "Reference": reference} for n, reference in enumerate(references)]
    body = {"queueName": "Letters", "commitType": commit, "queueItems": items}
    return (await wire.ask("POST", BULK, body, status=200)).body


@pytest.mark.parametrize(
    ("commit", "added", "failed"),
    [
        ("AllOrNothing", [], [2, 4]),
        ("StopOnFirstFailure", ["a"], [2]),
        ("ProcessAllIndependently", ["a", "b", "c"], [2, 4]),
    ],
)
async def test_a_batch_fails_inside_a_200(wire: Any, commit: str, added: list[str], failed: list[int]) -> None:
    answer = await _bulk(wire, commit, "a", "a", "b", None, "c")
    assert answer["Success"] is False
    assert [one["Ordinal"] for one in answer["FailedItems"]] == failed
    assert answer["FailedItems"][0]["ErrorCode"] == "DuplicateReference"
    assert [item["Reference"] for item in await wire.items()] == added
    again = await _bulk(wire, commit, "a", "d")
    assert again["Success"] is (added == [])


async def test_a_good_batch_tells_no_ids(wire: Any) -> None:
    answer = await _bulk(wire, "AllOrNothing", "a", "b")
    assert answer == {"Success": True, "Message": "All items were added.", "FailedItems": []}
    assert [item["SpecificContent"] for item in await wire.items()] == [{"n": 0}, {"n": 1}]


async def test_the_offender_of_a_batch_may_be_unknown(wire: Any) -> None:
    wire.world.switches["uipath.bulk_ordinals"] = False
    answer = await _bulk(wire, "ProcessAllIndependently", "a", "a")
    assert [one["Ordinal"] for one in answer["FailedItems"]] == [None]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"queueName": "Nothing"}, 404, 1002),
        ({"commitType": "Some"}, 400, 0),
        ({"commitType": None}, 400, 1009),
        ({"items": []}, 400, 0),
        ({"queueItems": [{"Content": {}}]}, 400, 0),
    ],
)
async def test_a_wrong_batch_is_refused(wire: Any, change: Any, status: int, code: int) -> None:
    body = {"queueName": "Letters", "commitType": "AllOrNothing", "queueItems": []} | change
    assert (await wire.ask("POST", BULK, body, status=status)).code == code


async def _queue(wire: Any, name: str = "Invoices") -> Any:
    return (await wire.ask("GET", "/odata/QueueDefinitions", query={"$filter": f"Name eq '{name}'"})).values[0]


async def _put(wire: Any, queue: Any, status: int = 200) -> Any:
    return await wire.ask("PUT", f"/odata/QueueDefinitions({queue['Id']})", queue, status=status)


async def test_a_queue_is_found_by_its_key_in_its_folder(wire: Any) -> None:
    queue = await _queue(wire)
    path = f"/odata/QueueDefinitions/UiPath.Server.Configuration.OData.GetByKey(identifier={queue['Key']})"
    assert (await wire.ask("GET", path, status=200)).body == queue
    assert (await wire.ask("GET", path, query={"$select": "Name"})).body == {"Name": "Invoices"}
    assert (await wire.ask("GET", path, headers=wire.in_folder(FolderPath="Finance"), status=404)).code == 1002


async def test_a_put_replaces_a_queue_and_forgets_what_it_leaves_out(wire: Any) -> None:
    old = await _queue(wire)
    assert (await _put(wire, old | {"Description": "Büro", "SpecificDataJsonSchema": "{}"})).body == ""
    changed = await _queue(wire)
    assert changed == old | {"Description": "Büro", "SpecificDataJsonSchema": "{}"}
    await _put(wire, {"Id": old["Id"], "Name": "Bills"})
    bare = await _queue(wire, "Bills")
    assert (bare["Id"], bare["Key"], bare["CreationTime"]) == (old["Id"], old["Key"], old["CreationTime"])
    assert (bare["Description"], bare["MaxNumberOfRetries"], bare["AcceptAutomaticallyRetry"]) == (None, 0, False)
    await wire.add("Bills")


async def test_a_put_is_checked_as_a_post_is(wire: Any) -> None:
    queue = await _queue(wire)
    assert (await _put(wire, queue | {"Name": "LETTERS"}, 409)).code == 1001
    assert (await _put(wire, queue | {"Name": " "}, 400)).code == 1009
    assert (await _put(wire, queue | {"MaxNumberOfRetries": 51}, 400)).code == 1009
    assert (await _put(wire, queue | {"Retries": 1}, 400)).code == 0
    assert (await _put(wire, queue | {"Id": 1}, 404)).code == 1002
    assert await _queue(wire) == queue
    await _put(wire, queue | {"Name": "INVOICES"})


async def test_some_rules_of_a_queue_may_be_fixed(wire: Any) -> None:
    queue = await _queue(wire)
    wire.world.switches["uipath.queue_rules_fixed"] = True
    assert (await _put(wire, queue | {"EnforceUniqueReference": True}, 400)).code == 1009
    await _put(wire, queue | {"MaxNumberOfRetries": 7})


async def test_a_queue_with_a_release_needs_an_sla(wire: Any) -> None:
    release = (await wire.ask("GET", "/odata/Releases")).values[0]
    body = {"Name": "Orders", "ReleaseId": release["Id"]}
    assert (await wire.ask("POST", "/odata/QueueDefinitions", body, status=400)).code == 1009
    assert (await wire.ask("POST", "/odata/QueueDefinitions", body | {"ReleaseId": 1}, status=404)).code == 1002
    await wire.ask("POST", "/odata/QueueDefinitions", body | {"SlaInMinutes": 60}, status=201)
    wire.world.switches["uipath.release_wants_sla"] = False
    await wire.ask("POST", "/odata/QueueDefinitions", body | {"Name": "More orders"}, status=201)


async def test_a_deleted_queue_takes_its_items_with_it(wire: Any) -> None:
    gone, kept = (await wire.add("Letters", Reference="r-1")).body, (await wire.add()).body
    path = f"/odata/QueueDefinitions({gone['QueueDefinitionId']})"
    assert (await wire.ask("DELETE", path, status=204)).body == ""
    assert (await wire.ask("DELETE", path, status=404)).code == 1002
    assert [item["Id"] for item in await wire.items()] == [kept["Id"]]
    assert (await wire.take("Letters", status=404)).code == 1002
    await wire.ask("POST", "/odata/QueueDefinitions", {"Name": "Letters", "EnforceUniqueReference": True}, status=201)
    await wire.take("Letters", status=204)
    await wire.add("Letters", Reference="r-1")
    assert (await wire.take()).body["Id"] == kept["Id"]
