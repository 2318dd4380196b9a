"""Queues themselves: found by name, made, changed, deleted. docs: uipath.md 3.9"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.queues import Queue, QueueDraft, QueueService
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, ProtocolError, UnsupportedError
from rpa_bridge.helpers.checks import check_name, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.reconcile import afterwards
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.client import Client
from rpa_bridge_uipath.mapping import queues as mapping
from rpa_bridge_uipath.wire.queues import QueueDefinitionDto, QueueItemDto

COLLECTION = "QueueDefinitions"
MOST_DESCRIPTION = 250
MOST_RETRIES = 50
OPTIONS: dict[str, type] = {
    "AnalyticsDataJsonSchema": str,
    "Encrypted": bool,
    "OutputDataJsonSchema": str,
    "ReleaseId": int,
    "RetryAbandonedItems": bool,
    "RiskSlaInMinutes": int,
    "SlaInMinutes": int,
    "SpecificDataJsonSchema": str,
}
"""Settings of a queue that a caller may give through `options`. docs: uipath.md 3.9"""


class Definitions(QueueService):
    """The verbs for whole queues, and what the others need to know of a queue."""

    def __init__(self, client: Client, clock: Clock, limits: Limits) -> None:
        super().__init__("uipath", clock)
        self._client, self._limits = client, limits
        self._ids: dict[str, int] = {}

    async def find(self) -> AsyncIterator[Queue]:
        async for row in self._client.all_rows(QueueDefinitionDto, COLLECTION, operation="queues.find"):
            yield mapping.queue(row)

    async def get(self, name: str) -> Queue:
        return mapping.queue(await self._definition(name, "queues.get"))

    def check_queue(self, draft: QueueDraft) -> None:
        self._refuse("queues.create", draft)

    async def create(self, draft: QueueDraft) -> Queue:
        operation = "queues.create"
        self._refuse(operation, draft)

        async def look_up() -> Queue | None:
            return await self._as_drafted(draft, operation)

        async def send() -> Queue:
            try:
                return await self._send_new(draft, operation)
            except ConflictError as error:
                # A repeat after a lost answer finds the name taken: by our own queue, if it is as drafted.
                with afterwards():
                    made = await look_up() if error.uncertain_before else None
                if made is None:
                    raise
                return made

        what = f"a queue {draft.name!r} with these settings"
        return await self._client.effects.once(send, look_up, operation=operation, what=what)

    async def update(self, name: str, draft: QueueDraft) -> Queue:
        operation = "queues.update"
        self._refuse(operation, draft)
        path = odata.entity(COLLECTION, (await self._definition(name, operation)).Id)
        old = await self._client.read(QueueDefinitionDto, path, operation=operation)
        body = mapping.changed_definition(old, draft)
        await self._client.call("PUT", path, effect=Effect.SET, operation=operation, json=body)
        self._ids.pop(name, None)
        with afterwards():
            return mapping.queue(await self._client.read(QueueDefinitionDto, path, operation=operation))

    async def delete(self, name: str) -> None:
        operation = "queues.delete"
        path = odata.entity(COLLECTION, (await self._definition(name, operation)).Id)
        try:
            await self._client.call("DELETE", path, effect=Effect.SET, operation=operation)
        except NotFoundError as error:
            if not error.uncertain_before:  # a repeat after a lost answer finds it gone: that is what was asked for
                raise
        self._ids.pop(name, None)

    async def _send_new(self, draft: QueueDraft, operation: str) -> Queue:
        path, body = f"/odata/{COLLECTION}", mapping.new_definition(draft)
        answer = await self._client.call("POST", path, effect=Effect.KEYED, operation=operation, json=body)
        made = QueueDefinitionDto.of(answer, operation)
        if made.Name != draft.name:
            raise ProtocolError(f"{operation}: the answer does not name our queue", operation=operation)
        return mapping.queue(made)

    async def _as_drafted(self, draft: QueueDraft, operation: str) -> Queue | None:
        """The queue of this name, None when there is none. Raises ConflictError when its settings are others."""
        try:
            found = await self._definition(draft.name, operation)
        except NotFoundError:
            return None
        if mapping.is_as_drafted(found, draft):
            return mapping.queue(found)
        raise ConflictError(
            f"{operation}: there is a queue {found.Name!r} with other settings; take another name, or update that one",
            operation=operation,
        )

    async def _is_in(self, queue: str, item: QueueItemDto, operation: str) -> bool:
        """Whether the item is of this queue. Ids are remembered, and asked for again when they do not fit."""
        if item.QueueDefinitionId in (None, self._ids.get(queue)):
            return True
        self._ids[queue] = (await self._definition(queue, operation)).Id
        return item.QueueDefinitionId == self._ids[queue]

    async def _definition(self, name: str, operation: str) -> QueueDefinitionDto:
        check_name(operation, "queue", name, Limits())
        params = {"$filter": odata.where("Name", "eq", name), "$top": "2"}
        try:
            rows = await self._client.rows(QueueDefinitionDto, COLLECTION, operation=operation, params=params)
        except InvalidError:  # docs: some servers refuse to filter by Name, uipath.md 3.9
            listed = self._client.all_rows(QueueDefinitionDto, COLLECTION, operation=operation)
            rows = [row async for row in listed]
        for row in rows:
            if row.Name.casefold() == name.casefold():
                return row
        raise NotFoundError(
            f"{operation}: there is no queue {name!r} in this folder; `rpa-bridge queues list` shows what there is",
            operation=operation,
        )

    def _refuse(self, operation: str, draft: QueueDraft) -> None:
        check_name(operation, "queue", draft.name, self._limits)
        if len(draft.description or "") > MOST_DESCRIPTION:
            raise refuse(operation, f"the description has {len(draft.description or '')} characters; at most 250 fit")
        if not 0 <= draft.retries <= MOST_RETRIES:
            raise refuse(operation, f"a queue's retries must be from 0 to {MOST_RETRIES}, not {draft.retries}")
        if draft.fields:
            hint = "give the values' JSON schema as option SpecificDataJsonSchema instead"
            raise UnsupportedError("queues with fields", adapter="uipath", hint=hint)
        for name, value in draft.options.items():
            _refuse_option(operation, name, value)


def _refuse_option(operation: str, name: str, value: object) -> None:
    kind = OPTIONS.get(name)
    if kind is None:
        raise UnsupportedError(f"queue option {name!r}", adapter="uipath", hint=f"options are {', '.join(OPTIONS)}")
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise refuse(operation, f"queue option {name!r} must be of type {kind.__name__}, not {type(value).__name__}")
