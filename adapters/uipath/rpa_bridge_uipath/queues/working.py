"""Work on items: taken, noted, reported done or failed. docs: uipath.md 3.10"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.queues import Failure, Item, ItemState
from rpa_bridge.errors import ConflictError, InvalidError
from rpa_bridge.helpers.checks import check_name, check_values, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.reconcile import afterwards
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.mapping import queues as mapping
from rpa_bridge_uipath.wire.queues import QueueItemDto

from .items import COLLECTION, Items, number_of

OUTPUT = Limits(item_bytes=100 * 1024)
MOST_REASON = 102_400
MOST_PROGRESS = 104_857
"""Characters. docs: uipath.md 3.10, limits on content"""


class Working(Items):
    """The verbs of whoever works on items."""

    async def take(self, queue: str) -> Item | None:
        operation = "queues.take"
        check_name(operation, "queue", queue, Limits())
        path = f"/odata/Queues/{odata.QUEUE_ACTION}StartTransaction"
        body = {"transactionData": {"Name": queue}}
        may_be = (
            f"an item of queue {queue!r} may now be in progress without a worker; look for it in the queue, "
            f"UiPath abandons it after about 24 hours"
        )
        with self._client.effects.blindly(operation, may_be):
            answer = await self._client.call(
                "POST", path, effect=Effect.BLIND, operation=operation, json=body, may_be_empty=False
            )
            return None if answer is None else mapping.item(QueueItemDto.of(answer, operation), queue)

    async def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        operation = "queues.complete"
        result = dict(item.output if output is None else output)
        check_values(operation, result, OUTPUT)
        await self._report(item, mapping.succeeded(result), {ItemState.DONE}, operation)

    async def fail(self, item: Item, failure: Failure) -> None:
        operation = "queues.fail"
        _check_length(operation, "reason", failure.reason, MOST_REASON)
        _check_length(operation, "detail", failure.detail or "", MOST_REASON)
        await self._report(item, mapping.failed(failure), {ItemState.FAILED, ItemState.RETRIED}, operation)

    async def progress(self, item: Item, text: str) -> None:
        operation = "queues.progress"
        _check_length(operation, "progress", text, MOST_PROGRESS)
        path = f"{odata.entity(COLLECTION, _number(operation, item))}/{odata.QUEUE_ACTION}SetTransactionProgress"
        await self._client.call("POST", path, effect=Effect.SET, operation=operation, json={"progress": text})

    async def _report(self, item: Item, body: dict[str, Any], reached: set[ItemState], operation: str) -> None:
        path = f"{odata.entity('Queues', _number(operation, item))}/{odata.QUEUE_ACTION}SetTransactionResult"
        try:
            await self._client.call("POST", path, effect=Effect.SET, operation=operation, json=body)
        except (ConflictError, InvalidError) as error:
            # A repeat after a lost answer finds the item final already: that is what was asked for.
            if error.uncertain_before:
                with afterwards():
                    now = await self._item(item.id, operation)
                if mapping.item_state(now) in reached:
                    return
            raise


def _number(operation: str, item: Item) -> int:
    return number_of(operation, item.id, item.queue)


def _check_length(operation: str, what: str, text: str, most: int) -> None:
    if len(text) > most:
        raise refuse(operation, f"the {what} has {len(text)} characters; at most {most} fit")
