from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest

from rpa_bridge.contract.queues import Failure, FailureKind, Item, ItemDraft, ItemState, Queue, QueueService
from rpa_bridge.errors import BusinessError, ConflictError, UnavailableError
from rpa_bridge.helpers import leases
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.testing import ManualClock


class OneItem(QueueService):
    """A queue that writes down what is reported of its one item."""

    def __init__(self, item: Item | None = None, problem: Exception | None = None) -> None:
        super().__init__("one-item", ManualClock())
        self.item = item
        self.problem = problem
        self.done: list[Mapping[str, Any] | None] = []
        self.failures: list[Failure] = []
        self.door = asyncio.Event()
        self.door.set()
        self.knocked = asyncio.Event()

    async def take(self, queue: str) -> Item | None:
        return self.item

    async def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        await self._pass()
        self.done.append(output)

    async def fail(self, item: Item, failure: Failure) -> None:
        await self._pass()
        self.failures.append(failure)

    async def _pass(self) -> None:
        self.knocked.set()
        await self.door.wait()
        if self.problem:
            raise self.problem

    async def get(self, name: str) -> Queue:
        raise AssertionError("a lease needs no queue")

    async def add(self, queue: str, draft: ItemDraft) -> Item:
        raise AssertionError("a lease adds nothing")


def an_item() -> Item:
    return Item(id="7", queue="Letters", state=ItemState.TAKEN, native_state="taken", values={"to": "Ann"})


async def test_a_block_that_ends_completes_the_item_with_its_output() -> None:
    queues = OneItem(an_item())
    async with queues.lease("Letters") as item:
        assert item is not None
        item.output["page"] = 3
    assert queues.done == [{"page": 3}]
    assert queues.failures == []


async def test_an_item_without_output_is_completed_without() -> None:
    queues = OneItem(an_item())
    async with queues.lease("Letters"):
        assert queues.done == []
    assert queues.done == [None]


async def test_an_empty_queue_gives_none_and_nothing_is_reported() -> None:
    queues = OneItem(None)
    async with queues.lease("Letters") as item:
        assert item is None
    with pytest.raises(RuntimeError, match="mine"):
        async with queues.lease("Letters"):
            raise RuntimeError("mine")
    assert queues.done == []
    assert queues.failures == []


async def test_a_business_error_fails_the_item_as_business_with_its_message() -> None:
    queues = OneItem(an_item())
    with pytest.raises(BusinessError):
        async with queues.lease("Letters"):
            raise BusinessError("the address is empty")
    [failure] = queues.failures
    assert (failure.kind, failure.reason) == (FailureKind.BUSINESS, "the address is empty")
    assert queues.done == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [("no paper\nin tray 2", "RuntimeError: no paper"), ("", "RuntimeError")],
)
async def test_any_other_error_fails_the_item_as_application_with_type_and_first_line(
    message: str, reason: str
) -> None:
    queues = OneItem(an_item())
    with pytest.raises(RuntimeError):
        async with queues.lease("Letters"):
            raise RuntimeError(message)
    [failure] = queues.failures
    assert (failure.kind, failure.reason) == (FailureKind.APPLICATION, reason)
    assert failure.detail is not None
    assert "Traceback" in failure.detail
    assert __file__ in failure.detail


async def test_an_endless_text_is_cut_in_its_middle_so_that_no_platform_refuses_the_report() -> None:
    queues = OneItem(an_item())
    with pytest.raises(BusinessError):
        async with queues.lease("Letters"):
            raise BusinessError("begin " + "x" * 300_000 + " end")
    [failure] = queues.failures
    assert len(failure.reason) <= leases.LONGEST_REASON
    assert failure.reason.startswith("begin ")
    assert failure.reason.endswith(" end")
    assert failure.detail is not None
    assert len(failure.detail) <= leases.LONGEST_DETAIL
    assert failure.detail.startswith("Traceback")


@pytest.mark.shows_secrets("error", why="the worker's own error holds it")
async def test_neither_secrets_nor_local_variables_are_reported() -> None:
    REDACTOR.add("canary-lease-1f9")
    queues = OneItem(an_item())

    async def work(private: str) -> None:
        raise RuntimeError(f"refused canary-lease-1f9 of {len(private)} letters")

    with pytest.raises(RuntimeError):
        async with queues.lease("Letters"):
            await work("local-" + "value")
    [failure] = queues.failures
    assert failure.reason == "RuntimeError: refused *** of 11 letters"
    assert "canary-lease" not in str(failure.detail)
    assert "local-value" not in str(failure.detail)


async def test_a_report_that_fails_keeps_the_blocks_own_error_as_its_cause() -> None:
    queues = OneItem(an_item(), UnavailableError("down"))
    mine = RuntimeError("mine")
    with pytest.raises(UnavailableError, match="down") as error:
        async with queues.lease("Letters"):
            raise mine
    assert error.value.__cause__ is mine


async def test_a_completion_that_is_refused_is_raised_and_not_reported_as_failed() -> None:
    queues = OneItem(an_item(), ConflictError("no longer taken"))
    with pytest.raises(ConflictError):
        async with queues.lease("Letters"):
            assert queues.item is not None
    assert queues.failures == []


async def test_a_cancelled_block_fails_its_item_as_interrupted_and_stays_cancelled() -> None:
    queues = OneItem(an_item())
    working = asyncio.Event()

    async def work() -> None:
        async with queues.lease("Letters"):
            working.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await working.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(one.kind, one.reason) for one in queues.failures] == [(FailureKind.APPLICATION, "interrupted")]


async def test_a_keyboard_interrupt_fails_its_item_as_interrupted() -> None:
    queues = OneItem(an_item())
    with pytest.raises(KeyboardInterrupt):
        async with queues.lease("Letters"):
            raise KeyboardInterrupt
    assert [one.reason for one in queues.failures] == ["interrupted"]


async def test_an_interruption_is_not_replaced_by_a_report_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    queues = OneItem(an_item(), UnavailableError("down"))
    with caplog.at_level(logging.WARNING), pytest.raises(KeyboardInterrupt):
        async with queues.lease("Letters"):
            raise KeyboardInterrupt
    assert "item 7 of queue Letters was interrupted" in caplog.text


async def test_a_generator_that_holds_a_lease_can_be_closed() -> None:
    queues = OneItem(an_item())

    async def worked() -> AsyncGenerator[Item | None, None]:
        async with queues.lease("Letters") as item:
            yield item

    generator = worked()
    await anext(generator)
    await generator.aclose()
    assert [one.reason for one in queues.failures] == ["interrupted"]


async def test_a_completion_under_way_is_carried_to_its_end_when_its_caller_is_cancelled() -> None:
    queues = OneItem(an_item())
    queues.door.clear()

    async def work() -> None:
        async with queues.lease("Letters"):
            return

    task = asyncio.create_task(work())
    await queues.knocked.wait()
    task.cancel()
    await asyncio.sleep(0)
    queues.door.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert queues.done == [None]
    assert queues.failures == []


async def test_a_report_that_hangs_does_not_hold_a_cancelled_caller_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "GRACE", 0.01)
    queues = OneItem(an_item())
    queues.door.clear()

    async def work() -> None:
        async with queues.lease("Letters"):
            return

    task = asyncio.create_task(work())
    await queues.knocked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert queues.done == []
