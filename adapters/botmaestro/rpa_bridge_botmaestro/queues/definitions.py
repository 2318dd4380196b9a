"""Datapools themselves: found by label, made, changed, counted, deleted. docs: botmaestro.md 9"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.queues import Queue, QueueDraft, QueueService, QueueStats
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, ProtocolError, RemoteError, UnsupportedError
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.reconcile import afterwards
from rpa_bridge_botmaestro.client import Client, label_segment
from rpa_bridge_botmaestro.mapping import queues as mapping
from rpa_bridge_botmaestro.wire.queues import DataPool, Summary

from .drafts import check_queue_draft


class Definitions(QueueService):
    """The verbs for whole datapools.

    The platform takes a change only as the whole datapool, active or not. A lock keeps the processes that share our
    cache folder apart, the datapool is read last thing before it is written, and once more after it; a change that
    somebody else makes within that moment, the platform's own stop after errors too, is lost all the same.
    """

    def __init__(self, client: Client, clock: Clock, limits: Limits) -> None:
        super().__init__("botmaestro", clock)
        self._client, self._limits = client, limits

    async def find(self) -> AsyncIterator[Queue]:
        async for pool in self._client.all_rows(DataPool, "/datapool", operation="queues.find"):
            yield mapping.queue(pool)

    async def get(self, name: str) -> Queue:
        return mapping.queue(await self._pool(name, "queues.get"))

    def check_queue(self, draft: QueueDraft) -> None:
        check_queue_draft("queues.create", draft)

    async def create(self, draft: QueueDraft) -> Queue:
        """The label stays taken for ever, even when the datapool is deleted."""
        operation = "queues.create"
        check_queue_draft(operation, draft)

        async def look_up() -> Queue | None:
            return await self._as_drafted(draft, operation)

        async def send() -> Queue:
            try:
                return await self._send_new(draft, operation)
            except (ConflictError, InvalidError) as error:
                # A repeat after a lost answer finds the label taken: by our own datapool, if it is as drafted.
                with afterwards():
                    made = await look_up() if error.uncertain_before else None
                if made is None:
                    await self._refuse_known(draft.name, operation)
                    raise
                return made

        what = f"a queue {draft.name!r} with these settings"
        return await self._client.effects.once(send, look_up, operation=operation, what=what)

    async def update(self, name: str, draft: QueueDraft) -> Queue:
        """Options that the draft leaves out stay as they are, and so does whether the datapool is active."""
        operation = "queues.update"
        check_queue_draft(operation, draft)
        if draft.name != name:
            hint = "a label stays; create another queue"
            raise UnsupportedError("renaming queues", adapter="botmaestro", hint=hint)
        return await self._change(name, lambda pool: mapping.settings(draft, pool), operation)

    async def activate(self, name: str) -> Queue:
        return await self._change(name, lambda _: {"active": True}, "queues.activate")

    async def deactivate(self, name: str) -> Queue:
        """Entries can still be added."""
        return await self._change(name, lambda _: {"active": False}, "queues.deactivate")

    async def delete(self, name: str) -> None:
        """The label cannot be used again."""
        operation = "queues.delete"
        try:
            await self._client.tell("DELETE", pool_path(operation, name), effect=Effect.SET, operation=operation)
        except NotFoundError as error:
            if not error.uncertain_before:  # a repeat after a lost answer finds it gone: that is what was asked for
                raise no_queue(operation, name) from None

    async def stats(self, queue: str) -> QueueStats:
        """FAILED counts those too that were tried again."""
        operation = "queues.stats"
        with in_queue(operation, queue):
            path = f"{pool_path(operation, queue)}/summary"
            return mapping.stats(await self._client.read(Summary, path, operation=operation))

    async def _send_new(self, draft: QueueDraft, operation: str) -> Queue:
        body = mapping.new_pool(draft)
        with _with_automation(operation, body):
            answer = await self._client.call("POST", "/datapool", effect=Effect.KEYED, operation=operation, json=body)
        made = DataPool.of(answer, operation)
        if made.label != draft.name:
            raise ProtocolError(f"{operation}: the answer does not name our queue", operation=operation)
        return mapping.queue(made)

    async def _as_drafted(self, draft: QueueDraft, operation: str) -> Queue | None:
        """The datapool of this label, None when there is none. Raises ConflictError when its settings are others."""
        try:
            found = await self._pool(draft.name, operation)
        except NotFoundError:
            return None
        if mapping.is_as_drafted(found, draft):
            return mapping.queue(found)
        raise _taken(draft.name, operation)

    async def _refuse_known(self, name: str, operation: str) -> None:
        """Raises ConflictError for a label that is taken: how the server words that is not known for datapools."""
        try:
            await self._pool(name, operation)
        except RemoteError:  # nothing better is known than the refusal itself
            return
        raise _taken(name, operation) from None

    async def _change(self, name: str, members: Callable[[DataPool], dict[str, Any]], operation: str) -> Queue:
        """The datapool with these members changed; nothing is written where it has them already."""
        path = pool_path(operation, name)
        async with self._client.exclusive.hold(f"botmaestro queue {name}"):
            pool = await self._pool(name, operation)
            wanted = members(pool)
            if mapping.holds(pool, wanted):
                return mapping.queue(pool)
            body = mapping.written(pool) | wanted
            with _with_automation(operation, body):
                await self._client.tell("POST", path, effect=Effect.SET, operation=operation, json=body)
            now = await self._pool(name, operation)
        if not mapping.holds(now, wanted):
            raise ConflictError(
                f"{operation}: queue {name!r} is not as it was written: somebody else changed it at the same moment, "
                f"or this server does not know a setting; look at it, and repeat what is missing",
                operation=operation,
            )
        return mapping.queue(now)

    async def _pool(self, name: str, operation: str) -> DataPool:
        with in_queue(operation, name):
            pool = await self._client.read(DataPool, pool_path(operation, name), operation=operation)
        if pool.label.casefold() != name.casefold():
            raise ProtocolError(f"{operation}: asked for queue {name!r}, got {pool.label!r}", operation=operation)
        return pool


def pool_path(operation: str, label: str) -> str:
    """The address of a datapool. Raises InvalidError for a label that no path can carry."""
    return f"/datapool/{label_segment(operation, 'queue', label)}"


def no_queue(operation: str, name: str) -> NotFoundError:
    """The error for a label that names no datapool."""
    return NotFoundError(
        f"{operation}: there is no queue {name!r}; `rpa-bridge queues list` shows what there is",
        status=404,
        operation=operation,
    )


@contextmanager
def in_queue(operation: str, name: str) -> Iterator[None]:
    """Round a request in which only the datapool can be unknown."""
    try:
        yield
    except NotFoundError:
        raise no_queue(operation, name) from None


@contextmanager
def _with_automation(operation: str, body: dict[str, Any]) -> Iterator[None]:
    """Round a request that writes a datapool, in which only its automation can be unknown."""
    try:
        yield
    except NotFoundError:
        if not body.get(mapping.AUTOMATION):
            raise
        raise NotFoundError(
            f"{operation}: there is no automation {body[mapping.AUTOMATION]!r}; "
            f"`rpa-bridge automations list` shows what there is",
            status=404,
            operation=operation,
        ) from None


def _taken(name: str, operation: str) -> ConflictError:
    return ConflictError(
        f"{operation}: there is a queue {name!r} already; take another name, or update that one", operation=operation
    )
