from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

APPLICATION = {"Reason": "crash", "Details": "trace", "Type": "ApplicationException"}
BUSINESS = {"Reason": "no amount", "Type": "BusinessException"}


async def _taken(wire: Any, queue: str = "Invoices", **data: Any) -> Any:
    await wire.add(queue, **data)
    return (await wire.take(queue)).body


async def test_an_item_is_taken_once_and_done(wire: Any) -> None:
    added = (await wire.add()).body
    taken = (await wire.take()).body
    assert (taken["Id"], taken["Status"]) == (added["Id"], "InProgress")
    assert taken["RowVersion"] != added["RowVersion"]
    assert (await wire.take(status=204)).body == ""
    answer = await wire.finish(taken["Id"], IsSuccessful=True, Output={"total": 3}, Progress="done")
    assert answer.body == ""
    done = await wire.item(taken["Id"])
    assert (done["Status"], done["Output"], done["Progress"]) == ("Successful", {"total": 3}, "done")
    assert done["OutputData"] == '{"DynamicProperties": {"total": 3}}'
    assert done["StartProcessing"] <= done["EndProcessing"]


async def test_results_may_have_types_beside_their_values(wire: Any) -> None:
    taken = await _taken(wire)
    output = {"zip": "01234", "zip@odata.type": "#String", "deep": {"n": [1]}, "at": "2026-10-01T10:00:00.000Z"}
    await wire.finish(taken["Id"], IsSuccessful=True, Output=output, Analytics={"n": "7", "n@odata.type": "#Int64"})
    done = await wire.item(taken["Id"])
    assert done["Output"] == {"zip": "01234", "deep": {"n": [1]}, "at": "2026-10-01T10:00:00.000Z"}
    assert done["Analytics"] == {"n": 7}


async def test_items_are_taken_by_due_date_priority_and_age(wire: Any) -> None:
    for name, data in {
        "low": {"Priority": "Low"},
        "first": {},
        "second": {},
        "high": {"Priority": "High"},
        "due": {"Priority": "Low", "DueDate": "2031-01-01T00:00:00Z"},
    }.items():
        await wire.add(Reference=name, **data)
    order = [(await wire.take()).body["Reference"] for _ in range(5)]
    assert order == ["due", "high", "first", "second", "low"]


async def test_a_deferred_item_waits_for_its_time(wire: Any) -> None:
    wire.world.clock.freeze()
    await wire.add(DeferDate=(wire.world.clock.now() + timedelta(seconds=60)).isoformat())
    await wire.take(status=204)
    wire.world.clock.advance(61)
    await wire.take()


async def test_a_transaction_may_want_a_certain_reference(wire: Any) -> None:
    for reference in ("a-1", "b-1", "b-2"):
        await wire.add(Reference=reference)
    await wire.take(status=204, Reference="b")
    assert (await wire.take(Reference="b-2")).body["Reference"] == "b-2"
    assert (await wire.take(Reference="b", ReferenceFilterOption="StartsWith")).body["Reference"] == "b-1"
    assert (await wire.take()).body["Reference"] == "a-1"


async def test_a_transaction_with_content_brings_its_own_item(wire: Any) -> None:
    await wire.add(Reference="waiting")
    taken = (await wire.take(SpecificContent={"x": 1}, Reference="own")).body
    assert (taken["Reference"], taken["Status"], taken["SpecificContent"]) == ("own", "InProgress", {"x": 1})
    assert [item["Status"] for item in await wire.items()] == ["New", "InProgress"]
    await wire.take("Letters", SpecificContent={}, Reference="twice")
    assert (await wire.take("Letters", SpecificContent={}, Reference="twice", status=409)).code == 1016


async def test_older_servers_want_to_know_the_robot(wire: Any) -> None:
    await wire.add()
    wire.world.switches["uipath.robot_identifier_required"] = True
    assert (await wire.take(status=400)).code == 1009
    taken = (await wire.take(RobotIdentifier="11111111-aaaa-4111-8111-111111111111")).body
    path = f"/odata/QueueItems({taken['Id']})"
    assert (await wire.ask("GET", path, query={"$expand": "Robot"})).body["Robot"]["Id"] == taken["RobotId"]


async def test_a_business_exception_is_never_retried(wire: Any) -> None:
    taken = await _taken(wire)
    await wire.finish(taken["Id"], IsSuccessful=False, ProcessingException=BUSINESS)
    failed = await wire.item(taken["Id"])
    assert (failed["Status"], failed["ProcessingExceptionType"]) == ("Failed", "BusinessException")
    assert failed["ProcessingException"]["Reason"] == "no amount"
    await wire.take(status=204)


async def test_an_application_exception_is_retried_as_a_new_item_until_the_queues_limit(wire: Any) -> None:
    first = await _taken(wire, Reference="r-1", SpecificContent={"x": 1})
    await wire.finish(first["Id"], IsSuccessful=False, ProcessingException=APPLICATION)
    assert (await wire.item(first["Id"]))["Status"] == "Retried"
    second = (await wire.take()).body
    assert second["Id"] > first["Id"]
    assert (second["Key"], second["Reference"], second["SpecificContent"]) == (first["Key"], "r-1", {"x": 1})
    assert second["UniqueKey"] != first["UniqueKey"]
    assert (second["AncestorId"], second["RetryNumber"]) == (first["Id"], 1)
    await wire.finish(second["Id"], IsSuccessful=False, ProcessingException=APPLICATION)
    assert (await wire.item(second["Id"]))["Status"] == "Failed"
    await wire.take(status=204)


async def test_a_retry_may_be_put_off(wire: Any) -> None:
    taken = await _taken(wire)
    later = "2099-01-01T00:00:00Z"
    await wire.finish(taken["Id"], IsSuccessful=False, ProcessingException=APPLICATION, DeferDate=later)
    await wire.take(status=204)
    assert (await wire.items("Status eq 'New'"))[0]["DeferDate"].startswith("2099")


async def test_a_retried_items_reference_is_free_for_its_successor_alone(wire: Any) -> None:
    body = {"Name": "Both", "EnforceUniqueReference": True, "AcceptAutomaticallyRetry": True, "MaxNumberOfRetries": 1}
    await wire.ask("POST", "/odata/QueueDefinitions", body, status=201)
    taken = await _taken(wire, "Both", Reference="r-1")
    await wire.finish(taken["Id"], IsSuccessful=False, ProcessingException=APPLICATION)
    assert (await wire.add("Both", Reference="r-1", status=409)).code == 1016
    assert [item["Status"] for item in await wire.items()] == ["Retried", "New"]


async def test_only_an_item_in_progress_can_be_finished(wire: Any) -> None:
    added = (await wire.add()).body
    assert (await wire.finish(added["Id"], IsSuccessful=True, status=409)).code == 1017
    taken = (await wire.take()).body
    await wire.finish(taken["Id"], IsSuccessful=True)
    assert (await wire.finish(taken["Id"], IsSuccessful=True, status=409)).code == 1017
    assert (await wire.finish(1, IsSuccessful=True, status=404)).code == 1002


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ({"Successful": True}, 0),
        ({"IsSuccessful": "yes"}, 0),
        ({"ProcessingException": {"Reason": "x", "Type": "Crash"}}, 0),
        ({"ProcessingException": {"Cause": "x"}}, 0),
        ({"IsSuccessful": True, "Output": {"long": "x" * 100 * 1024}}, 1009),
        ({"IsSuccessful": True, "Analytics": {"long": "x" * 10 * 1024}}, 1009),
        ({"OperationId": "x" * 129}, 1009),
    ],
)
async def test_a_wrong_result_is_refused_and_changes_nothing(wire: Any, result: Any, code: int) -> None:
    taken = await _taken(wire)
    assert (await wire.finish(taken["Id"], status=400, **result)).code == code
    assert (await wire.item(taken["Id"]))["Status"] == "InProgress"


async def test_progress_is_noted_while_in_progress(wire: Any) -> None:
    added = (await wire.add()).body
    path = f"/odata/QueueItems({added['Id']})/UiPathODataSvc.SetTransactionProgress"
    assert (await wire.ask("POST", path, {"progress": "half"}, status=409)).code == 1017
    await wire.take()
    assert (await wire.ask("POST", path, {"progress": "half"}, status=200)).body == ""
    assert (await wire.item(added["Id"]))["Progress"] == "half"
    assert (await wire.ask("POST", path, {"Progress": "half"}, status=400)).code == 0


async def test_a_deleted_item_is_marked_and_not_taken(wire: Any) -> None:
    added = (await wire.add()).body
    path = f"/odata/QueueItems({added['Id']})"
    for _ in range(2):
        assert (await wire.ask("DELETE", path, status=204)).body == ""
    assert (await wire.item(added["Id"]))["Status"] == "Deleted"
    await wire.take(status=204)
    assert (await wire.ask("DELETE", "/odata/QueueItems(1)", status=404)).code == 1002


async def test_what_was_taken_a_day_ago_is_abandoned(wire: Any) -> None:
    wire.world.switches["uipath.token_lifetime"] = 10**6
    wire.headers["Authorization"] = f"Bearer {(await wire.log_in()).body['access_token']}"
    wire.world.clock.freeze()
    taken = await _taken(wire)
    wire.world.clock.advance(24 * 3600 - 1)
    assert (await wire.item(taken["Id"]))["Status"] == "InProgress"
    wire.world.clock.advance(1)
    assert [item["Status"] for item in await wire.items()] == ["Abandoned"]
    assert (await wire.finish(taken["Id"], IsSuccessful=True, status=409)).code == 1017


async def test_abandoned_items_are_retried_where_the_queue_says_so(wire: Any) -> None:
    wire.world.switches["uipath.token_lifetime"] = 10**6
    wire.headers["Authorization"] = f"Bearer {(await wire.log_in()).body['access_token']}"
    body = {"Name": "Q", "RetryAbandonedItems": True, "AcceptAutomaticallyRetry": True, "MaxNumberOfRetries": 1}
    await wire.ask("POST", "/odata/QueueDefinitions", body, status=201)
    await _taken(wire, "Q")
    wire.world.clock.advance(24 * 3600 + 1)
    assert [item["Status"] for item in await wire.items()] == ["Retried", "New"]


async def test_items_are_found_by_what_clients_ask(wire: Any) -> None:
    first = (await wire.add(Reference="O'Brien")).body
    await wire.add("Letters", Reference="x")
    queue = first["QueueDefinitionId"]
    for condition in (
        f"QueueDefinitionId eq {queue}",
        "QueueDefinitionName eq 'Invoices'",
        "QueueDefinition/Name eq 'Invoices'",
        "Reference eq 'O''Brien' and Status eq 'New'",
        f"Id le {first['Id']}",
    ):
        assert [item["Id"] for item in await wire.items(condition)] == [first["Id"]], condition
    assert len(await wire.items()) == 2


@pytest.mark.parametrize("query", [{"$top": "101"}, {"$orderby": "DeferDate"}, {"orderby": "Id"}, {"$expand": "Queue"}])
async def test_a_wrong_query_is_refused(wire: Any, query: dict[str, str]) -> None:
    assert (await wire.ask("GET", "/odata/QueueItems", query=query, status=400)).code == 1000


async def test_servers_that_follow_the_definition_know_no_queue_definition_name(wire: Any) -> None:
    wire.world.switches["uipath.queue_definition_name"] = False
    query = {"$filter": "QueueDefinitionName eq 'Invoices'"}
    assert (await wire.ask("GET", "/odata/QueueItems", query=query, status=400)).code == 1000


async def test_totals_are_told_when_asked_for(wire: Any) -> None:
    for _ in range(3):
        await wire.add()
    await wire.take()
    for condition, total in {"Status eq 'New'": 2, "Status eq 'InProgress'": 1, "Status eq 'Failed'": 0}.items():
        query = {"$filter": condition, "$top": "1", "$count": "true"}
        counted = await wire.ask("GET", "/odata/QueueItems", query=query, status=200)
        assert (counted.body["@odata.count"], len(counted.values)) == (total, min(total, 1))
    assert "@odata.count" not in (await wire.ask("GET", "/odata/QueueItems")).body


async def test_items_of_another_folder_are_not_seen(wire: Any) -> None:
    taken = await _taken(wire)
    finance = wire.in_folder(FolderPath="Finance")
    assert (await wire.ask("GET", "/odata/QueueItems", headers=finance)).values == []
    for method, path in (
        ("GET", f"/odata/QueueItems({taken['Id']})"),
        ("DELETE", f"/odata/QueueItems({taken['Id']})"),
    ):
        assert (await wire.ask(method, path, headers=finance, status=404)).code == 1002
