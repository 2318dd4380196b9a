"""Effects that were cut off by a cancellation: each that can be looked up is found by its own look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase

import pytest

from rpa_bridge import Adapter, Bridge, Failure, FailureKind, Item, ItemDraft
from rpa_bridge.helpers.reconciling import Fate, Reconciled
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox

Effect = Callable[[Adapter], Awaitable[Awaitable[object]]]
"""Prepares what is needed, and gives the call that is to be cut off."""


async def taken(adapter: Adapter) -> Item:
    await adapter.queues.add("Letters", ItemDraft(values={"a": "1"}, reference="r-1"))
    item = await adapter.queues.take("Letters")
    assert item is not None
    return item


async def complete(adapter: Adapter) -> Awaitable[object]:
    return adapter.queues.complete(await taken(adapter))


async def fail(adapter: Adapter) -> Awaitable[object]:
    return adapter.queues.fail(await taken(adapter), Failure(kind=FailureKind.BUSINESS, reason="no such customer"))


async def retry(adapter: Adapter) -> Awaitable[object]:
    item = await taken(adapter)
    await adapter.queues.fail(item, Failure(kind=FailureKind.BUSINESS, reason="no such customer"))
    return adapter.queues.retry(item)


async def attach(adapter: Adapter) -> Awaitable[object]:
    job = await adapter.jobs.start("Invoices")
    return adapter.artifacts.upload("Bericht 'Süd'.txt", b"content", job=job.id)


async def start_many(adapter: Adapter) -> Awaitable[object]:
    return adapter.jobs.start_many("Invoices", 3)


async def cut_off(
    sandbox: Sandbox, bridge: Bridge, vendor: str, effect: Effect, request: str, when: When
) -> Reconciled:
    """What `reconcile` says of it, once it was cancelled while the answer was on its way."""
    call = asyncio.ensure_future(await effect(bridge[vendor]))
    sandbox.faults.add(Fault(FaultKind.HANG, match=request, when=when, seconds=3600))
    before = len(sandbox.world.exchanges)
    async with asyncio.timeout(30):
        while not any(  # noqa: ASYNC110 - the sandbox tells nobody
            (one.executed or when is When.BEFORE) and fnmatchcase(f"{one.method} {one.path}", request)
            for one in sandbox.world.exchanges[before:]
        ):
            await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    (told,) = [one async for one in bridge.reconcile()]
    return told


CASES = [
    pytest.param("uipath", retry, "POST *SetItemReviewStatus", id="uipath retry"),
    pytest.param("uipath", attach, "POST *JobAttachments/Post", id="uipath attachment"),
    pytest.param("uipath", start_many, "POST *StartJobs", id="uipath start_many"),
    pytest.param("botmaestro", complete, "POST */entry/*", id="botmaestro complete"),
    pytest.param("botmaestro", fail, "POST */entry/*", id="botmaestro fail"),
]


@pytest.mark.parametrize(("vendor", "effect", "request_line"), CASES)
async def test_what_was_done_is_found(
    sandbox: Sandbox, bridge: Bridge, vendor: str, effect: Effect, request_line: str
) -> None:
    told = await cut_off(sandbox, bridge, vendor, effect, request_line, When.AFTER)

    assert (told.fate, len(told.ids)) == (Fate.FOUND, 3 if effect is start_many else 1), told.message
    assert [one async for one in bridge.reconcile()] == []


@pytest.mark.parametrize(("vendor", "effect", "request_line"), CASES)
async def test_what_was_not_done_is_not_found(
    sandbox: Sandbox, bridge: Bridge, vendor: str, effect: Effect, request_line: str
) -> None:
    told = await cut_off(sandbox, bridge, vendor, effect, request_line, When.BEFORE)

    assert (told.fate, told.ids) == (Fate.UNKNOWN, ())
    assert "may still come" in told.message
