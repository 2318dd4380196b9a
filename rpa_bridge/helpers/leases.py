"""Leases: an item is taken for the length of a block, and reported by how the block ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from traceback import TracebackException
from types import TracebackType
from typing import Any

from rpa_bridge.contract.queues import Failure, FailureKind, Item, QueueService
from rpa_bridge.errors import BusinessError
from rpa_bridge.redaction import REDACTOR

LOG = logging.getLogger("rpa_bridge.leases")
LONGEST_REASON, LONGEST_DETAIL = 2_000, 20_000
"""Characters: no platform refuses so few, and a report that is refused would leave the item taken."""
CUT = "\n[...]\n"
GRACE = 10.0
"""Seconds that a report may still take after its caller was cancelled."""


def lease(service: QueueService, queue: str) -> AbstractAsyncContextManager[Item | None]:
    """An item for the length of a block; see `QueueService.lease`."""
    return _Lease(service, queue)


class _Lease(AbstractAsyncContextManager[Item | None]):
    """A class and no generator: a block may end by GeneratorExit, after which a generator must not wait."""

    def __init__(self, service: QueueService, queue: str) -> None:
        self._service = service
        self._queue = queue
        self._item: Item | None = None

    async def __aenter__(self) -> Item | None:
        self._item = await self._service.take(self._queue)
        return self._item

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        item = self._item
        if item is None:
            return
        if error is None:
            await _to_its_end(self._service.complete(item, item.output or None))
        elif isinstance(error, Exception):
            try:
                await _to_its_end(self._service.fail(item, _failure(error)))
            except Exception as unreported:
                raise unreported from error
        else:
            await self._give_up(item)

    async def _give_up(self, item: Item) -> None:
        """Reports an interrupted item as well as it can be done; the interruption itself matters more."""
        try:
            await _to_its_end(self._service.fail(item, Failure(kind=FailureKind.APPLICATION, reason="interrupted")))
        except Exception as unreported:  # noqa: BLE001 - whatever it is, the interruption must go on
            LOG.warning(
                "item %s of queue %s was interrupted and could not be reported failed (%s); it stays taken",
                item.id,
                item.queue,
                type(unreported).__name__,
            )


async def _to_its_end(report: Coroutine[Any, Any, None]) -> None:
    """Carries a report through although its caller is cancelled meanwhile, for at most GRACE seconds more."""
    task = asyncio.ensure_future(report)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({task}, timeout=GRACE)
        finally:
            task.cancel()
        raise


def _failure(error: Exception) -> Failure:
    told = TracebackException.from_exception(error)  # without locals: they hold the item's values
    detail = _middle_cut(REDACTOR.clean("".join(told.format())), LONGEST_DETAIL)
    message = _middle_cut(REDACTOR.clean(str(told)), LONGEST_REASON)
    if isinstance(error, BusinessError):
        return Failure(kind=FailureKind.BUSINESS, reason=message or "no reason was given", detail=detail)
    first_line = message.partition("\n")[0]
    reason = f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
    return Failure(kind=FailureKind.APPLICATION, reason=reason, detail=detail)


def _middle_cut(text: str, longest: int) -> str:
    """The text with its middle left out where it is too long: what went wrong stands at both ends."""
    if len(text) <= longest:
        return text
    half = (longest - len(CUT)) // 2
    return text[:half] + CUT + text[-half:]
