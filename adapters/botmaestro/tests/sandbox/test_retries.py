"""What becomes of errors: retries, and datapools that stop by themselves."""

from __future__ import annotations

from typing import Any

import pytest


async def test_a_system_error_is_retried_as_a_new_entry_until_the_limit(wire: Any) -> None:
    await wire.pool("Orders", maxAutoRetry=1)
    failed = await wire.take("Orders", values={"a": 1}, priority=4)
    failed = await wire.save(failed, state="ERROR", errorType="SYSTEM", message="crash")
    assert (failed["state"], failed["message"], failed["errorType"]) == ("ERROR", "crash", "SYSTEM")
    retry = await wire.pull("Orders")
    assert (retry["id"], retry["parent"], retry["retryIndex"]) == (failed["child"], failed["id"], 1)
    assert (retry["values"], retry["priority"], retry["message"]) == ({"a": 1}, 4, None)
    again = await wire.save(retry, state="ERROR", errorType="SYSTEM")
    assert again["child"] is None
    await wire.pull("Orders", status=204)


@pytest.mark.parametrize("policy", ["FIFO", "LIFO"])
async def test_a_retry_can_go_before_all_others_even_after_a_new_start(wire: Any, policy: str) -> None:
    wire.switch(retry_first=True)
    await wire.pool("Orders", maxAutoRetry=1, consumptionPolicy=policy)
    await wire.push("Orders")
    failed = await wire.save(await wire.pull("Orders"), state="ERROR")
    await wire.push("Orders", priority=1)
    await wire.push("Orders")
    wire.sandbox.faces["botmaestro"].load(wire.state)
    assert [(await wire.pull("Orders"))["priority"], (await wire.pull("Orders"))["id"]] == [1, failed["child"]]


async def test_a_retry_can_lose_its_priority(wire: Any) -> None:
    wire.switch(retry_keeps_priority=False)
    failed = await wire.save(await wire.take(priority=9), state="ERROR")
    assert (failed["priority"], (await wire.pull())["priority"]) == (9, 0)


@pytest.mark.parametrize(("error_type", "retried"), [("SYSTEM", True), (None, True), ("BUSINESS", False)])
async def test_only_system_errors_are_retried_and_no_type_means_system(
    wire: Any, error_type: str | None, retried: bool
) -> None:
    failed = await wire.save(await wire.take(), state="ERROR", errorType=error_type)
    assert (failed["child"] is not None) is retried


async def test_an_error_that_is_reported_twice_is_retried_once(wire: Any) -> None:
    taken = await wire.take()
    first = await wire.save(taken, state="ERROR", message="crash")
    second = await wire.save(taken, state="ERROR", message="crash, told again")
    assert second == first | {"message": "crash, told again"}
    assert (await wire.get("/datapool/Invoices/view"))["totalElements"] == 2


async def test_without_auto_retry_nothing_is_retried(wire: Any) -> None:
    await wire.pool("Orders", autoRetry=False, maxAutoRetry=5)
    assert (await wire.save(await wire.take("Orders"), state="ERROR"))["child"] is None


async def test_a_row_of_system_errors_stops_the_datapool_and_activating_begins_a_new_row(wire: Any) -> None:
    await wire.pool("Orders", autoRetry=False, maxErrorsBeforeInactive=2)

    async def fail(error_type: str) -> bool:
        await wire.save(await wire.take("Orders"), state="ERROR", errorType=error_type)
        return bool((await wire.get("/datapool/Orders"))["active"])

    assert await fail("SYSTEM")
    await wire.save(await wire.take("Orders"), state="DONE")
    assert await fail("SYSTEM")
    assert await fail("BUSINESS")
    assert not await fail("SYSTEM")
    await wire.pull("Orders", status=204)
    await wire.post("/datapool/Orders", {"label": "Orders", "active": True})
    assert await fail("SYSTEM")
    assert not await fail("SYSTEM")


@pytest.mark.parametrize(
    "members", [{"maxErrorsBeforeInactive": 0}, {"maxErrorsBeforeInactive": 1, "abortOnError": False}]
)
async def test_without_a_limit_errors_do_not_stop_the_datapool(wire: Any, members: Any) -> None:
    await wire.pool("Orders", autoRetry=False, **members)
    for _ in range(3):
        await wire.save(await wire.take("Orders"), state="ERROR")
    assert (await wire.get("/datapool/Orders"))["active"]


async def test_a_limit_of_zero_can_stop_the_datapool_at_its_first_error(wire: Any) -> None:
    wire.switch(zero_errors_stop=True)
    await wire.save(await wire.take("Letters"), state="ERROR", errorType="BUSINESS")
    assert (await wire.get("/datapool/Letters"))["active"]
    await wire.save(await wire.take("Letters"), state="ERROR")
    assert not (await wire.get("/datapool/Letters"))["active"]


async def test_a_business_error_can_end_a_row_of_errors(wire: Any) -> None:
    wire.switch(business_errors_end_row=True)
    await wire.pool("Orders", autoRetry=False, maxErrorsBeforeInactive=2)
    for error_type in ("SYSTEM", "BUSINESS", "SYSTEM"):
        await wire.save(await wire.take("Orders"), state="ERROR", errorType=error_type)
    assert (await wire.get("/datapool/Orders"))["active"]
